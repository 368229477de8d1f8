import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shifts } from '../../src/core/credit/gain.ts';
import { SHOWN_CHARACTERS, SHOWN_RUNS, tokenRuns, turnDetail } from '../../src/core/review-detail.ts';
import { scoredTalk, talk, type Pair } from './review-episode.ts';

const logprob = fc.double({ min: -12, max: 0, noNaN: true });
const NOBODY = { next: null, mask: null, why: 'nobody knows' };

test('D_j is made of the stored log-probs, and the runs of several tokens add up to the gain', () => {
  const pairsOf = fc.array(fc.tuple(logprob, logprob), { minLength: 1, maxLength: 4 });
  const runs = fc.array(fc.tuple(pairsOf, fc.string()), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(runs, (given) => {
      const words = given.map(([own, text]) => ({ count: own.length, text }));
      const pairs = given.flatMap(([own]) => own);
      const [factual, masked] = [pairs.map(([own]) => own), pairs.map(([, own]) => own)];
      const made = tokenRuns(factual, masked, words, SHOWN_RUNS);
      const total = shifts(factual, masked).reduce((sum, shift) => sum + shift, 0);
      expect(made.shifts.reduce((sum, shift) => sum + shift, 0)).toBeCloseTo(total, 6);
      expect(made.texts).toEqual(words.map(({ text }) => text));
      for (const [at, shift] of made.shifts.entries()) {
        expect((made.factual[at] ?? 0) - (made.masked[at] ?? 0)).toBeCloseTo(shift, 9);
      }
      const sizes = made.largest.map((at) => Math.abs(made.shifts[at] ?? 0));
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
      expect(Math.max(0, ...made.shifts.map(Math.abs))).toBe(sizes[0] ?? 0);
      expect(made.largest.length).toBeLessThanOrEqual(5);
    }),
  );
});

test('words that do not fit the log-probs are not put beside them', () => {
  const made = tokenRuns([-1, -2], [-2, -2], [{ text: 'one', count: 1 }], SHOWN_RUNS);
  expect(made.texts).toBeNull();
  expect(made.shifts).toEqual([1, 0]);
});

test('of a long action the beginning is shown until all of it is asked for; what is named is among it', () => {
  const count = SHOWN_RUNS + 500;
  const masked = Array.from({ length: count }, (_, at) => (at === count - 9 ? -8 : -1));
  const factual = Array.from({ length: count }, () => -1);
  const words = masked.map((_, at) => ({ text: `${at} `, count: 1 }));
  const made = tokenRuns(factual, masked, words, SHOWN_RUNS);
  expect(made.largest).toEqual([count - 9]);
  expect(made.shifts.length).toBe(count - 8);
  expect(made.length).toBe(count);
  expect(tokenRuns(factual, masked, words, Infinity).shifts).toHaveLength(count);
});

const A: Pair = [
  [-1, -0.5],
  [-3, -1],
];

test('a reply of a megabyte is cut, never in half a character, and comes whole when asked for', () => {
  const reply = `${'x'.repeat(SHOWN_CHARACTERS - 1)}👍${'y'.repeat(1 << 20)}`;
  const state = talk('e', [reply]);
  const [shown] = turnDetail({ state, scored: null }, 0, NOBODY)?.replies ?? [];
  expect(shown?.passage).toEqual({ text: 'x'.repeat(SHOWN_CHARACTERS - 1), length: reply.length });
  const [whole] = turnDetail({ state, scored: null }, 0, NOBODY, new Set(['replies']))?.replies ?? [];
  expect(whole?.passage.text).toBe(reply);
});

test('the placeholder stands where the reply stood, and what cannot be known says why', () => {
  const state = talk('e', ['skip them']);
  const scored = scoredTalk('e', [A]);
  const known = turnDetail({ state, scored }, 0, {
    next: [
      { text: 'Q', count: 1 },
      { text: '1?', count: 1 },
    ],
    mask: 'No info info',
    why: null,
  });
  expect(known?.masked).toEqual({
    passage: { text: 'No info info', length: 12 },
    words: '“x”, as long as the reply, 3 tokens',
  });
  expect(known?.next.tokens).toMatchObject({ texts: ['Q', '1?'], shifts: [2, 0.5], largest: [0, 1] });
  const gone = turnDetail({ state, scored }, 0, NOBODY);
  expect(gone?.next).toMatchObject({ why: 'nobody knows', tokens: { texts: null, shifts: [2, 0.5] } });
  expect(gone?.next.passage?.text).toBe('Q1?');
  expect(turnDetail({ state, scored: null }, 0, NOBODY)?.next).toMatchObject({
    tokens: null,
    why: 'No log-probs: not scored yet.',
  });
  expect(turnDetail({ state, scored }, 9, NOBODY)).toBeNull();
});
