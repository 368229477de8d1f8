import type { CreditOptions } from './ledger.ts';
import type { OutcomeAdvantage } from './outcome-advantage.ts';
import type { InfoPool } from './information.ts';

type Spread = Pick<OutcomeAdvantage, 'group' | 'batch'>;

/** Whose standard deviation the gate sees (spec S5). */
export const GATE_SOURCES: Readonly<
  Record<
    CreditOptions['gate_on'],
    {
      readonly equation: string;
      readonly of: (spread: Spread, pool: InfoPool | null, singleton: CreditOptions['singleton']) => number;
    }
  >
> = {
  /** sd_R, ddof 1, of the group's raw outcomes; else the batch's, 1 under `singleton = reference`, 0 where none is known (spec S5). */
  outcome: {
    equation: 'sd of the raw outcomes of the group, else of the batch, else 0',
    of: ({ group, batch }, _, singleton) => group.sd ?? (singleton === 'reference' ? 1 : (batch.sd ?? 0)),
  },
  /** sd of the information pool in nats, the reading of other write-ups; 0 without a pool and for one sample (spec S5). */
  info: { equation: 'sd of the information pool, in nats', of: (_, pool) => pool?.sd ?? 0 },
};

/** The standard deviation that the gate sees (spec S5), by the table. */
export function gateSd(
  spread: Spread,
  pool: InfoPool | null,
  { gate_on, singleton }: Pick<CreditOptions, 'gate_on' | 'singleton'>,
): number {
  return GATE_SOURCES[gate_on].of(spread, pool, singleton);
}

/** Shapes of the gate (spec S5): sd and temperature T in the same unit, opening out. A quotient beyond 700 rounds to 0. */
export const GATE_FORMS: Readonly<
  Record<
    CreditOptions['gate_form'],
    { readonly equation: string; readonly of: (sd: number, temperature: number) => number }
  >
> = {
  /** sigmoid(-sd / T) = 1 / (1 + exp(sd / T)), in (0, 0.5] (spec S5, arXiv 2603.00656). */
  sigmoid: {
    equation: "1 / (1 + exp(sd / T)), at most 0.5: the paper's",
    of: (sd, temperature) => 1 / (1 + Math.exp(sd / temperature)),
  },
  /** exp(-sd / T), in (0, 1] (spec S5). */
  exp: { equation: 'exp(-sd / T), at most 1', of: (sd, temperature) => Math.exp(-sd / temperature) },
  /** 1: no gate (spec S5). */
  none: { equation: '1', of: () => 1 },
};

/** How far information is let through (spec S5, arXiv 2603.00656): equal outcomes open the gate, spread outcomes close it. */
export function gate(
  sd: number,
  { gate_form, gate_temperature }: Pick<CreditOptions, 'gate_form' | 'gate_temperature'>,
): number {
  return GATE_FORMS[gate_form].of(sd, gate_temperature);
}
