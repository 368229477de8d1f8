import type { Ledger, LedgerTurn } from './credit/ledger.ts';

/**
 * Nats from which on a reply told much: one bit, what the agent did next was twice as likely for it. A nat would be too many: a
 * choice among three options is worth ln 3 = 1.1 nats at most, and less to an agent that leaned towards it already.
 */
const MUCH = Math.LN2;

/**
 * Whether a turn told the agent much and the episode came out badly: information is not truth, so the reply may have been wrong,
 * or misread. Much is a total gain of a bit (0.69 nats) or more that is above 0 a token and above what a reply of another task gains on
 * average, where that is known (mu0, spec S1). Totals, since a mean is smaller the more is written after it. Badly is an outcome
 * below 1 that is no better than what it is compared with (z <= 0, spec S3).
 */
export function toldMuchYetFailed(
  { outcome, z, options }: Pick<Ledger, 'outcome' | 'z' | 'options'>,
  { gain }: Pick<LedgerTurn, 'gain'>,
  total: number | null,
): boolean {
  if (gain === null || total === null || outcome === null || outcome >= 1 || (z ?? 0) > 0) return false;
  return total >= MUCH && gain > Math.max(0, options.placebo_mean ?? 0);
}
