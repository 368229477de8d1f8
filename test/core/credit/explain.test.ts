import { expect, test } from 'vitest';
import { explainLedger } from '../../../src/core/credit/explain.ts';
import type { Ledger } from '../../../src/core/credit/ledger.ts';
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

test.each(choices)('every printed step evaluates to what it says, and to the ledger: %j', (choice) => {
  for (const ledger of Object.values(credit([...SIX, lone], choice))) {
    const values = new Map<string, number>();
    for (const line of explainLedger(ledger)) {
      const parts = line.split(' = ');
      if (parts.length === 1) continue;
      const value = Number(parts.at(-1));
      const numbers = parts.at(-2) ?? '';
      if (parts.length > 2) expect(evaluate(numbers), line).toBe(value);
      values.set(parts[0] ?? '', value);
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
  ];
  return new Map(pairs.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])));
}

function only(ledgers: Readonly<Record<string, Ledger>>): Ledger {
  const [ledger] = Object.values(ledgers);
  if (ledger === undefined) throw new Error('no ledger');
  return ledger;
}
