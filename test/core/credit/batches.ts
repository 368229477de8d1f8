import { expect } from 'vitest';
import { creditBatch } from '../../../src/core/credit/credit.ts';
import type { CreditEpisode, CreditOptions, Ledger } from '../../../src/core/credit/ledger.ts';
import { resolveCreditOptions, type CreditChoices } from '../../../src/core/credit/options.ts';

/** A turn as the tables of the specification write it: loss tokens and gain in nats, null where unknown. */
export type Cell = readonly [tokens: number, gain: number | null];

export function episode(
  episode_id: string,
  group_id: string,
  outcome: number | null,
  cells: readonly Cell[],
): CreditEpisode {
  return {
    episode_id,
    group_id,
    outcome,
    turns: cells.map(([tokens, gain], index) => ({
      index,
      tokens,
      gain,
      null_reason: gain !== null ? null : index === cells.length - 1 ? 'no_next_action' : 'empty_reply',
      pooled: true,
    })),
  };
}

/** Six episodes in three groups: the batch of GV3 and GV13. */
export const SIX: readonly CreditEpisode[] = [
  episode('A', 'G1', 1, [
    [2, 0.75],
    [3, 0.3],
    [4, null],
  ]),
  episode('B', 'G1', 0, [
    [4, -0.1],
    [2, null],
  ]),
  episode('C', 'G1', 0.5, [
    [1, 1.2],
    [2, null],
    [2, null],
  ]),
  episode('D', 'G2', 0, [
    [3, 0.5],
    [2, null],
  ]),
  episode('E', 'G2', 0, [
    [2, 0.1],
    [2, null],
  ]),
  episode('F', 'G3', 0.8, [
    [2, 0.6],
    [2, 0.2],
    [2, null],
  ]),
];

export function credit(episodes: readonly CreditEpisode[], choices: CreditChoices = {}): Record<string, Ledger> {
  return creditWith(episodes, resolveCreditOptions(choices));
}

export function creditWith(episodes: readonly CreditEpisode[], options: CreditOptions): Record<string, Ledger> {
  return Object.fromEntries(creditBatch(episodes, options).map((ledger) => [ledger.episode_id, ledger]));
}

/** Checks one column of the turns against the specification's five digits; null must be null. */
export function expectColumn(
  ledgers: Readonly<Record<string, Ledger>>,
  column: 'a_int' | 'advantage',
  expected: Readonly<Record<string, readonly (number | null)[]>>,
): void {
  for (const [id, values] of Object.entries(expected)) {
    const found = ledgers[id]?.turns.map((turn) => turn[column]) ?? [];
    values.forEach((value, t) => {
      const at = `${column} of ${id}, turn ${t}`;
      if (value === null) expect(found[t], at).toBeNull();
      else expect(found[t] ?? NaN, at).toBeCloseTo(value, 5);
    });
  }
}
