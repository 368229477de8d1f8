import { describe, expect, test } from 'vitest';
import { creditEpisodeOf } from '../../../src/core/credit/from-score.ts';
import type { CreditEpisode } from '../../../src/core/credit/ledger.ts';
import { PRESETS, resolveCreditOptions, type CreditChoices } from '../../../src/core/credit/options.ts';
import { outcomeOf, type OutcomeEvidence } from '../../../src/core/credit/outcome.ts';
import { momentsOf } from '../../../src/core/credit/sample-statistics.ts';
import { informationScale, type ScaledEpisode } from '../../../src/core/credit/scale.ts';
import { credit, episode } from './batches.ts';

describe('S2 outcome', () => {
  const nothing: OutcomeEvidence = { tests: null, thumb: null, decision: null };
  test.each([
    { name: 'nothing known', evidence: nothing, kind: 'combined', value: null, decidedBy: null },
    { name: 'no test run', evidence: { ...nothing, tests: { passed: 0, total: 0 } }, kind: 'tests', value: null },
    { name: 'all failed is 0, not unknown', evidence: { ...nothing, tests: { passed: 0, total: 4 } }, value: 0 },
    { name: 'some passed', evidence: { ...nothing, tests: { passed: 3, total: 4 } }, value: 0.75, decidedBy: 'tests' },
    { name: 'a thumb', evidence: { ...nothing, thumb: 0 as const }, value: 0, decidedBy: 'rating' },
    { name: 'accepted', evidence: { ...nothing, decision: { kind: 'accepted' as const } }, value: 1 },
    { name: 'rejected', evidence: { ...nothing, decision: { kind: 'rejected' as const } }, value: 0 },
    {
      name: 'edited after the accept',
      evidence: { ...nothing, decision: { kind: 'accepted_then_edited' as const, survival: 0.4 } },
      value: 0.4,
      decidedBy: 'acceptance',
    },
    {
      name: 'a proposal that added no line',
      evidence: { ...nothing, decision: { kind: 'accepted_then_edited' as const, survival: null } },
      value: null,
    },
    {
      name: 'tests before thumb before acceptance',
      evidence: { tests: { passed: 1, total: 2 }, thumb: 1 as const, decision: { kind: 'rejected' as const } },
      value: 0.5,
      decidedBy: 'tests',
    },
    {
      name: 'thumb before acceptance',
      evidence: { tests: null, thumb: 1 as const, decision: { kind: 'rejected' as const } },
      value: 1,
      decidedBy: 'rating',
    },
    { name: 'only what was asked for', evidence: { ...nothing, thumb: 1 as const }, kind: 'tests', value: null },
  ] as const)('$name', ({ evidence, value, ...more }) => {
    const outcome = outcomeOf(evidence, 'kind' in more ? more.kind : 'combined');
    expect(outcome.value).toBe(value);
    if ('decidedBy' in more) expect(outcome.decidedBy).toBe(more.decidedBy);
  });
});

describe('S3 lone outcomes', () => {
  const turns = [[1, null]] as const;
  test.each([
    { name: 'unknown stays unknown', outcomes: [null, 1, 0], z: null, level: 'none' },
    { name: 'no other outcome is known', outcomes: [1, null, null], z: null, level: 'none' },
    { name: 'against all the others', outcomes: [1, 0, 0.5], z: 0.75 / (0.5 + 1e-6), level: 'batch' },
    { name: 'all equal', outcomes: [0.1, 0.1, 0.1], z: 0, level: 'batch' },
    { name: 'policy none', outcomes: [1, 0], singleton: 'none', z: null, level: 'none' },
    { name: 'policy reference', outcomes: [0.8], singleton: 'reference', z: 0.8 / (1 + 1e-6), level: 'reference' },
  ] as const)('$name', ({ outcomes, z, level, ...more }) => {
    const episodes = outcomes.map((outcome, n) => episode(`e${n}`, `g${n}`, outcome, turns));
    const ledger = credit(episodes, more)['e0'];
    expect(ledger?.outcome_level).toBe(level);
    if (z === null) expect(ledger?.z).toBeNull();
    else expect(ledger?.z).toBeCloseTo(z, 12);
  });

  test('an unknown outcome in a known group borrows nothing from it', () => {
    const ledger = credit([episode('a', 'g', 1, turns), episode('b', 'g', 0, turns), episode('c', 'g', null, turns)])[
      'c'
    ];
    expect(ledger).toMatchObject({ z: null, outcome_level: 'none', group_n: 2, group_mean: 0.5 });
    expect(ledger?.turns[0]?.advantage).toBeNull();
  });
});

