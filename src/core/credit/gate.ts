import type { CreditOptions } from './ledger.ts';
import type { OutcomeAdvantage } from './outcome-advantage.ts';
import type { InfoPool } from './information.ts';

/**
 * The standard deviation that the gate sees (spec S5): the group's raw outcomes; with fewer than two known the batch's, 1
 * under `singleton = reference`, 0 where nothing is known. With `gate_on = info`, in nats: the information pool's, and 0 where
 * there is no pool or one sample.
 */
export function gateSd(
  { group, batch }: Pick<OutcomeAdvantage, 'group' | 'batch'>,
  pool: InfoPool | null,
  options: Pick<CreditOptions, 'gate_on' | 'singleton'>,
): number {
  if (options.gate_on === 'info') return pool?.sd ?? 0;
  if (group.sd !== null) return group.sd;
  return options.singleton === 'reference' ? 1 : (batch.sd ?? 0);
}

/**
 * Gate in (0, 0.5] (spec S5, arXiv 2603.00656): `sigmoid(-sd / T)`, T in reward units. Equal outcomes open it, spread outcomes
 * close it. `exp` is `exp(-sd / T)` in (0, 1]; `none` is 1. A quotient beyond 700 rounds to 0.
 */
export function gate(
  sd: number,
  { gate_form, gate_temperature }: Pick<CreditOptions, 'gate_form' | 'gate_temperature'>,
): number {
  switch (gate_form) {
    case 'sigmoid':
      return 1 / (1 + Math.exp(sd / gate_temperature));
    case 'exp':
      return Math.exp(-sd / gate_temperature);
    case 'none':
      return 1;
    default:
      return gate_form satisfies never;
  }
}
