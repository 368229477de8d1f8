import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planEpisode, sequencesOf, type TurnTokens } from '../../../src/core/plan/plan.ts';

const options = { maskMode: 'length_matched', contextSize: 10_000 } as const;
const placeholder = [91, 92];

/** A growing transcript: head, then per turn the observation, the template's tail and the next action, all ids distinct. */
function appendOnly(shape: { head: number; obs: number; tail: number; action: number; turns: number }): TurnTokens[] {
  let next = 1000;
  const fresh = (count: number): number[] => Array.from({ length: count }, () => next++);
  let transcript = fresh(shape.head);
  return Array.from({ length: shape.turns }, (_, index) => {
    const [observation, tail, nextAction] = [fresh(shape.obs), fresh(shape.tail), fresh(shape.action)];
    const context = [
      { ids: transcript, observation: false },
      { ids: observation, observation: true },
      { ids: tail, observation: false },
    ];
    transcript = [...transcript, ...observation, ...tail, ...nextAction];
    return { index, context, nextAction, placeholder, nullReason: null };
  });
}

const turn = (overrides: Partial<TurnTokens>): TurnTokens => ({ ...firstTurn, ...overrides });
const firstTurn: TurnTokens = {
  index: 0,
  context: [
    { ids: [1, 2], observation: false },
    { ids: [3, 4, 5], observation: true },
    { ids: [6], observation: false },
  ],
  nextAction: [7, 8],
  placeholder,
  nullReason: null,
};

test('factual and masked history, cut at the end of the next action', () => {
  const { turns } = planEpisode('a', [firstTurn], options);
  expect(turns).toEqual([
    {
      index: 0,
      factual: { ids: [1, 2, 3, 4, 5, 6, 7, 8], from: 6, to: 8, obsStart: 2, obsEnd: 5 },
      masked: { ids: [1, 2, 91, 92, 92, 6, 7, 8], from: 6, to: 8, obsStart: 2, obsEnd: 5 },
      maskIds: [91, 92, 92],
      maskTruncated: false,
      alone: [],
      nullReason: null,
    },
  ]);
});

test('a natural mask moves what follows it, and says where it stands', () => {
  const { turns } = planEpisode('a', [firstTurn], { ...options, maskMode: 'natural' });
  expect(turns[0]).toMatchObject({
    masked: { ids: [1, 2, 91, 92, 6, 7, 8], from: 5, to: 7, obsStart: 2, obsEnd: 4 },
    maskIds: [91, 92],
  });
});

test('the observations of one turn are masked together; what stands between them stays', () => {
  const context = [
    { ids: [1], observation: false },
    { ids: [3, 4], observation: true },
    { ids: [50, 51], observation: false },
    { ids: [5], observation: true },
    { ids: [6], observation: false },
  ];
  const { turns } = planEpisode('a', [turn({ context })], options);
  expect(turns[0]).toMatchObject({
    masked: { ids: [1, 91, 92, 50, 51, 91, 6, 7, 8], obsStart: 1, obsEnd: 6 },
    maskIds: [91, 92, 50, 51, 91],
    maskTruncated: true,
  });
});

describe('the causal limit', () => {
  test.each([1, 4, 8, 16])('of an append-only transcript of %i turns is one pass and a detour a turn', (turns) => {
    const shape = { head: 50, obs: 20, tail: 5, action: 30, turns };
    const { limit, tokens } = planEpisode('a', appendOnly(shape), options);
    const length = shape.head + turns * (shape.obs + shape.tail + shape.action);
    expect(limit).toBe(length - 1 + turns * (shape.obs + shape.tail + shape.action - 1));
    expect(tokens).toBeGreaterThan(limit);
  });

  test('is never above the tokens laid end to end, nor below the longest sequence', () => {
    const ids = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 6 });
    const turns = fc.array(fc.tuple(ids, ids, ids, ids), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(turns, (drawn) => {
        const plan = planEpisode(
          'a',
          drawn.map(([head, observation, tail, nextAction], index) =>
            turn({
              index,
              context: [
                { ids: head, observation: false },
                { ids: observation, observation: true },
                { ids: tail, observation: false },
              ],
              nextAction,
            }),
          ),
          options,
        );
        const sequences = sequencesOf(plan.turns);
        expect(plan.limit).toBeLessThanOrEqual(plan.tokens - sequences.length);
        expect(plan.limit).toBeGreaterThanOrEqual(Math.max(0, ...sequences.map(({ ids: all }) => all.length - 1)));
      }),
    );
  });
});

