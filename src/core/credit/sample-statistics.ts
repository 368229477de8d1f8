/** Added to every divisor of the method, so that equal samples divide to 0 and not to infinity (spec S3, S4, S6). */
export const EPSILON = 1e-6;

/** One value that counts `weight` times; a weight is a number of tokens or 1. */
export interface Sample {
  readonly value: number;
  readonly weight: number;
}

/** `n` samples, their mean (null without any) and their standard deviation with ddof 1 (null with fewer than two). */
export interface Moments {
  readonly n: number;
  readonly mean: number | null;
  readonly sd: number | null;
}

/** Moments of weighted samples in their own unit. Equal values have exactly their value as mean and exactly 0 as sd. */
export function momentsOf(samples: readonly Sample[]): Moments {
  const n = samples.reduce((sum, { weight }) => sum + weight, 0);
  const origin = samples.find(({ weight }) => weight > 0)?.value;
  if (origin === undefined) return { n: 0, mean: null, sd: null };
  // Measured from one of the values: rounding then vanishes where all are equal, and 1e-16 is not blown up by EPSILON.
  const mean = origin + samples.reduce((sum, { value, weight }) => sum + weight * (value - origin), 0) / n;
  if (n < 2) return { n, mean, sd: null };
  const squares = samples.reduce((sum, { value, weight }) => sum + weight * (value - mean) ** 2, 0);
  return { n, mean, sd: Math.sqrt(squares / (n - 1)) };
}

/** Values that count once each. */
export function once(values: readonly number[]): Sample[] {
  return values.map((value) => ({ value, weight: 1 }));
}
