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

test('when behind, the largest expectation comes first; nothing known comes last', () => {
  const { one } = queues();
  one.wish({ ...wish('small'), expected: 0.1 });
  one.wish({ ...wish('large'), expected: 0.9 });
  one.wish(wish('unknown'));
  one.wish({ ...wish('open'), expected: 0 });
  const taken = ['a', 'b', 'c', 'd'].map((owner) => one.claim(owner, ...KIND, 1000, 'open')?.episodeId);
  expect(taken).toEqual(['open', 'large', 'small', 'unknown']);
});

test('a pause holds for every window, also the next one, and gives running jobs back', () => {
  const { one, two, pass } = queues();
  one.wish(wish('e'));
  const job = one.claim('a', ...KIND, 1000);
  if (job === null) expect.fail('nothing was claimed');
  expect(one.standing('a', job)).toBe('held');
  two.pause();
  pass(5);
  two.pause();
  expect(one.pausedSince()).toBe(1_000_000);
  expect(one.standing('a', job)).toBe('paused');
  one.release('a', job);
  expect(one.claim('b', ...KIND, 1000)).toBeNull();
  expect(two.stateOf('e', ...KIND)?.state).toBe('queued');
  one.resume();
  expect(two.claim('b', ...KIND, 1000)?.attempts).toBe(1);
});

test('what is cancelled stops, is not taken again, and comes back when the conversation goes on', () => {
  const { one, two } = queues();
  for (const id of ['e', 'f', 'done']) one.wish(wish(id));
  const done = one.claim('a', ...KIND, 1000, 'done');
  expect(done && one.finish('a', done)).toBe(true);
  const job = one.claim('a', ...KIND, 1000, 'e');
  if (job === null) expect.fail('nothing was claimed');
  expect(two.cancel('e')).toBe(1);
  expect(one.standing('a', job)).toBe('lost');
  expect(one.renew('a', job, 1000)).toBe(false);
  expect(one.finish('a', job)).toBe(false);
  expect(one.stateOf('e', ...KIND)).toMatchObject({ state: 'cancelled', done: 0, reason: 'cancelled' });
  expect(two.cancel(null)).toBe(1);
  expect(one.claim('a', ...KIND, 1000)).toBeNull();
  expect(one.dueIn(...KIND)).toBeNull();
  expect(one.retryFailed()).toBe(0);
  one.wish(wish('e', 3));
  expect(one.claim('a', ...KIND, 1000)?.actions).toBe(3);
  expect(one.retryFailed(['cancelled'])).toBe(1);
  expect(one.claim('a', ...KIND, 1000)?.episodeId).toBe('f');
});

test('scores are kept with the end of the job, or not at all', () => {
  const { one, two, pass } = queues();
  one.wish(wish('e'));
  const job = one.claim('a', ...KIND, 1000);
  if (job === null) expect.fail('nothing was claimed');
  expect(() =>
    one.finish('a', job, 'identity', () => {
      throw new Error('no room');
    }),
  ).toThrow('no room');
  expect(one.standing('a', job)).toBe('held');
  pass(1001);
  const other = two.claim('b', ...KIND, 1000);
  let kept = 0;
  expect(one.finish('a', job, 'identity', () => (kept += 1))).toBe(false);
  expect(other && two.finish('b', other, 'identity', () => (kept += 1))).toBe(true);
  expect(kept).toBe(1);
});

test('what failed can be made due again, all of it or for one reason', () => {
  const { one } = queues();
  for (const [id, reason] of [
    ['key', 'unauthorized'],
    ['long', 'too_long'],
  ] as const) {
    one.wish(wish(id));
    const job = one.claim('a', ...KIND, 1000, id);
    if (job) one.fail('a', job, { reason, message: 'No.' }, null);
  }
  expect(one.retryFailed(['unauthorized'])).toBe(1);
  expect(one.stateOf('key', ...KIND)).toEqual({ state: 'queued', done: 0, reason: null, message: null });
  expect(one.stateOf('long', ...KIND)?.state).toBe('failed');
  expect(one.retryFailed()).toBe(1);
  expect(one.claim('a', ...KIND, 1000, 'long')?.attempts).toBe(1);
});

