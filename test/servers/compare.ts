/** Largest difference between two lists of rows, in nats; Infinity where their shapes differ or a number is none. */
export function worstDifference(
  expected: readonly (readonly number[])[],
  actual: readonly (readonly number[])[],
): number {
  if (expected.length !== actual.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (const [at, row] of expected.entries()) {
    const other = actual[at] ?? [];
    if (other.length !== row.length) return Number.POSITIVE_INFINITY;
    for (const [k, value] of row.entries()) {
      const difference = Math.abs(value - (other[k] ?? Number.NaN));
      if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
      worst = Math.max(worst, difference);
    }
  }
  return worst;
}
