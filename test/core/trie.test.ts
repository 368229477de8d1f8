import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ScoreSequence } from '../../src/core/backend.ts';
import { buildTrie, causalLimit, sizeOf, walkTrie } from '../../src/core/plan/trie.ts';

// Three letters only, so that prefixes collide all the time.
const sequence = fc
  .array(fc.integer({ min: 0, max: 2 }), { minLength: 2, maxLength: 12 })
  .chain((ids) =>
    fc
      .tuple(fc.integer({ min: 1, max: ids.length }), fc.integer({ min: 1, max: ids.length }))
      .map(([a, b]): ScoreSequence => ({ ids, from: Math.min(a, b), to: Math.max(a, b) })),
  );
const plan = fc.array(sequence, { maxLength: 8 });

/** What the limit means, said the slow way: distinct prefixes of the sequences without their last token. */
function prefixes(sequences: readonly ScoreSequence[]): Set<string> {
  return new Set(sequences.flatMap(({ ids }) => ids.slice(0, -1).map((_, at) => ids.slice(0, at + 1).join(' '))));
}

describe('causal limit', () => {
  test('no sequences, and sequences of one token, cost nothing', () => {
    expect(causalLimit([])).toBe(0);
    expect(causalLimit([{ ids: [5], from: 1, to: 1 }])).toBe(0);
  });

  test('counts distinct prefixes', () => {
    fc.assert(
      fc.property(plan, (sequences) => {
        expect(causalLimit(sequences)).toBe(prefixes(sequences).size);
      }),
    );
  });

  test('a masked sibling costs its mask, the template tail and the action, and no prefix', () => {
    const factual = { ids: [1, 2, 3, 10, 11, 12, 7, 8, 9], from: 7, to: 9 };
    const masked = { ids: [1, 2, 3, 20, 21, 22, 7, 8, 9], from: 7, to: 9 };
    expect(causalLimit([factual, masked])).toBe(8 + 5);
  });

  test('is the same in any order, and never more for a sequence given twice', () => {
    fc.assert(
      fc.property(plan, (sequences) => {
        expect(causalLimit([...sequences].reverse())).toBe(causalLimit(sequences));
        expect(causalLimit([...sequences, ...sequences])).toBe(causalLimit(sequences));
      }),
    );
  });
});

describe('walk', () => {
  test('runs add up to the limit, and each starts inside what is already there', () => {
    fc.assert(
      fc.property(plan, (sequences) => {
        const runs = walkTrie(sequences);
        expect(runs.reduce((sum, run) => sum + run.ids.length, 0)).toBe(causalLimit(sequences));
        const seen = new Set<string>();
        let cache: number[] = [];
        for (const run of runs) {
          expect(run.start).toBeLessThanOrEqual(cache.length);
          expect(run.wants).toHaveLength(run.ids.length);
          cache = cache.slice(0, run.start);
          for (const id of run.ids) {
            cache.push(id);
            const prefix = cache.join(' ');
            expect(seen.has(prefix)).toBe(false);
            seen.add(prefix);
          }
        }
        expect(seen).toEqual(prefixes(sequences));
      }),
    );
  });

  test('answers every position that was asked for, exactly once, behind its own prefix', () => {
    fc.assert(
      fc.property(plan, (sequences) => {
        const answered = sequences.map(() => new Map<number, number>());
        let cache: number[] = [];
        for (const run of walkTrie(sequences)) {
          cache = cache.slice(0, run.start);
          run.ids.forEach((id, offset) => {
            cache.push(id);
            const tokens = run.wants[offset]?.map((want) => want.token) ?? [];
            expect(new Set(tokens).size).toBe(tokens.length);
            for (const { token, position, sequences: asking } of run.wants[offset] ?? []) {
              expect(position).toBe(cache.length);
              for (const index of asking) {
                expect(sequences[index]?.ids.slice(0, position)).toEqual(cache);
                expect(answered[index]?.has(position)).toBe(false);
                answered[index]?.set(position, token);
              }
            }
          });
        }
        sequences.forEach(({ ids, from, to }, index) => {
          const expected = ids.slice(from, to).map((token, k): [number, number] => [from + k, token]);
          expect([...(answered[index] ?? [])].sort(([a], [b]) => a - b)).toEqual(expected);
        });
      }),
    );
  });

  test('several sequences may ask for different tokens at the same fork', () => {
    const runs = walkTrie([
      { ids: [1, 2, 3], from: 1, to: 3 },
      { ids: [1, 2, 4], from: 2, to: 3 },
    ]);
    expect(runs).toEqual([
      {
        start: 0,
        ids: [1, 2],
        wants: [
          [{ token: 2, position: 1, sequences: [0] }],
          [
            { token: 3, position: 2, sequences: [0] },
            { token: 4, position: 2, sequences: [1] },
          ],
        ],
      },
    ]);
  });

  test.each([
    { name: 'masked as long as the reply', mask: [20, 21] },
    { name: 'masked longer than the reply', mask: [20, 21, 22, 23, 24] },
    { name: 'masked shorter than the reply', mask: [20] },
  ])('leaves the last factual history in the cache: $name', ({ mask }) => {
    const factual = [1, 2, 10, 11, 3, 4];
    const next = [...factual, 5, 12, 13, 3, 6];
    const given = [factual, [1, 2, ...mask, 3, 4], next, [...factual, 5, ...mask, 3, 6]].map((ids): ScoreSequence => ({
      ids,
      from: ids.length - 1,
      to: ids.length,
    }));
    let cache: number[] = [];
    for (const run of walkTrie(given)) cache = [...cache.slice(0, run.start), ...run.ids];
    expect(cache).toEqual(next.slice(0, -1));
  });

  test('an edge knows the sequences that pass through all of it', () => {
    const trie = buildTrie([
      { ids: [1, 2, 3, 9], from: 1, to: 2 },
      { ids: [1, 2, 9], from: 1, to: 2 },
    ]);
    expect(sizeOf(trie)).toBe(3);
    expect(trie.children[0]).toMatchObject({ ids: [1, 2], through: [0, 1] });
    expect(trie.children[0]?.children[0]).toMatchObject({ ids: [3], through: [0] });
  });
});
