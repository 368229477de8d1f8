import type { DistributionsWanted, ScoreResult, ScorerFacts } from '../core/backend.ts';
import { estimate, gainNoise, nocopyGain, shifts } from '../core/credit/gain.ts';
import { KL_ESTIMATORS } from '../core/credit/kl.ts';
import type { NullReason } from '../core/observation.ts';
import type { PlannedTurn } from '../core/plan/plan.ts';
import { isKlEstimator, type ObservationGain, type ScoredTurn, type ScoreOptions } from '../core/scored-episode.ts';

/** K of `kl_topk` where nobody says one: what servers tell at most by default. */
export const DEFAULT_TOP_K = 20;

/** What of the distributions an estimator needs; undefined: the log-probs of the next action are enough. */
export function distributionsFor({ estimator, top_k }: ScoreOptions): DistributionsWanted | undefined {
  if (!isKlEstimator(estimator)) return undefined;
  return estimator === 'kl_full' ? 'full' : { top: top_k ?? DEFAULT_TOP_K };
}

/** Why a scorer cannot give these distributions, in words; null where it can. */
export function lackOf(wanted: DistributionsWanted, { identity, capabilities }: ScorerFacts): string | null {
  const given = capabilities.distributions;
  if (given === 'full' || (given === 'top' && wanted !== 'full')) return null;
  return `${identity.backend} gives no ${wanted === 'full' ? 'whole distributions' : 'distributions'}; score with the local engine, or choose another estimator`;
}

type Scorable = Extract<PlannedTurn, { nullReason: null }>;
type Gains = Pick<
  ScoredTurn,
  'gain' | 'gain_sum' | 'gain_nocopy' | 'kl_support' | 'obs_gains' | 'logp_factual' | 'logp_masked' | 'noise'
>;

/**
 * Gains (spec S1, nats) of a turn and of each of its observations alone. `at` is the place of the turn's factual sequence in the
 * results, which lie as `sequencesOf` gives them; `again` are the same pairs scored anew. Throws where numbers are missing.
 */
export function gainsOf(
  turn: Scorable,
  at: number,
  result: ScoreResult,
  again: readonly ScoreResult[],
  options: ScoreOptions,
): Gains {
  const pair = pairOf(turn, result, at, at + 1);
  const { gain, support } = gainOf(pair, options);
  const repeated = again.map((other) => gainOf(pairOf(turn, other, at, at + 1), options).gain);
  const { ids, from, to, obsStart, obsEnd } = turn.factual;
  let next = at + 2;
  const alone = turn.alone.map(({ masked, nullReason }): ObservationGain => {
    if (masked === null) return { ...NO_GAIN, null_reason: nullReason };
    const own = pairOf(turn, result, at, next);
    next += 1;
    return {
      gain: gainOf(own, options).gain,
      gain_sum: estimate('shift_sum', own.d, null),
      null_reason: null,
      logp_masked: [...own.masked],
    };
  });
  const sum = estimate('shift_sum', pair.d, null);
  const lone: ObservationGain = { gain, gain_sum: sum, null_reason: null, logp_masked: null };
  return {
    gain,
    gain_sum: sum,
    gain_nocopy: nocopyGain(pair.d, ids.slice(from, to), ids.slice(obsStart, obsEnd)),
    ...(support === null ? {} : { kl_support: support }),
    obs_gains: alone.length === 0 ? [lone] : alone,
    logp_factual: [...pair.factual],
    logp_masked: [...pair.masked],
    noise: gainNoise(gain, repeated),
  };
}

/** The observations of a turn without scores, each with its own reason; undefined where none came back. */
export function unscoredObservations(
  count: number,
  turn: PlannedTurn,
  reason: NullReason,
): ObservationGain[] | undefined {
  if (count === 0) return undefined;
  return Array.from({ length: count }, (_, k) => {
    const own = turn.nullReason === null ? turn.alone[k]?.nullReason : turn.nullReason;
    return { ...NO_GAIN, null_reason: own ?? reason };
  });
}

const NO_GAIN = { gain: null, gain_sum: null, logp_masked: null } as const;

/** Both passes over the next action: its ids, their log-probs, and where both lie in the result. */
export interface Pair {
  readonly ids: readonly number[];
  readonly factual: readonly number[];
  readonly masked: readonly number[];
  readonly d: readonly number[];
  readonly result: ScoreResult;
  readonly at: readonly [factual: number, masked: number];
}

function pairOf(
  { factual: { ids, from, to } }: Scorable,
  result: ScoreResult,
  factualAt: number,
  maskedAt: number,
): Pair {
  const factual = result.logprobs[factualAt] ?? [];
  const masked = result.logprobs[maskedAt] ?? [];
  return { ids: ids.slice(from, to), factual, masked, d: shifts(factual, masked), result, at: [factualAt, maskedAt] };
}

/** The gain of a pair by the options' estimator, nats; `support` is null where no distributions were summed over. */
export function gainOf(
  { ids, factual, masked, d, result, at }: Pair,
  { estimator, clip }: Pick<ScoreOptions, 'estimator' | 'clip'>,
): { readonly gain: number; readonly support: number | null } {
  if (!isKlEstimator(estimator)) return { gain: estimate(estimator, d, clip), support: null };
  const [factualTokens, maskedTokens] = at.map((place) => result.distributions?.[place] ?? []);
  return KL_ESTIMATORS[estimator].of(
    ids.map((id, j) => ({
      id,
      factual: factual[j] ?? NaN,
      masked: masked[j] ?? NaN,
      factualTokens: factualTokens?.[j] ?? NOTHING,
      maskedTokens: maskedTokens?.[j] ?? NOTHING,
    })),
  );
}

const NOTHING = { ids: [], logprobs: [] } as const;
