import { expect, test } from 'vitest';
import { carriersOf } from '../../../src/core/plan/carriers.ts';
import { nearestOrder, wavesOf } from '../../../src/core/plan/waves.ts';

const sequence = (ids: readonly number[]) => ({ ids, from: ids.length - 1, to: ids.length });
const factual = [1, 2, 3, 4, 5, 6, 7, 8];
const maskedLate = [1, 2, 3, 4, 5, 0, 7, 8];
const maskedEarly = [1, 2, 0, 4];

test('masked histories go together once what they share has gone', () => {
  const carriers = carriersOf([maskedEarly, maskedLate, factual].map(sequence));
  const waves = wavesOf(carriers).map((wave) => wave.map((at) => carriers[at]?.ids));
  expect(waves[0]).toHaveLength(1);
  expect(waves.flat()).toHaveLength(3);
  expect(waves).toHaveLength(2);
});

test('one waits where another of its wave would leave more in the cache', () => {
  const branch = [1, 2, 9, 9, 9];
  const twig = [1, 2, 9, 9, 8];
  const carriers = carriersOf([factual, branch, twig].map(sequence));
  expect(wavesOf(carriers).map(({ length }) => length)).toEqual([1, 1, 1]);
});

test('histories that share nothing go at once', () => {
  expect(
    wavesOf(
      carriersOf(
        [
          [1, 2],
          [3, 4],
        ].map(sequence),
      ),
    ),
  ).toEqual([[0, 1]]);
  expect(wavesOf([])).toEqual([]);
});

test('a server that remembers its last sequence alone ends with the whole, where that costs nothing', () => {
  const carriers = carriersOf([factual, maskedLate].map(sequence));
  expect(nearestOrder(carriers).map((at) => carriers[at]?.ids)).toEqual([maskedLate, factual]);
  expect(nearestOrder([])).toEqual([]);
});

test('and begins with it, where an early part of it is read as well', () => {
  const early = { ids: factual.slice(0, 3), from: 2, to: 3 };
  const carriers = carriersOf([early, sequence(maskedEarly), sequence(factual), sequence(maskedLate)]);
  expect(nearestOrder(carriers).map((at) => carriers[at]?.ids)).toEqual([factual, maskedLate, maskedEarly]);
});