describe('S4 pools', () => {
  const gains = (id: string, ...values: (number | null)[]): CreditEpisode =>
    episode(
      id,
      id.slice(0, 1),
      null,
      values.map((gain) => [2, gain] as const),
    );
  const level = (episodes: readonly CreditEpisode[], choices: CreditChoices = {}): unknown =>
    Object.values(credit(episodes, choices))[0]?.info_level;

  test.each([
    { name: 'one episode of two turns is no group', episodes: [gains('a1', 1, 2)], expected: 'none' },
    {
      name: 'a second episode without a gain does not help',
      episodes: [gains('a1', 1, 2), gains('a2', null)],
      expected: 'none',
    },
    { name: 'two episodes with a gain each', episodes: [gains('a1', 1), gains('a2', 2)], expected: 'group' },
    {
      name: 'eight turns from two episodes',
      episodes: [gains('a1', 1, 2, 3, 4), gains('b1', 1, 2, 3, 4)],
      expected: 'none',
    },
    {
      name: 'eight turns from three',
      episodes: [gains('a1', 1, 2, 3), gains('b1', 1, 2, 3), gains('c1', 1, 2)],
      expected: 'batch',
    },
    {
      name: 'seven turns from three',
      episodes: [gains('a1', 1, 2, 3), gains('b1', 1, 2, 3), gains('c1', 1)],
      expected: 'none',
    },
    {
      name: 'seven turns of two tokens each: rungs count turns, also under token norm',
      episodes: [gains('a1', 1, 2, 3), gains('b1', 1, 2, 3), gains('c1', 1)],
      choices: { norm: 'token' as const },
      expected: 'none',
    },
    {
      name: 'calibrated',
      episodes: [gains('a1', 1)],
      choices: { placebo_mean: 0, placebo_sd: 1 },
      expected: 'calibrated',
    },
    {
      name: 'placebo gains without spread calibrate nothing',
      episodes: [gains('a1', 1)],
      choices: { placebo_mean: 0, placebo_sd: 0 },
      expected: 'none',
    },
    {
      name: 'a fixed pool does not climb',
      episodes: [gains('a1', 1)],
      choices: { pool: 'group' as const, placebo_mean: 0, placebo_sd: 1 },
      expected: 'group',
    },
  ])('$name', ({ episodes, choices = {}, expected }) => {
    expect(level(episodes, choices)).toBe(expected);
  });

  test('a fixed pool of one sample gives 0', () => {
    expect(credit([gains('a1', 3)], { pool: 'group' })['a1']?.turns[0]?.a_int).toBe(0);
  });

  test('an action without loss tokens weighs nothing under token norm, and as much as any under turn norm', () => {
    const episodes = [
      episode('a', 'g', null, [
        [0, 5],
        [2, 1],
      ]),
      episode('b', 'g', null, [[2, 3]]),
    ];
    const byToken = credit(episodes, { norm: 'token', pool: 'group' });
    expect(byToken['a']?.turns[0]).toMatchObject({ a_int: null, null_reason: 'unsupported' });
    expect(byToken['a']).toMatchObject({ info_n: 4, info_mean: 1 });
    expect(credit(episodes)['a']).toMatchObject({ info_n: 3, info_mean: 3 });
  });

  test('reference parity: exact zeros leave the statistics and get 0', () => {
    const episodes = [gains('a1', 0, 2), gains('a2', 4)];
    const ledger = credit(episodes, { preset: 'infopo_repo' })['a1'];
    expect(ledger).toMatchObject({ info_n: 4, info_mean: 1.5 });
    expect(ledger?.turns[0]).toMatchObject({ a_int: 0, null_reason: null });
    expect(credit(episodes, { norm: 'token', pool: 'group' })['a1']).toMatchObject({ info_n: 6, info_mean: 1 });
  });

  describe('a gain whose next action was stopped or edited', () => {
    const kept = (episodes: readonly CreditEpisode[]): CreditEpisode[] =>
      episodes.map((one) => ({ ...one, turns: one.turns.map((turn) => ({ ...turn, pooled: turn.gain !== 9 })) }));

    test('stays out of the pool and is measured against it', () => {
      const ledgers = credit(kept([gains('a1', 1, 9), gains('a2', 3)]));
      expect(ledgers['a1']).toMatchObject({ info_level: 'group', info_n: 2, info_mean: 2 });
      expect(ledgers['a1']?.turns[1]?.a_int).toBeCloseTo((9 - 2) / (Math.SQRT2 + 1e-6), 9);
      expect(ledgers['a1']?.turns[1]?.pooled).toBe(false);
    });

    test('is not measured against a pool without spread', () => {
      for (const episodes of [
        [gains('a1', 1, 9), gains('a2', 1)],
        [gains('a1', 1), gains('a2', 9)],
      ]) {
        const turns = Object.values(credit(kept(episodes), { pool: 'group' })).flatMap((ledger) => ledger.turns);
        expect(turns.map(({ gain, a_int, null_reason }) => [gain, a_int, null_reason])).toEqual(
          turns.map(({ gain }) => (gain === 9 ? [9, null, 'pool_too_small'] : [1, 0, null])),
        );
      }
    });

    test('fills no rung', () => {
      expect(credit(kept([gains('a1', 1), gains('a2', 9)]))['a1']?.info_level).toBe('none');
    });
  });

  test('from scores: flags and inherited turns decide who enters a pool', () => {
    const turn = { index: 0, tokens: 2, gain: 1, null_reason: null };
    const { turns } = creditEpisodeOf({
      episode_id: 'a',
      group_id: 'g',
      outcome: null,
      turns: [
        turn,
        { ...turn, index: 1, flags: ['placeholder_unfit'] },
        { ...turn, index: 2, flags: ['next_action_stopped'] },
        { ...turn, index: 3, flags: ['next_action_edited'] },
        { ...turn, index: 4, tokens: 0, action_state: 'inherited' },
        { ...turn, index: 5, tokens: 0, action_state: 'excluded' },
        { ...turn, index: 6, gain: null },
      ],
    });
    expect(turns.map(({ pooled }) => pooled)).toEqual([true, true, false, false, false, true, true]);
    expect(turns[6]?.null_reason).toBe('not_scored_yet');
  });
});

