import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeRanges, segmentsOf, type TokenKind } from '../../src/backends/llama-segments.ts';

/** 0 ends, 1 is a part of a character, all others are plain. */
const kindOf = (id: number): TokenKind => (id === 0 ? 'ending' : id === 1 ? 'partial' : 'plain');

describe('segments', () => {
  test('an ending closes its request; a part of a character has one of its own', () => {
    expect(segmentsOf([7, 7, 7, 0, 1, 1, 7, 0], 1, 8, kindOf)).toEqual([
      { kind: 'forced', from: 1, to: 4 },
      { kind: 'listed', from: 4, to: 5 },
      { kind: 'listed', from: 5, to: 6 },
      { kind: 'forced', from: 6, to: 8 },
    ]);
  });

  test('cover what is asked for, in order, and never name two tokens that no grammar takes', () => {
    const ids = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 700 });
    fc.assert(
      fc.property(ids, fc.nat(), (tokens, cut) => {
        const from = 1 + (cut % (tokens.length - 1));
        const segments = segmentsOf(tokens, from, tokens.length, kindOf);
        expect(segments.flatMap((s) => tokens.slice(s.from, s.to))).toEqual(tokens.slice(from));
        for (const { kind, from: start, to } of segments) {
          const kinds = tokens.slice(start, to).map(kindOf);
          if (kind === 'listed') expect(kinds).toEqual(['partial']);
          else expect(kinds.slice(0, -1).every((one) => one === 'plain') && kinds.at(-1) !== 'partial').toBe(true);
          expect(to - start).toBeLessThanOrEqual(257);
        }
      }),
    );
  });
});

test('ranges are merged where they meet', () => {
  const ranges = [
    { from: 9, to: 12 },
    { from: 1, to: 4 },
    { from: 4, to: 6 },
    { from: 2, to: 3 },
  ];
  expect(mergeRanges(ranges)).toEqual([
    { from: 1, to: 6 },
    { from: 9, to: 12 },
  ]);
});
