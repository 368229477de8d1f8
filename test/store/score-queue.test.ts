import { expect, test } from 'vitest';
import { openJournal } from '../../src/store/journal.ts';
import type { ScoreQueue } from '../../src/store/score-queue.ts';
import { temporaryStore } from './temporary-store.ts';

const KIND = ['engine', 'options'] as const;
const wish = (episodeId: string, actions = 2) => ({ episodeId, scorer: KIND[0], optionsKey: KIND[1], actions });

/** A queue with a clock of its own, and a second connection to the same file. */
function queues(): { readonly one: ScoreQueue; readonly two: ScoreQueue; readonly pass: (ms: number) => void } {
  const path = temporaryStore();
  let time = 1_000_000;
  const now = (): number => time;
  return {
    one: openJournal(path, { now }).queue,
    two: openJournal(path, { now }).queue,
    pass: (ms) => {
      time += ms;
    },
  };
}

test('an empty queue has nothing to do and knows nobody', () => {
  const { one } = queues();
  expect(one.claim('a', ...KIND, 1000)).toBeNull();
  expect(one.stateOf('e', ...KIND)).toBeNull();
  expect(one.dueIn(...KIND)).toBeNull();
});

test('a wish made twice is one job, for one worker, however many windows ask', () => {
  const { one, two } = queues();
  one.wish(wish('e'));
  two.wish(wish('e'));
  expect(one.claim('a', ...KIND, 1000)).toMatchObject({ episodeId: 'e', actions: 2, attempts: 1 });
  expect(two.claim('b', ...KIND, 1000)).toBeNull();
  expect(two.stateOf('e', ...KIND)?.state).toBe('scoring');
});

test('a job of another scorer or other options is left alone', () => {
  const { one } = queues();
  one.wish(wish('e'));
  expect(one.claim('a', 'vllm', KIND[1], 1000)).toBeNull();
  expect(one.claim('a', KIND[0], 'other', 1000)).toBeNull();
});

test('the open conversation comes first, then the newest wish', () => {
  const { one } = queues();
  for (const id of ['old', 'open', 'new']) one.wish(wish(id));
  const taken = ['a', 'b', 'c'].map((owner) => one.claim(owner, ...KIND, 1000, 'open')?.episodeId);
  expect(taken).toEqual(['open', 'new', 'old']);
});

test('what was said while it was scored is scored after it', () => {
  const { one } = queues();
  one.wish(wish('e', 2));
  const job = one.claim('a', ...KIND, 1000);
  one.wish(wish('e', 3));
  if (job) one.finish('a', job);
  expect(one.stateOf('e', ...KIND)).toMatchObject({ state: 'queued', done: 2 });
  expect(one.claim('a', ...KIND, 1000)?.actions).toBe(3);
});

test('a lease that ran out is anybody’s, and its old owner can neither finish nor prolong it', () => {
  const { one, two, pass } = queues();
  one.wish(wish('e'));
  const job = one.claim('a', ...KIND, 1000);
  expect(job && one.renew('a', job, 1000)).toBe(true);
  pass(1001);
  expect(two.claim('b', ...KIND, 1000)?.attempts).toBe(2);
  expect(job && one.renew('a', job, 1000)).toBe(false);
  if (job) one.finish('a', job);
  expect(one.stateOf('e', ...KIND)?.state).toBe('scoring');
});

test('a failed job waits, then is due again; one that gave up waits for a new wish', () => {
  const { one, pass } = queues();
  one.wish(wish('e'));
  const job = one.claim('a', ...KIND, 1000);
  if (job) one.fail('a', job, { reason: 'unreachable', message: 'It does not answer.' }, 5000);
  expect(one.claim('a', ...KIND, 1000)).toBeNull();
  expect(one.dueIn(...KIND)).toBe(5000);
  pass(5000);
  const again = one.claim('a', ...KIND, 1000);
  if (again) one.fail('a', again, { reason: 'unsupported', message: 'It cannot.' }, null);
  expect(one.stateOf('e', ...KIND)).toEqual({ state: 'failed', done: 0, reason: 'unsupported', message: 'It cannot.' });
  expect(one.dueIn(...KIND)).toBeNull();
  one.wish(wish('e'));
  expect(one.claim('a', ...KIND, 1000)).toBeNull();
  one.wish(wish('e'), { again: true });
  expect(one.claim('a', ...KIND, 1000)?.attempts).toBe(1);
});

test('a worker that ends gives back what it held, and no try is counted', () => {
  const { one, two } = queues();
  one.wish(wish('e'));
  one.claim('a', ...KIND, 1000);
  one.release('a');
  expect(two.claim('b', ...KIND, 1000)?.attempts).toBe(1);
});
