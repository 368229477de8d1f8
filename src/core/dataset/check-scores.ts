import { estimate } from '../credit/gain.ts';
import { klTopK } from '../credit/kl.ts';
import { isKlEstimator, type ShiftEstimator } from '../scored-episode.ts';
import type { DatasetRow, DatasetTurn, Fusion } from './schema.ts';
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
    checkObservationGains(row, turn, at, findings);
    const divergence = row.fusion !== null && isKlEstimator(row.fusion.estimator);
    same(
      `${at}.kl_support`,
      divergence && turn.info_gain !== null,
      turn.kl_support !== null,
      'a divergence says how many tokens it told apart',
    );
    checkLogprobs(row, turn, index, findings);
  });
}

/** Each observation alone against its own mask: the factual pass is the turn's. */
function checkObservationGains(row: DatasetRow, turn: DatasetTurn, at: string, { same, check }: Findings): void {
  const { obs_gains, info_gain, info_gain_sum, logp_factual } = turn;
  obs_gains?.forEach(({ gain, gain_sum, null_reason, logp_masked }, k) => {
    const place = `${at}.obs_gains.${k}`;
    same(`${place}.null_reason`, gain === null, null_reason !== null, 'what is unknown says why');
    same(`${place}.gain_sum`, gain === null, gain_sum === null, 'mean and total are known together');
    if (obs_gains.length === 1) {
      same(`${place}.gain`, info_gain, gain, 'a lone observation has the whole gain');
      same(`${place}.gain_sum`, info_gain_sum, gain_sum, 'a lone observation has the whole gain');
      check(
        logp_masked === null,
        `${place}.logp_masked`,
        null,
        'log-probs',
        "those of a lone observation are the turn's",
      );
      return;
    }
    same(`${place}.logp_masked`, gain === null, logp_masked === null, 'a gain follows from its log-probs');
    if (gain === null || logp_masked === null || row.fusion === null) return;
    check(info_gain !== null, `${place}.gain`, null, gain, 'no observation has a gain where the turn has none');
    if (logp_factual?.length !== logp_masked.length) {
      check(
        false,
        `${place}.logp_masked`,
        logp_factual?.length,
        logp_masked.length,
        'both passes score the same tokens',
      );
      return;
    }
    checkGain(`${place}.gain`, row.fusion, { factual: logp_factual, masked: logp_masked }, gain, check);
    checkGain(`${place}.gain_sum`, TOTAL, { factual: logp_factual, masked: logp_masked }, gain_sum, check);
  });
}

/** How a gain was made; `clip` as in `fusion`. */
type How = Pick<Fusion, 'estimator' | 'clip'>;
const TOTAL: How = { estimator: 'shift_sum', clip: null };

interface Passes {
  readonly factual: readonly number[];
  readonly masked: readonly number[];
}

const RULE = 'a gain follows from its log-probs; a missing one is null, never 0';

/**
 * A gain of log-prob shifts computed again. The divergences need distributions that no row ships: they are held against the
 * divergence of the token itself and the rest, below which merging tokens can only bring them.
 */
function checkGain(
  column: string,
  how: How,
  { factual, masked }: Passes,
  gain: number | null,
  check: Findings['check'],
): void {
  if (isKlEstimator(how.estimator)) {
    const least = binaryDivergence({ factual, masked });
    const ok = gain !== null && gain >= least - 1e-5;
    check(ok, column, `at least ${least}`, gain, 'a divergence is at least that of the token itself and the rest');
    return;
  }
  const d = factual.map((logprob, j) => logprob - (masked[j] ?? NaN));
  const expected = estimate(how.estimator, d, how.clip);
  check(near(expected, gain, slack(how.estimator, factual, masked)), column, expected, gain, RULE);
}

function binaryDivergence({ factual, masked }: Passes): number {
  const ids = factual.map((logprob, j) => ({ factual: logprob, masked: masked[j] ?? NaN }));
  return klTopK(ids.map((own) => ({ factualTop: new Map(), maskedKnown: new Map(), actual: { id: 0, ...own } }))).gain;
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
  if (logp_factual === null) same(`${at}.info_gain`, null, info_gain, RULE);
  else check(info_gain !== null, `${at}.info_gain`, 'a number', null, RULE);
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
    check(false, `${at}.logp_factual`, 'at least one', 0, RULE);
    return;
  }
  const passes = { factual: logp_factual, masked: logp_masked };
  checkGain(`${at}.info_gain`, row.fusion, passes, info_gain, check);
  checkGain(`${at}.info_gain_sum`, TOTAL, passes, info_gain_sum, check);
  const d = logp_factual.map((factual, j) => factual - (logp_masked[j] ?? NaN));
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
function slack(estimator: ShiftEstimator, factual: readonly number[], masked: readonly number[]): number {
  const terms = factual.map((logprob, j) => {
    const other = masked[j] ?? 0;
    return { error: ROUNDING * (Math.abs(logprob) + Math.abs(other)), d: logprob - other };
  });
  const total = terms.reduce((sum, { error, d }) => sum + error * steepness(estimator, d), 0);
  return 1e-9 + 2 * (estimator === 'shift_sum' ? total : total / factual.length);
}

function steepness(estimator: ShiftEstimator, d: number): number {
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
