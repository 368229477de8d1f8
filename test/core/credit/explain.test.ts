import { expect, test } from 'vitest';
import { explainLedger } from '../../../src/core/credit/explain.ts';
import { baselineNames } from '../../../src/core/credit/baselines.ts';
import type { CreditEpisode, Ledger } from '../../../src/core/credit/ledger.ts';
import type { CreditChoices } from '../../../src/core/credit/options.ts';
import { credit, episode, SIX } from './batches.ts';
import { evaluate } from './evaluate.ts';

const choices: readonly CreditChoices[] = [
  {},
  { preset: 'infopo_repo' },
  { preset: 'tau2', pool: 'batch', sigma_floor: 0.2 },
  { pool_by: 'index', min_batch: 4 },
  { gate_on: 'info', gate_form: 'exp' },
  { norm: 'none', gate_form: 'none' },
  { norm: 'token', singleton: 'none', placebo_mean: 0.05, placebo_sd: 0.1 },
];

const lone = episode('G', 'alone', null, [
  [5, 3],
  [6, 0],
  [30, null],
]);

const rich: CreditEpisode = {
  ...episode('H', 'rich', 0.25, [
    [5, 0.5],
    [6, 0.25],
    [30, null],
  ]),
  group_rule: 'branch',
};
const RICH: CreditEpisode = {
  ...rich,
  turns: rich.turns.map((turn, t) => ({
    ...turn,
    reward: [0.5, 0, 1][t],
    reference: t === 1 ? { before: -1.5, after: -0.25 } : null,
    kl_support: t === 0 ? 3.5 : undefined,
    obs_gains:
      t === 0
        ? [
            { gain: 0.125, null_reason: null },
            { gain: null, null_reason: 'empty_reply' },
          ]
        : undefined,
  })),
};

test.each(choices)('every printed step evaluates to what it says, and to the ledger: %j', (choice) => {
  for (const ledger of Object.values(credit([...SIX, lone, RICH], choice))) {
    const values = new Map<string, number>();
    for (const line of explainLedger(ledger)) {
      const parts = line.split(' = ');
      if (parts.length === 1) continue;
      const value = Number(parts.at(-1));
      const numbers = parts.at(-2) ?? '';
      if (parts.length > 2) expect(evaluate(numbers), line).toBe(value);
      // What a rescaled column was made of is arithmetic alone; the ledger has no such column.
      if (!line.startsWith('c_')) values.set(parts[0] ?? '', value);
    }
    expect(values).toEqual(expectedValues(ledger));
  }
});

test('what is unknown is said in words', () => {
  expect(explainLedger(only(credit([lone])))).toEqual(
    expect.arrayContaining([
      'z is null: the outcome is unknown.',
      'a_int[0] is null: pool too small.',
      'gain[2] is null: no next action.',
      'A[2] is null: neither z nor a_int is known, and the turn is not trained on.',
    ]),
  );
});

test('the evaluator refuses what is not arithmetic', () => {
  expect(evaluate('1 + 2 * -3 / (4 - 1e-6)')).toBe(1 + (2 * -3) / (4 - 1e-6));
  expect(evaluate('min(1, max(0.5 + 1e-6, 1) / exp(-0.25 / 0.5))')).toBe(1);
  expect(() => evaluate('1 + z')).toThrow();
  expect(() => evaluate('1 +')).toThrow();
  expect(() => evaluate('1 2')).toThrow();
});

function expectedValues({ outcome, z, gate, scale, turns }: Ledger): Map<string, number> {
  const pairs: (readonly [string, number | null])[] = [
    ['R', outcome],
    ['z', z],
    ['gate', gate],
    ['s', scale],
    ...turns.flatMap(({ index, gain, a_int, advantage }) => [
      [`gain[${index}]`, gain] as const,
      [`a_int[${index}]`, a_int] as const,
      [`A[${index}]`, advantage] as const,
    ]),
    ...turns.flatMap(({ index, baselines }) =>
      baselineNames.map((name) => [`${name}[${index}]`, baselines[name]] as const),
    ),
    ...turns.flatMap(({ index, kl_support, obs_gains = [] }) => [
      [`support[${index}]`, kl_support ?? null] as const,
      ...(obs_gains.length < 2 ? [] : obs_gains).map(
        ({ gain }, k) => [`gain[${index}] of observation ${k} alone`, gain] as const,
      ),
    ]),
  ];
  return new Map(pairs.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])));
}

function only(ledgers: Readonly<Record<string, Ledger>>): Ledger {
  const [ledger] = Object.values(ledgers);
  if (ledger === undefined) throw new Error('no ledger');
  return ledger;
}
