import { expect, test } from 'vitest';
import { creditBatch } from '../../../src/core/credit/credit.ts';
import { resolveCreditOptions } from '../../../src/core/credit/options.ts';
import { checkRow, parseRow } from '../../../src/core/dataset/check-row.ts';
import { exportedCredit, exportedOutcome } from '../../../src/core/dataset/export-episode.ts';
import { datasetRow } from '../../../src/core/dataset/row.ts';
import type { DatasetRow } from '../../../src/core/dataset/schema.ts';
import { turnRows } from '../../../src/core/dataset/turn-rows.ts';
import type { EpisodeState, TurnState } from '../../../src/core/episode-state.ts';
import type { ScoredEpisode } from '../../../src/core/scored-episode.ts';
import { sampleState } from '../../app/export-fixture.ts';
import { actionIds, promptIds, sampleScores, type SampleSpec } from './sample.ts';

const base: SampleSpec = { id: 'one', questions: 2, passed: 3 };
const other: SampleSpec = { id: 'two', questions: 2, passed: 1, seed: 5 };

/** The row of `state` beside one other episode, checked against the invariants. */
function rowOf(state: EpisodeState, scored: ScoredEpisode | null): DatasetRow {
  const beside = sampleState(other);
  const batch = [{ state: beside, scored: sampleScores(beside, other) }, ...(scored ? [{ state, scored }] : [])];
  const ledgers = creditBatch(
    batch.map((member) => exportedCredit(member.state, member.scored)),
    resolveCreditOptions(),
  );
  const episode = {
    state,
    consent: { scope: 'simulated', granted_at: null },
    person: null,
    weight: 1,
    split: 'train',
    index: 0,
  } as const;
  const row = datasetRow(episode, scored, scored ? (ledgers[1] ?? null) : null);
  expect(parseRow(row).breaches).toEqual([]);
  expect(checkRow(row)).toEqual([]);
  return row;
}

function withTurn(state: EpisodeState, index: number, change: Partial<TurnState>): EpisodeState {
  return { ...state, turns: state.turns.map((turn) => (turn.index === index ? { ...turn, ...change } : turn)) };
}

test('the ids of the policy are shipped as its server told them, with its log-probs', () => {
  const state = sampleState(base);
  const row = rowOf(state, sampleScores(state, base));
  const last = state.turns[2]?.generation;
  expect(row.token_source).toBe('policy');
  expect(row.input_ids).toEqual([...(last?.prompt_ids ?? []), ...(last?.ids ?? [])]);
  state.turns.forEach(({ generation }, index) => {
    const { action_start, action_end } = row.turns[index] ?? {};
    expect(row.input_ids?.slice(action_start ?? 0, action_end ?? 0)).toEqual(generation?.ids);
    expect(row.behavior_logprobs?.slice(action_start ?? 0, action_end ?? 0)).toEqual(
      generation?.logprobs?.map(Math.fround),
    );
  });
  expect(row.sampling).toEqual({ temperature: 1, top_p: 1, top_k: null, seed: null });
  expect(row.prompt).toEqual([{ role: 'user', content: 'please write function one' }]);
});

test('the observation span holds the reply and nothing else', () => {
  const state = sampleState(base);
  const row = rowOf(state, sampleScores(state, base));
  const { obs_start, obs_end } = row.turns[0] ?? {};
  const reply = state.messages[2]?.content ?? '';
  const [, , ...words] = promptIds([{ role: 'user', content: reply }]).slice(0, -3);
  expect(row.input_ids?.slice(obs_start ?? 0, obs_end ?? 0)).toEqual(words);
});

test("without the server's ids the scorer's are shipped and say so", () => {
  const spec = { ...base, recorded: false };
  const state = sampleState(spec);
  const row = rowOf(state, sampleScores(state, spec));
  expect(row.token_source).toBe('scorer');
  expect(row.behavior_logprobs).toBeNull();
  expect(row.behavior_logprobs_mode).toBeNull();
  expect(row.input_ids?.length).toBe(
    promptIds(state.messages.slice(0, 5)).length + actionIds(state.messages[5]?.content ?? '').length,
  );
});

test('ids of another tokenizer than the scorer count in the tokens, and take no spans from it', () => {
  const state = sampleState(base);
  const scored = sampleScores(state, base);
  const doubled = {
    ...scored,
    contexts: scored.contexts?.map((ids) => ids.flatMap((id) => [id, id])),
    turns: scored.turns.map((turn) => ({ ...turn, action_start: 2 * (turn.action_start ?? 0), tokens: 99 })),
  };
  const row = rowOf(state, doubled);
  expect(row.turns.map((turn) => turn.action_tokens)).toEqual(state.turns.map(({ ids }) => ids?.length));
  expect(row.turns.map((turn) => turn.obs_start)).toEqual([null, null, null]);
  expect(row.turns[0]?.info_gain).toBe(scored.turns[0]?.gain);
});