describe('S5 which spread', () => {
  const one = [[1, null]] as const;
  const gateSdOf = (episodes: readonly CreditEpisode[], choices: CreditChoices = {}): number | undefined =>
    Object.values(credit(episodes, choices))[0]?.gate_sd;

  test('the group, else the batch, else none at all', () => {
    expect(gateSdOf([episode('a', 'g', 1, one), episode('b', 'g', 0, one)])).toBeCloseTo(Math.SQRT1_2, 12);
    expect(gateSdOf([episode('a', 'g', 1, one), episode('b', 'h', 0, one)])).toBeCloseTo(Math.SQRT1_2, 12);
    expect(gateSdOf([episode('a', 'g', 1, one)])).toBe(0);
    expect(gateSdOf([episode('a', 'g', 1, one)], { singleton: 'reference' })).toBe(1);
    expect(gateSdOf([episode('a', 'g', 1, one)], { singleton: 'reference', gate_on: 'info' })).toBe(0);
  });
});

describe('S6 cap', () => {
  const pair = (z: number, aInt: number): ScaledEpisode[] => [
    { z, turns: [{ tokens: 1, aInt }] },
    { z: -z, turns: [{ tokens: 1, aInt: -aInt }] },
  ];
  test.each([
    { name: 'information as wide as the outcomes', episodes: pair(3, 3), scale: 1 },
    { name: 'wide outcomes allow wide information', episodes: pair(3, 10), scale: 0.3 },
    { name: 'narrow outcomes count as 1', episodes: pair(0.1, 10), scale: 1 / Math.sqrt(200) },
    { name: 'one token has no spread', episodes: pair(3, 1e6).slice(1), scale: 1 },
    { name: 'no loss token at all', episodes: [{ z: 1, turns: [{ tokens: 0, aInt: 9 }] }], scale: 1 },
  ])('$name', ({ episodes, scale }) => {
    expect(informationScale(episodes).scale).toBeCloseTo(scale, 5);
  });
});

