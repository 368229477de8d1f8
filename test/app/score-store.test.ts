import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportDataset } from '../../src/app/export.ts';
import { DEFAULT_SCORE_OPTIONS } from '../../src/app/score.ts';
import { scoreKeys, scoreStore } from '../../src/app/score-store.ts';
import { verifyDataset } from '../../src/app/verify.ts';
import { TurnwiseError } from '../../src/core/error.ts';
import { reduce } from '../../src/core/reduce.ts';
import { sampleEvents } from '../core/dataset/sample.ts';
import { letterBackend, letterFacts } from './letter-backend.ts';
import { temporaryFolder } from '../store/temporary-store.ts';
import { sampleStore } from './export-fixture.ts';

const options = DEFAULT_SCORE_OPTIONS;
const wanted = (): boolean => true;

test('what is scored once is kept: a second run asks the server for nothing', async () => {
  const { journal } = sampleStore(temporaryFolder('export'));
  const first = letterBackend();
  await scoreStore({ journal, backend: first, options, wanted });
  expect(first.scored.length).toBeGreaterThan(5);
  const second = letterBackend();
  const scoredOf = await scoreStore({ journal, backend: second, options, wanted });
  expect(second.scored).toEqual([]);
  const state = reduce(journal.read('a1'));
  expect(scoredOf(state)?.turns.map(({ gain }) => gain === null)).toEqual([false, false, true]);
});

test('a conversation that went on is scored again', async () => {
  const { journal } = sampleStore(temporaryFolder('export'), [{ id: 'a', questions: 1, passed: null }]);
  const scoredOf = await scoreStore({ journal, backend: letterBackend(), options, wanted });
  const [generation] = sampleEvents({ id: 'a', questions: 1, passed: null }).flatMap((event) =>
    event.type === 'action_answered' ? [event.generation] : [],
  );
  if (!generation) throw new Error('the sample has no answer');
  const observed = {
    type: 'observed',
    turn: 1,
    kind: 'rejected',
    text: 'no',
    options_shown: [],
    option: null,
    latency_ms: null,
  } as const;
  journal.append('a', [observed, { type: 'action_started', turn: 2, pid: 1 }]);
  journal.append('a', [{ type: 'action_answered', turn: 2, message: '', code: 'x', generation }]);
  expect(scoredOf(reduce(journal.read('a')))).toBeNull();
  const backend = letterBackend();
  const again = await scoreStore({ journal, backend, options, wanted });
  expect(backend.scored).toHaveLength(1);
  expect(again(reduce(journal.read('a')))?.turns).toHaveLength(3);
});

test('a failed request is not kept, and the next run tries again', async () => {
  const { journal } = sampleStore(temporaryFolder('export'), [{ id: 'a', questions: 1, passed: null }]);
  const broken = letterBackend({
    score: () => Promise.reject(new TurnwiseError('backend', 'server_failed', 'The server failed; try again.')),
  });
  const scoredOf = await scoreStore({ journal, backend: broken, options, wanted });
  const state = reduce(journal.read('a'));
  expect(scoredOf(state)?.turns[0]?.null_reason).toBe('backend_failed');
  const { scorerKey, optionsKey } = scoreKeys(letterFacts.identity, options);
  expect(journal.getScored('a', scorerKey, optionsKey)).toBeNull();
  const mended = await scoreStore({ journal, backend: letterBackend(), options, wanted });
  expect(mended(state)?.turns[0]?.gain).not.toBeNull();
});

test('only wanted episodes are sent to the server', async () => {
  const { journal } = sampleStore(temporaryFolder('export'));
  const backend = letterBackend();
  const scoredOf = await scoreStore({ journal, backend, options, wanted: ({ id }) => id === 'a1' });
  expect(backend.scored).toHaveLength(1);
  expect(scoredOf(reduce(journal.read('a2')))).toBeNull();
});

test('scores of the real planner, spans and all, make a sound dataset', async () => {
  const folder = temporaryFolder('export');
  const { journal } = sampleStore(folder);
  const scoredOf = await scoreStore({ journal, backend: letterBackend(), options, wanted });
  const summary = await exportDataset({ journal, scoredOf, out: join(folder, 'out') });
  expect(summary.batch_n).toBe(12);
  expect((await verifyDataset(join(folder, 'out'))).violations).toEqual([]);
});

test('keys differ by scorer and by option, and not by the order of keys', () => {
  const { identity } = letterFacts;
  const keys = scoreKeys(identity, options);
  expect(scoreKeys({ ...identity, revision: 'x' }, options)).not.toEqual(keys);
  expect(scoreKeys(identity, { ...options, seed: 1 })).not.toEqual(keys);
  const turned = Object.fromEntries(Object.entries(options).reverse()) as typeof options;
  expect(scoreKeys(identity, turned)).toEqual(keys);
});
