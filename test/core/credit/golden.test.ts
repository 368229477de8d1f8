import { expect, test } from 'vitest';
import { gate } from '../../../src/core/credit/gate.ts';
import type { CreditChoices } from '../../../src/core/credit/options.ts';
import type { CreditEpisode } from '../../../src/core/credit/ledger.ts';
import { credit, episode, expectColumn, SIX } from './batches.ts';

// The golden vectors of the method that need a whole batch, to 1e-5; `-` of the tables is null here.

type Column = Readonly<Record<string, readonly (number | null)[]>>;

interface Vector {
  readonly name: string;
  readonly episodes: readonly CreditEpisode[];
  readonly choices: CreditChoices;
  readonly aInt?: Column;
  readonly advantage?: Column;
  readonly gates?: Readonly<Record<string, number>>;
  readonly z?: Readonly<Record<string, number | null>>;
  readonly scale?: number;
}

const GV3D = {
  A: [1.030516, 0.96589, 0.999998],
  B: [-1.091551, -0.999998],
  C: [0.095143, 0, 0],
  D: [0.106066, 0],
  E: [-0.106066, 0],
  F: [1.174799, 1.052004, 1.113402],
};

const vectors: readonly Vector[] = [
  {
    name: 'GV3a: reference parity',
    episodes: SIX,
    choices: { preset: 'infopo_repo' },
    gates: { A: 0.268941, B: 0.268941, C: 0.268941, D: 0.5, E: 0.5, F: 0.119203 },
    scale: 1,
    aInt: {
      A: [0.42237, -0.303578, null],
      B: [-0.633555, null],
      C: [2.600214, null, null],
      D: [0.730285, null],
      E: [-1.095428, null],
      F: [0.866018, -0.866018, null],
    },
    advantage: {
      A: [1.034076, 0.975505, 0.999998],
      B: [-1.051115, -0.999998],
      C: [0.209792, 0, 0],
      D: [0.109543, 0],
      E: [-0.164314, 0],
      F: [0.830969, 0.76903, 0.799999],
    },
  },
  {
    name: 'GV3d: turns, group pool, lone outcomes against the batch',
    episodes: SIX,
    choices: { pool: 'group' },
    gates: { F: 0.289432 },
    z: { F: 1.113402 },
    advantage: GV3D,
  },
  {
    name: 'GV3e: a floor under the spread',
    episodes: SIX,
    choices: { pool: 'group', sigma_floor: 0.35 },
    advantage: { ...GV3D, D: [0.085714, 0], E: [-0.085714, 0], F: [1.163019, 1.063785, 1.113402] },
  },
  {
    name: 'GV3f: all defaults',
    episodes: SIX,
    choices: {},
    aInt: { F: [0.37941, -0.591879, null] },
    advantage: { ...GV3D, F: [1.146346, 1.062009, 1.113402] },
  },
  {
    name: 'GV3g: the spread of information gates',
    episodes: SIX,
    choices: { gate_on: 'info' },
    gates: { A: 0.245342, B: 0.245342, C: 0.245342, D: 0.362233, E: 0.362233, F: 0.30499 },
    advantage: {
      A: [1.027838, 0.968883],
      B: [-1.083517],
      C: [0.086795],
      D: [0.076841],
      E: [-0.076841],
      F: [1.148117, 1.059247],
    },
  },
  {
    name: 'GV3h: gains as they are',
    episodes: SIX,
    choices: { norm: 'none' },
    advantage: {
      A: [1.06051, 1.024203],
      B: [-1.008066],
      C: [0.096819],
      D: [0.075],
      E: [0.015],
      F: [1.1655, 1.130768],
    },
  },
  {
    name: 'GV10: the cap bites',
    episodes: [
      episode('a', 'g', 1, [
        [40, 1],
        [1, 0],
        [1, 0.01],
        [1, 0.02],
        [1, 0],
        [1, null],
      ]),
      episode('b', 'g', 0, [
        [1, 0],
        [1, 0.01],
        [1, 0.02],
        [1, 0],
        [1, 0.03],
        [1, null],
      ]),
    ],
    choices: {},
    gates: { a: 0.19557, b: 0.19557 },
    scale: 0.775008,
    advantage: {
      a: [0.836444, 0.691283, 0.692735, 0.694187, 0.691283, 0.707106],
      b: [-0.722928, -0.721477, -0.720025, -0.722928, -0.718573, -0.707106],
    },
  },
  {
    name: 'GV11: one known outcome among several',
    episodes: [
      episode('a', 'g', 1, [
        [3, 0.5],
        [2, null],
      ]),
      episode('b', 'g', null, [
        [3, 0.1],
        [2, null],
      ]),
      episode('c', 'g', null, [
        [3, 0.2],
        [2, null],
      ]),
      episode('d', 'h', 0, [
        [2, 0.4],
        [5, null],
      ]),
    ],
    choices: {},
    gates: { a: 0.19557, b: 0.19557, c: 0.19557, d: 0.19557 },
    z: { a: 1.414212, b: null, c: null, d: -1.414212 },
    aInt: { d: [null, null] },
    advantage: { a: [1.479976, 1.414212], b: [-0.046974, null], c: [-0.01879, null], d: [-1.414212, -1.414212] },
  },
  {
    name: 'GV12: one conversation alone',
    episodes: [
      episode('a', 'g', null, [
        [5, 3],
        [6, 2.9],
        [30, null],
      ]),
    ],
    choices: {},
    aInt: { a: [null, null, null] },
    advantage: { a: [null, null, null] },
  },
  {
    name: 'GV12: the same with a calibrated scorer',
    episodes: [
      episode('a', 'g', null, [
        [5, 3],
        [6, 2.9],
        [30, null],
      ]),
    ],
    choices: { placebo_mean: 0.4, placebo_sd: 0.5 },
    scale: 0.437781,
    aInt: { a: [5.19999, 4.99999, null] },
    advantage: { a: [0.341468, 0.328335, null] },
  },
  {
    name: 'GV13a: turns of one index, group pool',
    episodes: SIX,
    choices: { pool: 'group', pool_by: 'index' },
    aInt: {
      A: [0.201966, 0, null],
      B: [-1.085566, null],
      C: [0.8836, null, null],
      D: [0.707104, null],
      E: [-0.707104, null],
      F: [0, 0, null],
    },
    advantage: {
      A: [1.016293, 0.999998, 0.999998],
      B: [-1.087584, -0.999998],
      C: [0.071291, 0, 0],
      D: [0.106066, 0],
      E: [-0.106066, 0],
      F: [1.113402, 1.113402, 1.113402],
    },
  },
  {
    name: 'GV13b: turns of one index, ladder',
    episodes: SIX,
    choices: { pool_by: 'index', min_batch: 4 },
    aInt: {
      A: [0.201966, null, null],
      B: [-1.085566, null],
      C: [0.8836, null, null],
      D: [0.707104, null],
      E: [-0.707104, null],
      F: [0.197045, null, null],
    },
    advantage: {
      A: [1.016293, 0.999998, 0.999998],
      B: [-1.087584, -0.999998],
      C: [0.071291, 0, 0],
      D: [0.106066, 0],
      E: [-0.106066, 0],
      F: [1.130511, 1.113402, 1.113402],
    },
  },
];

