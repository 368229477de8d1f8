import type { NextTokens } from '../backend.ts';
import { TurnwiseError } from '../error.ts';
import type { KlEstimator } from '../scored-episode.ts';

/** One position of the next action as both passes saw it: the token that stands there, and what else was possible. */
export interface PositionPair {
  readonly id: number;
  /** Log-probs of that token in nats. */
  readonly factual: number;
  readonly masked: number;
  readonly factualTokens: NextTokens;
  readonly maskedTokens: NextTokens;
}

/** A gain in nats, and the mean size of the S that it was summed over. */
export interface KlGain {
  readonly gain: number;
  readonly support: number;
}

interface DivergenceEstimator {
  readonly equation: string;
  readonly of: (positions: readonly PositionPair[]) => KlGain;
}

/** The estimators of spec S1 that need distributions, of a scorer that gives them (`capabilities.distributions`). */
export const KL_ESTIMATORS: Readonly<Record<KlEstimator, DivergenceEstimator>> = {
  /** mean over positions of sum_S p ln(p / q), S = factual top K, the actual token and a bucket with the rest (spec S1). */
  kl_topk: {
    equation: 'mean over positions of sum_S p ln(p/q), S = top K, the token itself and the rest; below kl_full',
    of: (positions) =>
      klTopK(
        positions.map(({ id, factual, masked, factualTokens, maskedTokens }) => ({
          factualTop: mapOf(factualTokens),
          maskedKnown: mapOf(maskedTokens),
          actual: { id, factual, masked },
        })),
      ),
  },
  /** mean over positions of sum_V p ln(p / q) over the whole vocabulary (spec S1). */
  kl_full: {
    equation: 'mean over positions of sum_V p ln(p/q), the whole vocabulary',
    of: (positions) => {
      const rows = positions.map(alignedRows);
      return {
        gain: klFull(
          rows.map(({ factual }) => factual),
          rows.map(({ masked }) => masked),
        ),
        support: meanOf(rows.map(({ factual }) => factual.length)),
      };
    },
  },
};

function mapOf({ ids, logprobs }: NextTokens): Map<number, number> {
  return new Map(ids.map((id, at) => [id, logprobs[at] ?? -Infinity]));
}

/** Both distributions over the tokens that either names; a token that cannot come has no log-prob. */
function alignedRows({ factualTokens, maskedTokens }: PositionPair): {
  readonly factual: number[];
  readonly masked: number[];
} {
  const left = mapOf(maskedTokens);
  const factual = [...factualTokens.logprobs];
  const masked = factualTokens.ids.map((id) => {
    const logprob = left.get(id) ?? -Infinity;
    left.delete(id);
    return logprob;
  });
  for (const logprob of left.values()) {
    factual.push(-Infinity);
    masked.push(logprob);
  }
  return { factual, masked };
}

/** A probability below this counts as this, so that no quotient divides by zero (spec S1). */
const FLOOR = 1e-12;

/** One position of the next action as `kl_topk` needs it; log-probs in nats, keyed by token id. */
export interface TopPosition {
  /** The factual pass's top K. */
  readonly factualTop: ReadonlyMap<number, number>;
  /** Every token whose masked log-prob the server reported. */
  readonly maskedKnown: ReadonlyMap<number, number>;
  /** The token that the next action really has here. */
  readonly actual: { readonly id: number; readonly factual: number; readonly masked: number };
}

/**
 * `kl_topk` (spec S1): mean over positions of sum_S p ln(p/q) in nats, where S holds the factual top K whose masked log-prob
 * is known, the actual token and one bucket with the rest. Merging the rest can only lose divergence, so this is a lower
 * bound of `kl_full`. `support` is the mean size of S. Throws without positions.
 */
export function klTopK(positions: readonly TopPosition[]): { readonly gain: number; readonly support: number } {
  const terms = positions.map(({ factualTop, maskedKnown, actual }) => {
    const pairs = new Map<number, Pair>();
    for (const [id, factual] of factualTop) {
      const masked = maskedKnown.get(id);
      if (masked !== undefined) pairs.set(id, { p: Math.exp(factual), q: Math.exp(masked) });
    }
    pairs.set(actual.id, { p: Math.exp(actual.factual), q: Math.exp(actual.masked) });
    const named = [...pairs.values()];
    const rest = { p: 1 - total(named, 'p'), q: 1 - total(named, 'q') };
    return { kl: divergence([...named, rest]), size: named.length + 1 };
  });
  return { gain: meanOf(terms.map(({ kl }) => kl)), support: meanOf(terms.map(({ size }) => size)) };
}

/**
 * `kl_full` (spec S1): KL divergence of the factual from the masked next-token distribution in nats, mean over positions.
 * Shapes: both [positions][vocabulary], natural-log probabilities. Throws without positions and where the shapes differ.
 */
export function klFull(factual: readonly (readonly number[])[], masked: readonly (readonly number[])[]): number {
  return meanOf(
    factual.map((row, j) => {
      const other = masked[j];
      if (other?.length !== row.length || masked.length !== factual.length) {
        throw new TurnwiseError(
          'protocol',
          'distribution_shape',
          'The factual and the masked distributions differ in shape; score both with the same model.',
        );
      }
      return divergence(row.map((logprob, id) => ({ p: Math.exp(logprob), q: Math.exp(other[id] ?? -Infinity) })));
    }),
  );
}

interface Pair {
  readonly p: number;
  readonly q: number;
}

function divergence(pairs: readonly Pair[]): number {
  return pairs.reduce((sum, pair) => {
    const p = Math.max(pair.p, FLOOR);
    return sum + p * Math.log(p / Math.max(pair.q, FLOOR));
  }, 0);
}

function total(pairs: readonly Pair[], side: keyof Pair): number {
  return pairs.reduce((sum, pair) => sum + pair[side], 0);
}

function meanOf(values: readonly number[]): number {
  if (values.length > 0) return values.reduce((sum, x) => sum + x, 0) / values.length;
  throw new TurnwiseError('protocol', 'no_tokens', 'The next action has no tokens to score; its gain is undefined.');
}
