import { estimate } from '../credit/gain.ts';
import type { Estimator } from '../scored-episode.ts';
import type { DatasetRow, DatasetTurn } from './schema.ts';
import type { Findings } from './violation.ts';

/** Gains against their log-probs, and null with its reason wherever a number is missing (spec S1). */
export function checkScores(row: DatasetRow, findings: Findings): void {
  const { check, same } = findings;
  row.turns.forEach((turn, index) => {
    const at = `turns.${index}`;
    const missing = row.fusion === null ? [turn.info_gain, turn.info_gain_sum] : [];
    for (const value of missing) same(`${at}.info_gain`, null, value, 'no batch, no scores');
    same(
      `${at}.info_gain_sum`,
      turn.info_gain === null,
      turn.info_gain_sum === null,
      'mean and total are known together',
    );
    if (turn.info_gain === null) {
      check(turn.null_reason !== null, `${at}.null_reason`, 'a reason', null, 'what is unknown says why');
      same(`${at}.noise`, null, turn.noise, 'no gain, no noise');
      same(`${at}.info_gain_nocopy`, null, turn.info_gain_nocopy, 'no gain without copies where there is none');
    }
    const next = row.turns[index + 1]?.action_state;
    for (const state of ['stopped', 'edited'] as const) {
      const flagged = turn.flags.includes(`next_action_${state}`);
      check(
        flagged === (next === state),
        `${at}.flags`,
        next ?? null,
        turn.flags,
        'flags say what became of the next action',
      );
    }
    checkObservationGain(turn, at, findings);
    checkLogprobs(row, turn, index, findings);
  });
}

function checkObservationGain({ obs_gains, info_gain }: DatasetTurn, at: string, { same }: Findings): void {
  obs_gains?.forEach(({ gain, null_reason }, k) => {
    same(`${at}.obs_gains.${k}.null_reason`, gain === null, null_reason !== null, 'what is unknown says why');
    if (obs_gains.length === 1)
      same(`${at}.obs_gains.0.gain`, info_gain, gain, 'a lone observation has the whole gain');
  });
}

function checkLogprobs(row: DatasetRow, turn: DatasetTurn, index: number, { check, same }: Findings): void {
  const at = `turns.${index}`;
  const { logp_factual, logp_masked, info_gain, info_gain_sum, info_gain_nocopy } = turn;
  same(
    `${at}.logp_masked`,
    logp_factual?.length ?? null,
    logp_masked?.length ?? null,
    'both passes score the same tokens',
  );
  const rule = 'a gain follows from its log-probs; a missing one is null, never 0';
  if (logp_factual === null) same(`${at}.info_gain`, null, info_gain, rule);
  else check(info_gain !== null, `${at}.info_gain`, 'a number', null, rule);
  const next = row.turns[index + 1];
  if (next === undefined) same(`${at}.info_gain`, null, info_gain, 'the last action has no next one');
  if (logp_factual !== null) {
    same(
      `${at}.next_action_tokens`,
      logp_factual.length,
      turn.next_action_tokens,
      'one log-prob per token of the next action',
    );
  }
  const width = next?.action_start == null || next.action_end === null ? null : next.action_end - next.action_start;
  // With ids of the policy, the scorer may have cut the next action into other tokens.
  if (row.token_source === 'scorer' && width !== null) {
    same(`${at}.next_action_tokens`, width, turn.next_action_tokens, 'one log-prob per token of the next action');
  }
  if (logp_factual === null || logp_masked?.length !== logp_factual.length || row.fusion === null) return;
  if (logp_factual.length === 0) {
    check(false, `${at}.logp_factual`, 'at least one', 0, rule);
    return;
  }
  const d = logp_factual.map((factual, j) => factual - (logp_masked[j] ?? NaN));
  const { estimator, clip } = row.fusion;
  const gain = estimate(estimator, d, clip);
  const total = estimate('shift_sum', d, null);
  check(near(gain, info_gain, slack(estimator, logp_factual, logp_masked)), `${at}.info_gain`, gain, info_gain, rule);
  check(
    near(total, info_gain_sum, slack('shift_sum', logp_factual, logp_masked)),
    `${at}.info_gain_sum`,
    total,
    info_gain_sum,
    rule,
  );
  if (info_gain_nocopy === null) return;
  const [low, high] = [Math.min(...d), Math.max(...d)];
  const wide = slack('shift_sum', logp_factual, logp_masked);
  check(
    info_gain_nocopy >= low - wide && info_gain_nocopy <= high + wide,
    `${at}.info_gain_nocopy`,
    `${low} to ${high}`,
    info_gain_nocopy,
    'a mean lies between its terms',
  );
}

function near(expected: number, found: number | null, tolerance: number): boolean {
  return found !== null && Math.abs(expected - found) <= tolerance;
}

/** Half a unit in the last place of a 32-bit float, relative. */
const ROUNDING = 2 ** -24;

/**
 * How far a gain may be from the one computed again: log-probs are stored in 32 bits, so each D_j is off by at most its share
 * of both roundings, times how steep the estimator is there.
 */
function slack(estimator: Estimator, factual: readonly number[], masked: readonly number[]): number {
  const terms = factual.map((logprob, j) => {
    const other = masked[j] ?? 0;
    return { error: ROUNDING * (Math.abs(logprob) + Math.abs(other)), d: logprob - other };
  });
  const total = terms.reduce((sum, { error, d }) => sum + error * steepness(estimator, d), 0);
  return 1e-9 + 2 * (estimator === 'shift_sum' ? total : total / factual.length);
}

function steepness(estimator: Estimator, d: number): number {
  switch (estimator) {
    case 'shift_mean':
    case 'shift_sum':
    case 'shift_clip':
    case 'shift_relu':
      return 1;
    case 'k2':
      return Math.abs(d) + 1;
    case 'k3':
      // Each term is capped at 10, so it is nowhere steeper than about exp(2.6).
      return 14;
    default:
      return estimator satisfies never;
  }
}
