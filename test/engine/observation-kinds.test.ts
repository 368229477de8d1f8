import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningEngine } from '../../src/app/engine-process.ts';
import { DEFAULT_SCORE_OPTIONS } from '../../src/app/score.ts';
import { scoreStore } from '../../src/app/score-store.ts';
import { openEngineBackend } from '../../src/backends/engine.ts';
import { observationKinds, type ObservationKind } from '../../src/core/observation.ts';
import { reduce } from '../../src/core/reduce.ts';
import type { ScoredTurn } from '../../src/core/scored-episode.ts';
import { openJournal, type Journal } from '../../src/store/journal.ts';
import { temporaryStore } from '../store/temporary-store.ts';
import { startToy } from './model.ts';
import { generationOf, started } from '../core/event-arbitrary.ts';

let engine: RunningEngine;
let journal: Journal;
beforeAll(async () => {
  engine = await startToy();
  journal = openJournal(temporaryStore());
});
afterAll(async () => {
  journal.close();
  await engine.close();
});

const TEXTS: Readonly<Record<ObservationKind, string>> = {
  typed: 'skip them, please',
  option: 'round down',
  edited_option: '3 decimals, or 2',
  skipped: 'no preference at all',
  rejected: 'That is not right: use the absolute value.',
  edit: 'I changed a line: r = round(r, 2)',
  tool: 'lint: 2 warnings in line 3',
  test: 'solve([]) raised ValueError; None was expected',
};

const untold = { prompt_ids: null, ids: null, logprobs: null, logprobs_mode: null } as const;
const generation = (text: string) => generationOf(text, { ...untold, model: 'toy', server: 'engine' });

/** A proposal, what came back of these kinds, and the next action, as the editor journals them; the first turn scored. */
async function scored(kinds: readonly ObservationKind[]): Promise<ScoredTurn> {
  const id = kinds.join(' ');
  const answer = 'Done.\nI WANT TO ANSWER:\ndef solve(xs):\n    return sum(xs)\n';
  const code = 'def solve(xs):\n    return sum(xs)\n';
  journal.append(id, [
    { ...started, max_turns: 5 },
    { type: 'request_accepted', text: 'Add up a list of numbers. Handle missing values.' },
    { type: 'action_started', turn: 0, pid: 1 },
    { type: 'action_answered', turn: 0, message: 'Done.', code, generation: generation(answer) },
    ...kinds.map((kind) => ({
      ...({ type: 'observed', turn: 0, kind, text: TEXTS[kind] } as const),
      ...{ options_shown: [], option: null, latency_ms: null },
    })),
    { type: 'action_started', turn: 1, pid: 1 },
    {
      ...({ type: 'action_asked', turn: 1, question: 'What about missing values?', options: [] } as const),
      generation: generation('OK, missing values: skip them. What about negative values?'),
    },
  ]);
  const backend = openEngineBackend(engine);
  const scoredOf = await scoreStore({
    journal,
    backend,
    options: DEFAULT_SCORE_OPTIONS,
    wanted: (one) => one.id === id,
  });
  const turn = scoredOf(reduce(journal.read(id)))?.turns[0];
  return turn ?? expect.fail(`${id} was not scored`);
}

const total = (values: readonly number[] | null | undefined): number => (values ?? []).reduce((sum, x) => sum + x, 0);

test.each(observationKinds)('%s is scored like a reply', async (kind) => {
  const { gain, gain_sum, null_reason, obs_gains } = await scored([kind]);
  expect(null_reason).toBeNull();
  expect(Math.abs(gain ?? 0)).toBeGreaterThan(1e-6);
  expect(obs_gains).toEqual([{ gain, gain_sum, null_reason: null, logp_masked: null }]);
});

test('all kinds after one action: one gain of all together, and one of each with the others left as they are', async () => {
  const turn = await scored(observationKinds);
  const gains = turn.obs_gains ?? [];
  expect(gains.map(({ null_reason }) => null_reason)).toEqual(observationKinds.map(() => null));
  expect(new Set([turn.gain, ...gains.map(({ gain }) => gain)]).size).toBe(observationKinds.length + 1);
  expect(turn.gain_sum).toBeCloseTo(total(turn.logp_factual) - total(turn.logp_masked), 6);
  for (const { gain, gain_sum, logp_masked } of gains) {
    expect(logp_masked).toHaveLength(turn.logp_factual?.length ?? 0);
    expect(gain_sum).toBeCloseTo(total(turn.logp_factual) - total(logp_masked), 6);
    expect(gain).toBeCloseTo((gain_sum ?? NaN) / (logp_masked?.length ?? NaN), 9);
  }
});
