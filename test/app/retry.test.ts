import { expect, test } from 'vitest';
import { retryAfter } from '../../src/app/retry.ts';
import { TurnwiseError, type Fault } from '../../src/core/error.ts';

const error = (fault: Fault, reason: string): TurnwiseError => new TurnwiseError(fault, reason, 'So it was.');

test('waits grow, are spread by up to a half, and end after the fourth', () => {
  const hung = error('backend', 'hung');
  const least = [1, 2, 3, 4, 5].map((attempts) => retryAfter(hung, attempts, () => 0));
  expect(least).toEqual([2_000, 10_000, 60_000, 300_000, null]);
  expect(retryAfter(hung, 2, () => 0.999)).toBe(14_995);
});

test.each([
  ['backend', 'unauthorized'],
  ['backend', 'unknown_model'],
  ['protocol', 'tokenizer_mismatch'],
  ['backend', 'too_long'],
  ['unsupported', 'engine_missing'],
  ['usage', 'consent_forbids'],
  ['corrupt', 'damaged_event'],
] as const)('%s %s lasts, and is not tried again', (fault, reason) => {
  expect(retryAfter(error(fault, reason), 1)).toBeNull();
});

test('what is no error of ours is not tried again', () => {
  expect(retryAfter(new Error('a bug'), 1)).toBeNull();
});
