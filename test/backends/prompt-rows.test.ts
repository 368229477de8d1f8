import { expect, test } from 'vitest';
import { readPromptRows, type PromptRows } from '../../src/backends/prompt-rows.ts';

const sequence = { ids: [5, 6, 7, 8], from: 2, to: 4 };
const row = (id: number, logprob: number | null = -id, rank = 1) => ({ id, logprob, rank });
const whole: PromptRows = {
  first: 0,
  rows: [null, row(6), row(7), row(8)],
  vocabulary: 100,
  cached: 0,
  firstIsEmpty: true,
};
const read = (changes: Partial<PromptRows>): number[] => readPromptRows('It', sequence, { ...whole, ...changes });

test('rows about their own tokens are log-probs, wherever the list begins', () => {
  expect(read({})).toEqual([-7, -8]);
  expect(read({ first: 1, rows: [null, row(7), row(8)] })).toEqual([-7, -8]);
  expect(read({ first: 2, rows: [row(7), row(8)], firstIsEmpty: false })).toEqual([-7, -8]);
  // The row at a position is computed at the token before it, so that this much may be cached.
  expect(read({ cached: 1 })).toEqual([-7, -8]);
});

test.each([
  ['a log-prob for the first token', { rows: [row(5), row(6), row(7), row(8)] }, 'missing_first_row'],
  ['rows that begin late', { first: 3, rows: [row(8)] }, 'short_rows'],
  ['rows that end early', { rows: [null, row(6), row(7)] }, 'short_rows'],
  ['a row too many', { rows: [null, row(6), row(7), row(8), row(9)] }, 'wrong_count'],
  ['a row of a cached position', { cached: 2 }, 'stale_row'],
  ['a rank that no row has', { rows: [null, row(6), row(7, -1, 0), row(8)] }, 'stale_row'],
  ['a rank beyond the vocabulary', { rows: [null, row(6), row(7, -1, 101), row(8)] }, 'stale_row'],
  ['another token', { rows: [null, row(6), row(8), row(8)] }, 'wrong_token_row'],
  ['no row', { rows: [null, row(6), null, row(8)] }, 'nan_row'],
  ['null', { rows: [null, row(6), row(7, null), row(8)] }, 'nan_row'],
  ['a positive log-prob', { rows: [null, row(6), row(7, 0.1), row(8)] }, 'impossible_logprob'],
  ['a number for "unknown"', { rows: [null, row(6), row(7, -9999), row(8)] }, 'impossible_logprob'],
  ['the lowest float', { rows: [null, row(6), row(7, -3.4e38), row(8)] }, 'impossible_logprob'],
  ['minus infinity', { rows: [null, row(6), row(7, -Infinity), row(8)] }, 'impossible_logprob'],
])('%s is named', (_, changes, reason) => {
  expect(() => read(changes)).toThrow(expect.objectContaining({ fault: 'protocol', reason }) as Error);
});
