import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  FAILED_BELOW,
  MARK_IDS,
  toldOf,
  type MarkEpisode,
  type MarkId,
  type MarkTurn,
} from '../../../src/core/marks/mark.ts';
import { MARKS, marksOf } from '../../../src/core/marks/marks.ts';

/** Turns whose next action has five tokens; the last one answers. `totals` are nats, null unknown. */
function episode(
  outcome: number | null,
  totals: readonly (number | null)[],
  placeboMean: number | null = null,
): MarkEpisode {
  const asked = totals.map((total, index): MarkTurn => ({
    index,
    kind: 'question',
    inherited: false,
    replied: true,
    total,
    mean: total === null ? null : total / 5,
    doubtful: false,
  }));
  const answer = {
    kind: 'answer',
    inherited: false,
    replied: false,
    total: null,
    mean: null,
    doubtful: false,
  } as const;
  return { outcome, placeboMean, turns: [...asked, { ...answer, index: totals.length }] };
}

function marked(given: MarkEpisode): Record<number, readonly MarkId[]> {
  return Object.fromEntries(marksOf(given));
}

describe('what each mark says, by its rule', () => {
  test.each<[string, MarkEpisode, Record<number, MarkId[]>]>([
    [
      'honourable failure: it failed, and a reply had told something',
      episode(0, [1.2, 0.3]),
      { 0: ['honourable_failure'] },
    ],
    ['failed by half is not failed', episode(0.5, [1.2, 0.3]), {}],
    [
      'no more than a placebo gains is nothing that was told',
      episode(0, [1.2, 0.3], 0.24),
      { 2: ['premature_answer'] },
    ],
    [
      'premature: nothing was told before the answer, and it failed',
      episode(0.2, [0.1, 0]),
      { 2: ['premature_answer'] },
    ],
    ['premature: it did not ask at all', episode(0, []), { 0: ['premature_answer'] }],
    ['it did not ask, and it was right', episode(1, []), {}],
    ['one gain that nobody knows may have been the telling one', episode(0, [0.1, null]), {}],
    [
      'all was said: it came out well, and no reply told anything',
      episode(1, [0.1, -0.1]),
      { 0: ['all_was_said'], 1: ['all_was_said'] },
    ],
    ['one reply between the two bounds, and nobody knows that all was said', episode(1, [0.1, 0.3]), {}],
    ['own sake: another reply told something', episode(1, [1.2, 0.1]), { 1: ['own_sake'] }],
    ['own sake, whatever the outcome', episode(null, [1.2, 0.1, 0.15]), { 1: ['own_sake'], 2: ['own_sake'] }],
    ['acted against the reply', episode(1, [1.2, -0.6]), { 1: ['acted_against'] }],
    ['no less than a placebo gains is not against it', episode(1, [1.2, -0.6], -0.2), {}],
    ['nobody knows how it ended, and little was told', episode(null, [0.1, 0.3]), {}],
  ])('%s', (_, given, expected) => {
    expect(marked(given)).toEqual(expected);
  });

  test('what a branch inherited is marked in its parent', () => {
    const { turns, ...rest } = episode(0, [1.2, 0.1]);
    const inherited = { ...rest, turns: turns.map((turn) => ({ ...turn, inherited: turn.index < 2 })) };
    expect(marked(inherited)).toEqual({});
    const none = {
      ...rest,
      turns: turns.map((turn) => ({ ...turn, inherited: turn.index < 1, mean: null, total: null })),
    };
    expect(marked(none)).toEqual({});
  });

  test('an unfit placeholder, or a next action that was stopped or edited: nothing is read from the gain', () => {
    const { turns, ...rest } = episode(0, [1.2, -2, 0.1]);
    expect(marked({ ...rest, turns: turns.map((turn) => ({ ...turn, doubtful: true })) })).toEqual({});
  });

  test('every mark has a title and a rule with its numbers, in one sentence', () => {
    for (const id of MARK_IDS) {
      expect(MARKS[id].id).toBe(id);
      expect(MARKS[id].rule).toMatch(/^[A-Z].*\d.*\.$/);
    }
    expect(new Set(MARK_IDS.map((id) => MARKS[id].title)).size).toBe(5);
  });
});

const gain = fc.option(fc.double({ min: -3, max: 3, noNaN: true }));
const anyTurn = fc
  .record({
    kind: fc.constantFrom('question' as const, 'answer' as const, 'tool_call' as const),
    inherited: fc.boolean(),
    replied: fc.boolean(),
    total: gain,
    doubtful: fc.boolean(),
  })
  .map((turn) => ({ ...turn, mean: turn.total === null ? null : turn.total / 7 }));
const anyEpisode: fc.Arbitrary<MarkEpisode> = fc.record({
  outcome: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  placeboMean: fc.option(fc.double({ min: -0.3, max: 0.3, noNaN: true })),
  turns: fc.array(anyTurn, { maxLength: 8 }).map((turns) => turns.map((turn, index) => ({ ...turn, index }))),
});

describe('whatever the episode', () => {
  test('marks stand on turns of its own, and hiding a gain never adds one to it', () => {
    fc.assert(
      fc.property(anyEpisode, (given) => {
        const marks = marksOf(given);
        for (const [index, ids] of marks) {
          expect(given.turns[index]?.inherited).toBe(false);
          expect(new Set(ids).size).toBe(ids.length);
        }
        for (const { index } of given.turns) {
          const turns = given.turns.map((turn) => (turn.index === index ? { ...turn, total: null, mean: null } : turn));
          const hidden = marksOf({ ...given, turns }).get(index) ?? [];
          expect(hidden.every((id) => id === 'premature_answer')).toBe(true);
        }
      }),
    );
  });

  test('no mark needs an unknown: nothing known, nothing marked', () => {
    fc.assert(
      fc.property(anyEpisode, (given) => {
        const blind = {
          ...given,
          outcome: null,
          turns: given.turns.map((turn) => ({ ...turn, total: null, mean: null })),
        };
        expect(marksOf(blind).size).toBe(0);
      }),
    );
  });

  test('one reply never told something and nothing, nor was acted on and against', () => {
    const pairs: [MarkId, MarkId][] = [
      ['all_was_said', 'own_sake'],
      ['honourable_failure', 'own_sake'],
      ['honourable_failure', 'acted_against'],
      ['own_sake', 'acted_against'],
      ['premature_answer', 'honourable_failure'],
      ['all_was_said', 'honourable_failure'],
    ];
    fc.assert(
      fc.property(anyEpisode, (given) => {
        for (const ids of marksOf(given).values()) {
          for (const [a, b] of pairs) {
            // An answer may be premature and what came back after it a failure worth keeping.
            if (a === 'premature_answer') continue;
            expect(ids.includes(a) && ids.includes(b)).toBe(false);
          }
        }
        const failed = given.outcome !== null && given.outcome < FAILED_BELOW;
        for (const id of ['honourable_failure', 'premature_answer'] as const)
          if (!failed) expect(MARKS[id].of(given)).toEqual([]);
        for (const turn of given.turns) if (turn.total === null) expect(toldOf(turn, given.placeboMean)).toBeNull();
      }),
    );
  });
});