test('a template that rewrites history gives a segment per action, each with the ids seen at that moment', () => {
  const spec = { ...base, rewrites: true };
  const state = sampleState(spec);
  const row = rowOf(state, sampleScores(state, spec));
  expect(row.input_ids).toBeNull();
  expect(row.segments?.map(({ input_ids }) => input_ids)).toEqual(
    state.turns.map(({ generation }) => [...(generation?.prompt_ids ?? []), ...(generation?.ids ?? [])]),
  );
});

test.each([
  ['stopped', 'next_action_stopped'],
  ['edited', 'next_action_edited'],
] as const)('an action that was %s is not trained on, and the gain before it enters no pool', (how, flag) => {
  const state = withTurn(sampleState(base), 1, { state: how });
  const row = rowOf(state, sampleScores(state, base));
  const [before, at] = row.turns;
  expect(at).toMatchObject({ action_state: how, action_tokens: 0 });
  expect(row.loss_mask?.slice(at?.action_start ?? 0, at?.action_end ?? 0)).not.toContain(1);
  expect(before?.flags).toEqual([flag]);
  expect(exportedCredit(state, sampleScores(state, base)).turns[0]?.pooled).toBe(false);
});

test('inherited turns are context: no loss, no pool, no row of their own', () => {
  const state = {
    ...withTurn(sampleState(base), 0, { state: 'inherited', generation: null }),
    parent: { episode_id: 'p', turn: 1 },
  };
  const row = rowOf(state, sampleScores(state, base));
  expect(row.turns[0]).toMatchObject({ inherited: true, action_tokens: 0, action_start: null });
  expect(row.loss_mask?.slice(0, row.turns[1]?.action_start ?? 0)).not.toContain(1);
  expect(turnRows(row).map(({ turn_index }) => turn_index)).toEqual([1, 2]);
  expect([row.parent_episode_id, row.fork_turn]).toEqual(['p', 1]);
});

test('what is unknown is null with its reason', () => {
  const spec: SampleSpec = { ...base, passed: null, unknown: { 0: 'too_long' } };
  const state = sampleState(spec);
  const row = rowOf(state, sampleScores(state, spec));
  expect(row.outcome_reward).toBeNull();
  expect(row.outcome_detail.kind).toBe('unknown');
  expect(row.turns.map(({ info_gain, null_reason }) => [info_gain === null, null_reason])).toEqual([
    [true, 'too_long'],
    [false, 'pool_too_small'],
    [true, 'no_next_action'],
  ]);
  const unscored = rowOf(sampleState(base), null);
  expect(unscored.fusion).toBeNull();
  expect(unscored.turns.every((turn) => turn.fused_adv === null && turn.null_reason === 'not_scored_yet')).toBe(true);
  expect(unscored.loss_mask).not.toContain(1);
});

test('half a surrogate pair becomes the replacement character, since UTF-8 cannot hold it', () => {
  const spec = { ...base, reply: () => 'a \ud83d b' };
  const state = sampleState(spec);
  expect(rowOf(state, sampleScores(state, spec)).messages[2]?.content).toBe('a \ufffd b');
});

test.each<[string, Partial<TurnState>, Partial<EpisodeState>, number | null, string]>([
  ['tests before all', { tests: { passed: 1, total: 4 }, decision: 'accepted' }, { episodeThumb: 0 }, 0.25, 'tests'],
  ['then the thumb', { tests: null, decision: 'rejected' }, { episodeThumb: 1 }, 1, 'rating'],
  ['then the decision', { tests: null, decision: 'rejected' }, {}, 0, 'acceptance'],
  ['of an accepted proposal what stands', { tests: null, decision: 'accepted', survival: 0.5 }, {}, 0.5, 'acceptance'],
  ['nothing', { tests: null }, {}, null, 'unknown'],
  ['an import says it all', { tests: null }, { givenOutcome: 0.75 }, 0.75, 'given'],
])('the outcome: %s', (_, proposal, episode, value, kind) => {
  const state = { ...withTurn(sampleState(base), 2, proposal), ...episode };
  expect(exportedOutcome(state)).toMatchObject({ value, detail: { kind } });
  expect(rowOf(state, sampleScores(state, base)).outcome_reward).toBe(value);
});
