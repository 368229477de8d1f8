/** PPO's clip range and the dual clip's bound, as the trainer uses them (spec S8). */
export interface ClipBounds {
  readonly low: number;
  readonly high: number;
  readonly dual: number;
}

/** Clip 0.2 on both sides, dual clip 3 (spec S8). */
export const CLIP: ClipBounds = { low: 0.2, high: 0.2, dual: 3 };

/** No token counts more than this many times, however unlikely the behaviour policy found it (spec S8). */
export const WEIGHT_CAP = 2;

/**
 * Off-policy weight of one token, without gradient (spec S8): `w = min(2, exp(lp_old - lp_behaviour))`, both in nats. 1 where
 * the behaviour log-prob is unknown or not that of the distribution that was sampled (`behaviourKnown`).
 */
export function importanceWeight(old: number, behaviour: number | null): number {
  return behaviour === null ? 1 : Math.min(WEIGHT_CAP, Math.exp(old - behaviour));
}

/**
 * Whether recorded log-probs are those of the distribution that was sampled (spec S8): recorded after temperature and
 * truncation (`processed`), or raw with sampling that changed nothing: temperature 1, top_p 1, top_k off (null).
 */
export function behaviourKnown(
  mode: 'raw' | 'processed' | null,
  sampling: { readonly temperature: number; readonly top_p: number; readonly top_k: number | null },
): boolean {
  if (mode === null) return false;
  return mode === 'processed' || (sampling.temperature === 1 && sampling.top_p === 1 && sampling.top_k === null);
}

/**
 * Loss of one token (spec S8; Schulman et al., arXiv 1707.06347; dual clip of Ye et al., arXiv 1912.09729):
 * `-w * min(ratio * A, clip(ratio) * A)`, and for A < 0 at most `-w * dual * A`. `ratio = exp(lp_new - lp_old)`. A batch's
 * loss is the mean over its loss tokens; there is no KL term.
 */
export function tokenLoss(
  advantage: number,
  ratio: number,
  weight = 1,
  { low, high, dual }: ClipBounds = CLIP,
): number {
  const clipped = Math.min(Math.max(ratio, 1 - low), 1 + high);
  const loss = Math.max(-advantage * ratio, -advantage * clipped);
  return weight * (advantage < 0 ? Math.min(loss, -advantage * dual) : loss);
}
