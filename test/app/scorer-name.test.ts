import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { scorerName } from '../../src/app/scorer-name.ts';
import { ScoringWorker } from '../../src/app/scoring-worker.ts';
import { DEFAULT_SCORE_OPTIONS } from '../../src/app/score.ts';
import { reduce } from '../../src/core/reduce.ts';
import { openJournal } from '../../src/store/journal.ts';
import { generationOf, started } from '../core/event-arbitrary.ts';
import { temporaryStore } from '../store/temporary-store.ts';
import { eventually } from '../eventually.ts';
import { letterBackend } from './letter-backend.ts';

const vllm = { kind: 'vllm', url: 'http://host:8000', model: 'qwen' };

test('who asks one server for one model through one tokenizer gives one name', () => {
  expect(scorerName({ ...vllm, url: 'http://host:8000//' })).toBe(scorerName(vllm));
  expect(scorerName({ ...vllm, tokenizer: 'models/qwen/' })).toBe(
    scorerName({ ...vllm, tokenizer: resolve('models/qwen') }),
  );
});

test('another tokenizer is another scorer; without one the name is that of older stores', () => {
  const names = [undefined, 'models/qwen', 'models/other', 'hf:qwen/qwen', 'hf:qwen/other'].map((tokenizer) =>
    scorerName({ ...vllm, tokenizer }),
  );
  expect(new Set(names).size).toBe(5);
  expect(names[0]).toBe('vllm:http://host:8000:qwen');
  expect([null, ''].map((tokenizer) => scorerName({ ...vllm, tokenizer }))).toEqual([names[0], names[0]]);
  // A reference is no path: it is the same from every folder.
  expect(names[3]).toBe('vllm:http://host:8000:qwen tokenizer hf:qwen/qwen');
  expect(scorerName({ kind: 'engine', model: '' })).toBe('engine:');
});

test('two profiles that differ in the tokenizer alone: scores of one are stale under the other', async () => {
  const journal = openJournal(temporaryStore());
  journal.append('e', [
    { ...started, max_turns: 9 },
    { type: 'request_accepted', text: 'Convert it.' },
    ...[0, 1].flatMap((turn) => {
      const generation = generationOf(`Question ${turn}?`, { ids: null, logprobs: null });
      const asked = [
        { type: 'action_started', turn, pid: 1 },
        { type: 'action_asked', turn, question: `Question ${turn}?`, options: [], generation },
      ] as const;
      const reply = { options_shown: [], option: null, latency_ms: null, kind: 'typed', text: 'metres' } as const;
      return turn === 0 ? [...asked, { type: 'observed', turn, ...reply } as const] : asked;
    }),
  ]);
  let tokenizer = 'models/one';
  const worker = new ScoringWorker({
    journal,
    connect: () => Promise.resolve(letterBackend()),
    options: () => ({
      enabled: true,
      scorer: scorerName({ ...vllm, tokenizer }),
      remote: false,
      options: DEFAULT_SCORE_OPTIONS,
    }),
    busy: () => false,
    open: () => null,
    onChange: () => undefined,
    onError: (error) => {
      throw error;
    },
  });
  worker.wish(reduce(journal.read('e')));
  await eventually(() => {
    expect(worker.stateOf('e')?.state).toBe('scored');
  });
  journal.queue.pause();
  tokenizer = 'models/two';
  worker.kick();
  expect(worker.stateOf('e')?.state).toBe('stale');
  tokenizer = 'models/one';
  expect(worker.stateOf('e')?.state).toBe('scored');
  await worker.dispose();
  journal.close();
});