test.each(vectors)('$name', ({ episodes, choices, aInt = {}, advantage = {}, gates = {}, z = {}, scale }) => {
  const ledgers = credit(episodes, choices);
  expectColumn(ledgers, 'a_int', aInt);
  expectColumn(ledgers, 'advantage', advantage);
  for (const [id, value] of Object.entries(gates)) expect(ledgers[id]?.gate, `gate of ${id}`).toBeCloseTo(value, 5);
  for (const [id, value] of Object.entries(z)) {
    if (value === null) expect(ledgers[id]?.z, `z of ${id}`).toBeNull();
    else expect(ledgers[id]?.z, `z of ${id}`).toBeCloseTo(value, 5);
  }
  if (scale !== undefined) expect(Object.values(ledgers)[0]?.scale).toBeCloseTo(scale, 5);
});

test('levels and reasons say what a number was measured against', () => {
  const defaults = credit(SIX);
  expect(defaults['A']).toMatchObject({ outcome_level: 'group', info_level: 'group', info_n: 4, group_n: 3 });
  expect(defaults['F']).toMatchObject({ outcome_level: 'batch', info_level: 'batch', info_n: 8, group_n: 1 });
  expect(defaults['F']?.turns[2]).toMatchObject({ gain: null, a_int: null, null_reason: 'no_next_action' });
  const byIndex = credit(SIX, { pool_by: 'index', min_batch: 4 });
  expect(byIndex['F']).toMatchObject({ info_level: null, info_n: null });
  expect(byIndex['F']?.turns.map((turn) => [turn.info_level, turn.info_n, turn.null_reason])).toEqual([
    ['batch', 6, null],
    ['none', null, 'pool_too_small'],
    ['none', null, 'no_next_action'],
  ]);
});

// GV4.
test.each([
  { sd: 0, at05: 0.5, at5: 0.5 },
  { sd: 0.1, at05: 0.119202922, at5: 0.450166003 },
  { sd: 0.25, at05: 0.00669285092, at5: 0.377540669 },
  { sd: 0.5, at05: 4.53978687e-5, at5: 0.268941421 },
])('GV4: the gate at sd $sd', ({ sd, at05, at5 }) => {
  expect(gate(sd, { gate_form: 'sigmoid', gate_temperature: 0.05 })).toBeCloseTo(at05, 9);
  expect(gate(sd, { gate_form: 'sigmoid', gate_temperature: 0.5 })).toBeCloseTo(at5, 9);
});

test('the other gate forms', () => {
  expect(gate(0.25, { gate_form: 'exp', gate_temperature: 0.5 })).toBeCloseTo(Math.exp(-0.5), 12);
  expect(gate(0.25, { gate_form: 'none', gate_temperature: 0.5 })).toBe(1);
});
