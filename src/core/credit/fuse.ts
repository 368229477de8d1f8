/** The factors that all turns of an episode share: beta, the gate of S5 and the cap of S6. */
export interface FusionFactors {
  readonly beta: number;
  readonly gate: number;
  readonly scale: number;
}

/**
 * Advantage of turn t, broadcast to every token of its action (spec S7, arXiv 2603.00656):
 * `A_t = z + beta * gate * s * A_int,t`. A null term enters as 0; null where both terms are, and the turn is not trained on.
 */
export function fuse(z: number | null, aInt: number | null, { beta, gate, scale }: FusionFactors): number | null {
  if (z === null && aInt === null) return null;
  return (z ?? 0) + beta * gate * scale * (aInt ?? 0);
}
