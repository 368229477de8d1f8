/** Spearman's rank correlation of two lists, ties by their mean rank; null where one side does not vary. */
export function rankCorrelation(x: readonly number[], y: readonly number[]): number | null {
  return correlation(ranks(x), ranks(y));
}

/** Ranks from 0; equal values share the mean of their ranks. */
function ranks(values: readonly number[]): number[] {
  const sorted = [...values].sort((x, y) => x - y);
  const span = new Map<number, { first: number; count: number }>();
  for (const [at, value] of sorted.entries()) {
    const known = span.get(value);
    if (known === undefined) span.set(value, { first: at, count: 1 });
    else known.count += 1;
  }
  return values.map((value) => {
    const { first, count } = span.get(value) ?? { first: 0, count: 1 };
    return first + (count - 1) / 2;
  });
}

/** Pearson's correlation; null where one side does not vary. */
function correlation(x: readonly number[], y: readonly number[]): number | null {
  const [meanX, meanY] = [meanOf(x), meanOf(y)];
  let [xy, xx, yy] = [0, 0, 0];
  for (const [at, value] of x.entries()) {
    const [dx, dy] = [value - meanX, (y[at] ?? meanY) - meanY];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xx === 0 || yy === 0 ? null : xy / Math.sqrt(xx * yy);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