test('what failed for a scorer is woken by reason, with its tries counted on or afresh; what others failed at is left', () => {
  const { one } = queues();
  const failWith = (id: string, reason: string): void => {
    one.wish(wish(id));
    const job = one.claim('a', ...KIND, 1000, id);
    if (job) one.fail('a', job, { reason, message: 'No.' }, null);
  };
  failWith('key', 'unauthorized');
  failWith('long', 'too_long');
  expect(one.wake('another', KIND[1], { except: [] }, true)).toBe(0);
  expect(one.wake(KIND[0], 'other', { except: [] }, true)).toBe(0);
  expect(one.wake(...KIND, { only: ['unauthorized'] }, false)).toBe(1);
  expect(one.stateOf('key', ...KIND)).toEqual({ state: 'queued', done: 0, reason: null, message: null });
  expect(one.claim('a', ...KIND, 1000)).toMatchObject({ episodeId: 'key', attempts: 2 });
  expect(one.wake(...KIND, { except: ['too_long'] }, true)).toBe(0);
  expect(one.wake(...KIND, { except: ['unauthorized'] }, true)).toBe(1);
  expect(one.claim('a', ...KIND, 1000)).toMatchObject({ episodeId: 'long', attempts: 1 });
});

test('what waits can be failed at once; what somebody holds is theirs to end', () => {
  const { one, two } = queues();
  for (const id of ['held', 'a', 'b']) one.wish(wish(id));
  one.claim('a', ...KIND, 1000, 'held');
  const why = { reason: 'unauthorized', message: 'No.' };
  expect(two.failWaiting(...KIND, why).sort()).toEqual(['a', 'b']);
  expect(two.stateOf('a', ...KIND)).toEqual({ state: 'failed', done: 0, ...why });
  expect(two.stateOf('held', ...KIND)?.state).toBe('scoring');
  expect(two.waiting(...KIND)).toBe(1);
  expect(two.waiting('another', KIND[1])).toBe(0);
});

test('under another scorer or other options what has scores is stale and comes after what has none', () => {
  const { one } = queues();
  for (const id of ['scored', 'waiting', 'cancelled']) one.wish(wish(id));
  const job = one.claim('a', ...KIND, 1000, 'scored');
  if (job) one.finish('a', job, 'one');
  one.cancel('cancelled');
  expect(one.adopt(KIND[0], 'other')).toBe(2);
  expect(one.adopt(KIND[0], 'other')).toBe(0);
  expect(one.stateOf('scored', KIND[0], 'other')?.state).toBe('stale');
  expect(one.stateOf('waiting', KIND[0], 'other')?.state).toBe('queued');
  expect(one.stateOf('cancelled', KIND[0], 'other')).toBeNull();
  expect(one.stateOf('scored', ...KIND)?.state).toBe('scored');
  one.wish({ ...wish('new'), optionsKey: 'other' });
  const taken = ['a', 'b', 'c'].map((owner) => one.claim(owner, KIND[0], 'other', 1000)?.episodeId);
  expect(taken).toEqual(['new', 'waiting', 'scored']);
});

test('a scorer that became another one outdates what it scored before, once', () => {
  const { one } = queues();
  one.wish(wish('e'));
  const job = one.claim('a', ...KIND, 1000);
  if (job) one.finish('a', job, 'revision 1');
  expect(one.outdate(...KIND, 'revision 1')).toBe(0);
  expect(one.outdate(...KIND, 'revision 2')).toBe(1);
  expect(one.outdate(...KIND, 'revision 2')).toBe(0);
  expect(one.stateOf('e', ...KIND)?.state).toBe('stale');
  const again = one.claim('a', ...KIND, 1000);
  if (again) one.finish('a', again, 'revision 2');
  expect(one.jobs()).toMatchObject([{ episodeId: 'e', state: 'scored', wanted: 2, done: 2, dueIn: null }]);
});
