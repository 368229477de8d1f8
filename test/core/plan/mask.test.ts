import { expect, test } from 'vitest';
import { maskSpan } from '../../../src/core/plan/mask.ts';

const placeholder = [101, 102, 103, 13];

// GV9 of the specification.
test.each([
  { length: 7, ids: [101, 102, 103, 13, 13, 13, 13], truncated: false },
  { length: 4, ids: [101, 102, 103, 13], truncated: false },
  { length: 2, ids: [101, 102], truncated: true },
  { length: 0, ids: [], truncated: true },
])('a span of $length tokens keeps its length', ({ length, ids, truncated }) => {
  expect(maskSpan(placeholder, length, 'length_matched')).toEqual({ ids, truncated });
});

test('natural takes the placeholder as it is, even an empty one', () => {
  expect(maskSpan(placeholder, 2, 'natural')).toEqual({ ids: placeholder, truncated: false });
  expect(maskSpan([], 5, 'natural')).toEqual({ ids: [], truncated: false });
});