describe('options', () => {
  test('presets set defaults, a choice that changes one says custom', () => {
    expect(resolveCreditOptions()).toMatchObject({ preset: 'colbench', beta: 0.3, gate_temperature: 0.5 });
    expect(resolveCreditOptions({ preset: 'usergym' })).toMatchObject({ beta: 0.5, gate_temperature: 0.5 });
    expect(resolveCreditOptions({ preset: 'tau2' })).toMatchObject({ beta: 0.1, gate_temperature: 0.05 });
    expect(resolveCreditOptions({ beta: 0.3, norm: 'turn' }).preset).toBe('colbench');
    expect(resolveCreditOptions({ beta: 0.2 })).toMatchObject({ preset: 'custom', beta: 0.2 });
    expect(resolveCreditOptions({ sigma_floor: 0.1 })).toMatchObject({ preset: 'custom', sigma_floor: 0.1 });
  });

  test('reference parity takes beta and T, and no floor from a calibrated scorer', () => {
    const measured = { mean: 0.1, sd: 0.2 };
    expect(resolveCreditOptions({ preset: 'infopo_repo' }, measured)).toMatchObject({
      preset: 'infopo_repo',
      sigma_floor: 0,
      ...PRESETS.infopo_repo,
    });
    expect(resolveCreditOptions({ preset: 'infopo_repo', beta: 0.5, gate_temperature: 1 })).toMatchObject({
      beta: 0.5,
      gate_temperature: 1,
      drop_zero_gains: true,
    });
  });

  test('placebo figures: said, else measured; their sd is the default floor', () => {
    const measured = { mean: 0.1, sd: 0.2 };
    expect(resolveCreditOptions({}, measured)).toMatchObject({
      preset: 'colbench',
      placebo_mean: 0.1,
      placebo_sd: 0.2,
      sigma_floor: 0.2,
    });
    expect(resolveCreditOptions({ placebo_sd: 0.4 }, measured)).toMatchObject({ placebo_mean: 0.1, sigma_floor: 0.4 });
    expect(resolveCreditOptions({ sigma_floor: 0 }, measured)).toMatchObject({ preset: 'custom', sigma_floor: 0 });
  });
});

test('moments: exact for equal values, sd unknown for fewer than two', () => {
  expect(momentsOf([])).toEqual({ n: 0, mean: null, sd: null });
  expect(momentsOf([{ value: 0.1, weight: 1 }])).toEqual({ n: 1, mean: 0.1, sd: null });
  expect(momentsOf([{ value: 0.1, weight: 0 }])).toEqual({ n: 0, mean: null, sd: null });
  expect(momentsOf(Array.from({ length: 7 }, () => ({ value: 0.1, weight: 3 })))).toEqual({ n: 21, mean: 0.1, sd: 0 });
});
