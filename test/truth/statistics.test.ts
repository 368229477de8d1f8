import { expect, test } from 'vitest';
import { argmax, auc, bootstrap, kendall, mean, quantile, share } from '../../truth/statistics.ts';

test("a share has Wilson's interval, inside [0, 1] at the ends too", () => {
  const hits = (n: number, of: number): boolean[] => Array.from({ length: of }, (_, at) => at < n);
  const half = share(hits(5, 10));
  // Wilson 1927 for 5 of 10.
  expect(half.low).toBeCloseTo(0.2366, 4);
  expect(half.high).toBeCloseTo(0.7634, 4);
  expect(share(hits(20, 20))).toMatchObject({ value: 1, high: 1, n: 20 });
  expect(share(hits(20, 20)).low).toBeCloseTo(0.8389, 4);
  expect(share(hits(0, 20)).low).toBe(0);
});

test('a bootstrap covers the mean as the normal interval does, and the same label gives the same numbers', () => {
  const values = Array.from({ length: 400 }, (_, at) => (at * 7919) % 101);
  const found = bootstrap(values, mean, 'a');
  const sd = Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));
  const half = (1.96 * sd) / Math.sqrt(values.length);
  expect(found.value).toBe(mean(values));
  expect(Math.abs(found.high - found.value - half)).toBeLessThan(0.15 * half);
  expect(Math.abs(found.value - found.low - half)).toBeLessThan(0.15 * half);
  expect(bootstrap(values, mean, 'a')).toEqual(found);
  expect(bootstrap(values, mean, 'b')).not.toEqual(found);
});

test('AUC counts pairs, ties half', () => {
  expect(auc([3, 4, 5], [0, 1, 2], 'apart')).toMatchObject({ value: 1, low: 1, high: 1, n: 3 });
  expect(auc([1, 2], [1, 2], 'alike').value).toBe(0.5);
  expect(auc([0], [1, 2], 'below').value).toBe(0);
});

test("Kendall's tau-b counts ties", () => {
  expect(kendall([1, 2, 3, 4], [1, 2, 3, 4])).toBe(1);
  expect(kendall([1, 2, 3, 4], [4, 3, 2, 1])).toBe(-1);
  // One of three pairs is tied in b: (2 - 0) / sqrt(3 * 2).
  expect(kendall([1, 2, 3], [1, 1, 2])).toBeCloseTo(2 / Math.sqrt(6), 12);
  expect(kendall([1, 1], [1, 2])).toBeNaN();
});

test('quantiles lie between order statistics, and of equals the first is the largest', () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([4, 1, 3, 2], 0)).toBe(1);
  expect(quantile([], 0.5)).toBeNaN();
  expect(argmax([0, 2, 2, -1])).toBe(1);
  expect(argmax([-Infinity, -3])).toBe(1);
});