test.each([
  ['no_next_action', turn({ nextAction: null })],
  ['no_next_action', turn({ nextAction: [] })],
  ['template_mismatch', turn({ context: null })],
  ['empty_reply', turn({ context: [{ ids: [1], observation: false }] })],
  [
    'empty_reply',
    turn({
      context: [
        { ids: [1], observation: false },
        { ids: [], observation: true },
      ],
    }),
  ],
  ['no_donor', turn({ placeholder: null })],
  ['unsupported', turn({ placeholder: [] })],
  ['mask_equals_reply', turn({ placeholder: [3, 4, 5, 6] })],
  ['straddle', turn({ context: null, nullReason: 'straddle' })],
] as const)('%s is a reason, not a number', (nullReason, tokens) => {
  const plan = planEpisode('a', [tokens], options);
  expect(plan.turns[0]?.nullReason).toBe(nullReason);
  expect(plan).toMatchObject({ tokens: 0, limit: 0 });
});

test('too long for the scorer, naming both lengths', () => {
  const { turns } = planEpisode('a', [firstTurn], { ...options, contextSize: 7 });
  expect(turns[0]).toEqual({ index: 0, nullReason: 'too_long', nullDetail: '8 tokens, and the scorer takes 7' });
});

describe('several observations of one turn', () => {
  const span = (ids: readonly number[], observation: boolean): { ids: readonly number[]; observation: boolean } => ({
    ids,
    observation,
  });
  const context = [span([1], false), span([3, 4], true), span([50, 51], false), span([5], true), span([6], false)];

  test('each is masked alone as well, the others stay real, and the printed limit counts them', () => {
    const plan = planEpisode('a', [turn({ context })], options);
    const [planned] = plan.turns;
    if (planned?.nullReason !== null) throw new Error('not planned');
    expect(planned.alone.map(({ masked }) => masked?.ids)).toEqual([
      [1, 91, 92, 50, 51, 5, 6, 7, 8],
      [1, 3, 4, 50, 51, 91, 6, 7, 8],
    ]);
    const sequences = sequencesOf(plan.turns);
    expect(sequences).toHaveLength(4);
    expect(plan.tokens).toBe(sequences.reduce((sum, { ids }) => sum + ids.length, 0));
    // One pass; a detour for both masks from the first, and from the second; one for the second alone.
    expect(plan.limit).toBe(8 + 7 + 3 + 3);
    expect(sequences.every(({ from, to }) => from === 7 && to === 9)).toBe(true);
  });

  test('an empty one stays empty under both modes, and says why it has no mask of its own', () => {
    const one = [span([1], false), span([3, 4], true), span([50], false), span([], true), span([6], false)];
    for (const maskMode of ['length_matched', 'natural'] as const) {
      const [planned] = planEpisode('a', [turn({ context: one })], { ...options, maskMode }).turns;
      if (planned?.nullReason !== null) throw new Error('not planned');
      expect(planned.masked.ids).toEqual([1, 91, 92, 50, 6, 7, 8]);
      expect(planned.alone).toEqual([
        { masked: planned.masked, nullReason: null },
        { masked: null, nullReason: 'empty_reply' },
      ]);
    }
  });

  test('one that the mask leaves as it was has no gain of its own, nor one that no longer fits', () => {
    const same = [span([1], false), span([91, 92], true), span([50], false), span([5], true), span([6], false)];
    const [planned] = planEpisode('a', [turn({ context: same })], options).turns;
    expect(planned).toMatchObject({ alone: [{ masked: null, nullReason: 'mask_equals_reply' }, { nullReason: null }] });
    const natural = { maskMode: 'natural', contextSize: 10 } as const;
    const short = [span([1], false), span([3], true), span([50], false), span([5, 6, 7, 8], true), span([6], false)];
    const [tight] = planEpisode('a', [turn({ context: short })], natural).turns;
    expect(tight).toMatchObject({
      nullReason: null,
      alone: [{ masked: null, nullReason: 'too_long' }, { nullReason: null }],
    });
  });

  test('all empty is no reply', () => {
    const empty = [span([1], false), span([], true), span([50], false), span([], true)];
    expect(planEpisode('a', [turn({ context: empty })], options).turns[0]?.nullReason).toBe('empty_reply');
  });
});
