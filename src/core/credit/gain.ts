import { TurnwiseError } from '../error.ts';
import type { ShiftEstimator } from '../scored-episode.ts';

/**
 * Information gain of one turn in nats (spec S1, arXiv 2603.00656): `estimator(D)` over the tokens of the next action.
 * `clip` is the bound of `shift_clip` and null for every other estimator. Throws on an empty D, which has no mean, and on
 * `shift_clip` without a bound.
 */
export function estimate(estimator: ShiftEstimator, d: readonly number[], clip: number | null): number {
  if (d.length === 0) {
    throw new TurnwiseError('protocol', 'no_tokens', 'The next action has no tokens to score; its gain is undefined.');
  }
  return ESTIMATORS[estimator].of(d, clip);
}

/**
 * D_j = log p(a_{t+1,j} | factual) - log p(a_{t+1,j} | masked), one number in nats per token of the next action (spec S1).
 * Both arrays are natural-log probabilities of the same tokens; throws where they cannot be.
 */
export function shifts(factual: readonly number[], masked: readonly number[]): number[] {
  if (factual.length !== masked.length) {
    throw new TurnwiseError(
      'protocol',
      'logprob_count',
      `The server gave ${factual.length} factual and ${masked.length} masked log-probs for the same tokens; update the server or choose another backend.`,
    );
  }
  return factual.map((logprob, j) => {
    const d = logprob - (masked[j] ?? NaN);
    if (Number.isFinite(d)) return d;
    throw new TurnwiseError(
      'protocol',
      'logprob_not_finite',
      `The server gave a log-prob that is not finite for token ${j} of the next action; update the server or choose another backend.`,
    );
  });
}

/** How log-prob shifts become one gain: D in nats and the bound c in, nats out; `equation` is for people. */
interface GainEstimator {
  readonly equation: string;
  readonly of: (d: readonly number[], clip: number | null) => number;
}

/** The estimators of spec S1 that need nothing but the log-probs of the next action's own tokens; the others are in `kl.ts`. */
export const ESTIMATORS: Readonly<Record<ShiftEstimator, GainEstimator>> = {
  /** mean_j D_j: the paper's turn reward, signed and unclipped (arXiv 2603.00656). */
  shift_mean: { equation: "mean_j D_j, nats a token: the paper's", of: (d) => mean(d, (x) => x) },
  /** sum_j D_j: total nats that the reply was worth to the next action (spec S1). */
  shift_sum: { equation: 'sum_j D_j, total nats', of: (d) => d.reduce((sum, x) => sum + x, 0) },
  /** mean_j clip(D_j, -c, c): no single token decides (spec S1). */
  shift_clip: {
    equation: 'mean_j clip(D_j, -c, c)',
    of: (d, clip) => {
      if (clip === null) {
        throw new TurnwiseError('usage', 'missing_clip', 'shift_clip needs its bound in nats; give one, such as 1.');
      }
      return mean(d, (x) => Math.min(Math.max(x, -clip), clip));
    },
  },
  /** mean_j max(D_j, 0): only what became more likely counts (spec S1). */
  shift_relu: { equation: 'mean_j max(D_j, 0)', of: (d) => mean(d, (x) => Math.max(x, 0)) },
  /** mean_j D_j^2 / 2: the k2 estimate of the KL divergence, never negative (J. Schulman, "Approximating KL divergence"). */
  k2: { equation: 'mean_j D_j^2 / 2, an estimate of the KL divergence', of: (d) => mean(d, (x) => (x * x) / 2) },
  /**
   * mean_j (exp(-D_j) - 1 + D_j): the k3 estimate, unbiased and never negative (same source). Each term is at most 10, since
   * one token that the reply made unlikely would otherwise outweigh an episode.
   */
  k3: {
    equation: 'mean_j (exp(-D_j) - 1 + D_j), each term at most 10, an estimate of the KL divergence',
    of: (d) => mean(d, (x) => Math.min(Math.expm1(-x) + x, 10)),
  },
};

/** A/A noise of a gain in nats: the largest |difference| to the gains of the same pair scored again; null if it never was. */
export function gainNoise(gain: number, repeated: readonly number[]): number | null {
  return repeated.length === 0 ? null : Math.max(...repeated.map((again) => Math.abs(again - gain)));
}

/** Runs shorter than this many tokens recur by chance, so they are no copies. */
const COPY_LENGTH = 5;

/**
 * `gain_nocopy` (spec S1): mean of D in nats over the tokens of the next action that stand in no n-gram, n >= 5, copied from
 * the reply; null where every token does. `d` and `action` run over the same tokens.
 */
export function nocopyGain(d: readonly number[], action: readonly number[], reply: readonly number[]): number | null {
  const kept = d.filter(outsideCopies(action, reply));
  return kept.length === 0 ? null : mean(kept, (x) => x);
}

function outsideCopies(action: readonly number[], reply: readonly number[]): (_: number, j: number) => boolean {
  const runAt = (ids: readonly number[], at: number): string => ids.slice(at, at + COPY_LENGTH).join(' ');
  const inReply = new Set<string>();
  for (let at = 0; at + COPY_LENGTH <= reply.length; at += 1) inReply.add(runAt(reply, at));
  // A longer copy is a chain of copies of the least length, so one length finds all.
  const copied = new Set<number>();
  for (let at = 0; at + COPY_LENGTH <= action.length; at += 1) {
    if (!inReply.has(runAt(action, at))) continue;
    for (let j = at; j < at + COPY_LENGTH; j += 1) copied.add(j);
  }
  return (_, j) => !copied.has(j);
}

function mean(d: readonly number[], term: (x: number) => number): number {
  return d.reduce((sum, x) => sum + term(x), 0) / d.length;
}
