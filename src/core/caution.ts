import type { Ledger, LedgerTurn } from './credit/ledger.ts';

/**
 * Whether a turn told the agent much and the episode came out badly: information is not truth, so the reply may have been wrong,
 * or misread. Much is a gain above 0 and, where the scorer's placebo gains are known, above mu0 + sd0 (spec S1): more than what a
 * reply of another task gains. Badly is an outcome below 1 that is no better than what it is compared with (z <= 0, spec S3).
 */
export function toldMuchYetFailed(
  { outcome, z, options }: Pick<Ledger, 'outcome' | 'z' | 'options'>,
  { gain }: Pick<LedgerTurn, 'gain'>,
): boolean {
  if (gain === null || outcome === null || outcome >= 1 || (z ?? 0) > 0) return false;
  return gain > Math.max(0, (options.placebo_mean ?? 0) + (options.placebo_sd ?? 0));
}
