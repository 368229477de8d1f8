import { areaUnderCurve } from '../src/app/doctor/check-fitness.ts';
import { seededRandom } from '../src/app/demo/random.ts';

/** A figure with its 95 % interval; `n` is how many observations it rests on. NaN where there are none. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

const Z = 1.959964;
const RESAMPLES = 1000;

/** Share of trues, with Wilson's score interval. */
export function share(outcomes: readonly boolean[]): Estimate {
  const n = outcomes.length;
  const p = outcomes.filter(Boolean).length / n;
  const centre = (p + Z ** 2 / (2 * n)) / (1 + Z ** 2 / n);
  const half = (Z / (1 + Z ** 2 / n)) * Math.sqrt((p * (1 - p)) / n + Z ** 2 / (4 * n ** 2));
  return { value: p, low: Math.max(0, centre - half), high: Math.min(1, centre + half), n };
}

/** A statistic of a list with its percentile bootstrap interval over the items; the same label gives the same resamples. */
export function bootstrap<T>(items: readonly T[], statistic: (items: readonly T[]) => number, label: string): Estimate {
  const random = seededRandom(`bootstrap ${label}`);
  const drawn = Array.from({ length: RESAMPLES }, () => statistic(resample(items, random)));
  return { value: statistic(items), low: quantile(drawn, 0.025), high: quantile(drawn, 0.975), n: items.length };
}

/** AUC of `higher` over `lower`, ties half, with a bootstrap interval over both lists. */
export function auc(higher: readonly number[], lower: readonly number[], label: string): Estimate {
  const random = seededRandom(`bootstrap ${label}`);
  const drawn = Array.from({ length: RESAMPLES }, () =>
    areaUnderCurve(resample(higher, random), resample(lower, random)),
  );
  const n = Math.min(higher.length, lower.length);
  return { value: areaUnderCurve(higher, lower), low: quantile(drawn, 0.025), high: quantile(drawn, 0.975), n };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Linear between the order statistics; NaN of an empty list. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = p * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] ?? NaN, sorted[Math.ceil(at)] ?? NaN];
  return low + (high - low) * (at - Math.floor(at));
}

/** Kendall's tau-b of two lists of the same length; NaN where one of them is constant. */
export function kendall(a: readonly number[], b: readonly number[]): number {
  let [agree, tiedA, tiedB, pairs] = [0, 0, 0, 0];
  for (let i = 0; i < a.length; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const [x, y] = [Math.sign((a[i] ?? 0) - (a[j] ?? 0)), Math.sign((b[i] ?? 0) - (b[j] ?? 0))];
      pairs += 1;
      agree += x * y;
      if (x === 0) tiedA += 1;
      if (y === 0) tiedB += 1;
    }
  }
  return agree / Math.sqrt((pairs - tiedA) * (pairs - tiedB));
}

/** Where the largest value stands; of equals the first. */
export function argmax(values: readonly number[]): number {
  return values.reduce((best, value, at) => (value > (values[best] ?? -Infinity) ? at : best), 0);
}

function resample<T>(items: readonly T[], random: () => number): T[] {
  return items.map(() => items[Math.floor(random() * items.length)] as T);
}
