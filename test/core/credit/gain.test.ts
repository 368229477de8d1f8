import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ESTIMATORS, estimate, gainNoise, nocopyGain, shifts } from '../../../src/core/credit/gain.ts';
import { KL_ESTIMATORS, klFull, klTopK } from '../../../src/core/credit/kl.ts';
import { TurnwiseError } from '../../../src/core/error.ts';
import { estimatorSchema } from '../../../src/core/scored-episode.ts';

const factual = [-0.1, -0.5, -0.2, -1.2];
const masked = [-1.1, -0.7, -2.2, -1];

// GV1.
test.each([
  { estimator: 'shift_mean', clip: null, gain: 0.75 },
  { estimator: 'shift_sum', clip: null, gain: 3 },
  { estimator: 'shift_relu', clip: null, gain: 0.8 },
  { estimator: 'shift_clip', clip: 1, gain: 0.5 },
  { estimator: 'k2', clip: null, gain: 0.635 },
  { estimator: 'k3', clip: null, gain: 0.385837059 },
] as const)('GV1: $estimator', ({ estimator, clip, gain }) => {
  const d = shifts(factual, masked);
  [1, 0.2, 2, -0.2].forEach((shift, j) => {
    expect(d[j]).toBeCloseTo(shift, 12);
  });
  expect(estimate(estimator, d, clip)).toBeCloseTo(gain, 9);
});

test('the table has every estimator that a score may name', () => {
  expect([...Object.keys(ESTIMATORS), ...Object.keys(KL_ESTIMATORS)].sort()).toEqual(
    [...estimatorSchema.options].sort(),
  );
});

describe('what has no gain throws', () => {
  test.each([
    { name: 'no token', call: () => estimate('shift_mean', [], null), reason: 'no_tokens' },
    { name: 'shift_clip without a bound', call: () => estimate('shift_clip', [1], null), reason: 'missing_clip' },
    { name: 'one log-prob short', call: () => shifts([-1, -2], [-1]), reason: 'logprob_count' },
    { name: 'a log-prob of -Infinity', call: () => shifts([-1], [-Infinity]), reason: 'logprob_not_finite' },
    { name: 'no position', call: () => klFull([], []), reason: 'no_tokens' },
    { name: 'other vocabularies', call: () => klFull([[-1, -1]], [[-1]]), reason: 'distribution_shape' },
    { name: 'other lengths', call: () => klFull([[-1]], [[-1], [-1]]), reason: 'distribution_shape' },
  ])('$name', ({ call, reason }) => {
    expect(call).toThrow(TurnwiseError);
    expect(call).toThrow(expect.objectContaining({ reason }) as Error);
  });
});

test('k3 bounds each term, so that one impossible token decides nothing', () => {
  expect(estimate('k3', [-1000, 0], null)).toBe(5);
});

const dArray = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 30 });

test('k2 and k3 are never negative, relu never below the mean, and clip stays in its bounds', () => {
  fc.assert(
    fc.property(dArray, fc.double({ min: 0.01, max: 5, noNaN: true }), (d, clip) => {
      expect(estimate('k2', d, null)).toBeGreaterThanOrEqual(0);
      expect(estimate('k3', d, null)).toBeGreaterThanOrEqual(0);
      expect(estimate('shift_relu', d, null)).toBeGreaterThanOrEqual(estimate('shift_mean', d, null) - 1e-12);
      expect(Math.abs(estimate('shift_clip', d, clip))).toBeLessThanOrEqual(clip + 1e-12);
    }),
  );
});

const ln = Math.log;
const p = [0.7, 0.2, 0.1];
const q = [0.4, 0.3, 0.3];

test('GV2: the full divergence, and its bound from one token and the rest', () => {
  expect(klFull([p.map(ln)], [q.map(ln)])).toBeCloseTo(0.200776801, 9);
  const top1 = {
    factualTop: new Map([[0, ln(0.7)]]),
    maskedKnown: new Map([[0, ln(0.4)]]),
    actual: { id: 0, factual: ln(0.7), masked: ln(0.4) },
  };
  const { gain, support } = klTopK([top1]);
  expect(gain).toBeCloseTo(0.183786897, 9);
  expect(support).toBe(2);
});

test('a top token that the masked pass does not know goes to the rest, the actual token always counts', () => {
  const { gain, support } = klTopK([
    {
      factualTop: new Map([
        [0, ln(0.7)],
        [1, ln(0.2)],
      ]),
      maskedKnown: new Map([[0, ln(0.4)]]),
      actual: { id: 2, factual: ln(0.1), masked: ln(0.3) },
    },
  ]);
  expect(support).toBe(3);
  expect(gain).toBeCloseTo(0.7 * ln(0.7 / 0.4) + 0.1 * ln(0.1 / 0.3) + 0.2 * ln(0.2 / 0.3), 12);
});

const distribution = fc
  .array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 })
  .map((weights) => weights.map((weight) => ln(weight / weights.reduce((sum, w) => sum + w, 0))));

test('kl_topk is a lower bound of kl_full, and neither is negative', () => {
  fc.assert(
    fc.property(distribution, distribution, fc.integer({ min: 1, max: 6 }), fc.nat(5), (f, m, k, id) => {
      const ranked = f.map((logprob, token) => [token, logprob] as const).sort((a, b) => b[1] - a[1]);
      const { gain } = klTopK([
        {
          factualTop: new Map(ranked.slice(0, k)),
          maskedKnown: new Map(m.entries()),
          actual: { id, factual: f[id] ?? NaN, masked: m[id] ?? NaN },
        },
      ]);
      expect(gain).toBeGreaterThanOrEqual(-1e-9);
      expect(gain).toBeLessThanOrEqual(klFull([f], [m]) + 1e-9);
    }),
  );
});

test('gain_nocopy leaves out runs of five and more that the reply has, and nothing shorter', () => {
  const reply = [7, 1, 2, 3, 4, 5, 6, 8];
  expect(nocopyGain([9, 9, 9, 9, 9, 9, 1, 3], [1, 2, 3, 4, 5, 6, 50, 51], reply)).toBe(2);
  expect(nocopyGain([9, 9, 9, 9, 1], [1, 2, 3, 4, 50], reply)).toBeCloseTo(7.4, 12);
  expect(nocopyGain([9, 9, 9, 9, 9], [1, 2, 3, 4, 5], reply)).toBeNull();
  expect(nocopyGain([1, 3], [1, 2], [])).toBe(2);
  // 11 2 is not 1 12: runs are compared id by id.
  expect(nocopyGain([1, 1, 1, 1, 1], [11, 2, 3, 4, 5], [1, 12, 3, 4, 5])).toBe(1);
});

test('noise is the largest difference to a repeated score, unknown without one', () => {
  expect(gainNoise(0.5, [])).toBeNull();
  expect(gainNoise(0.5, [0.5, 0.4, 0.55])).toBeCloseTo(0.1, 12);
});
