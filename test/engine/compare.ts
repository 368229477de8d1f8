/** A conversation with PyTorch's log-probs: `logprobs[k]` of `ids[k]` given all before it, null for the first. */
export interface Reference {
  readonly ids: readonly number[];
  readonly logprobs: readonly (number | null)[];
}

/** Largest difference of one token, and of the mean over all, in nats. */
export const TOKEN_TOLERANCE = 2e-3;
export const MEAN_TOLERANCE = 2e-4;

/**
 * Holds log-probs of positions 1.. against a reference from another implementation in float32. Says what is wrong, or nothing.
 */
export function compareWithReference(reference: Reference, actual: readonly number[]): string[] {
  const expected = reference.logprobs.slice(1);
  if (actual.length !== expected.length) return [`${actual.length} log-probs for ${expected.length}`];
  const differences = expected.map((value, k) => Math.abs((value ?? Number.NaN) - (actual[k] ?? Number.NaN)));
  const worst = Math.max(...differences);
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
  return [
    // Written so that a NaN is wrong as well.
    ...(worst <= TOKEN_TOLERANCE ? [] : [`a token differs by ${worst} nats`]),
    ...(mean <= MEAN_TOLERANCE ? [] : [`tokens differ by ${mean} nats in the mean`]),
  ];
}

/** Holds scores against naive ones, to the last bit. Says what is wrong, or nothing. */
export function compareExactly(
  expected: readonly (readonly number[])[],
  actual: readonly (readonly number[])[],
): string[] {
  if (actual.length !== expected.length) return [`${actual.length} rows for ${expected.length}`];
  return expected.flatMap((row, index) => {
    const other = actual[index] ?? [];
    if (other.length !== row.length) return [`row ${index} has ${other.length} log-probs for ${row.length}`];
    const worst = Math.max(0, ...row.map((value, k) => Math.abs(value - (other[k] ?? Number.NaN))));
    return worst === 0 ? [] : [`row ${index} differs by ${worst}`];
  });
}

/** The mistake that both comparisons must notice: every log-prob one token late. */
export function shifted<T>(row: readonly T[]): T[] {
  return [...row.slice(1), ...row.slice(0, 1)];
}
