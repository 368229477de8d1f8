import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EventBody } from '../../src/core/event.ts';
import {
  isReviewed,
  newestChange,
  NO_OVERRIDE,
  overrideOf,
  wentOnSince,
  type Override,
  type OverrideChange,
} from '../../src/core/override.ts';
import { reduce } from '../../src/core/reduce.ts';
import { generationOf, overrideChange, started, stored } from './event-arbitrary.ts';

const asked = (turn: number): EventBody[] => [
  { type: 'action_started', turn, pid: 1 },
  { type: 'action_asked', turn, question: 'Which?', options: [], generation: generationOf('Which?') },
  { type: 'observed', turn, kind: 'typed', text: 'that', options_shown: [], option: null, latency_ms: 1 },
];
/** A conversation of two turns: 8 events, so that the first override is event 8. */
const talk: EventBody[] = [started, { type: 'request_accepted', text: 'Do it.' }, ...asked(0), ...asked(1)];
const set = (turn: number | null, change: OverrideChange): EventBody => ({ type: 'override_set', turn, change });
const undo = (seq: number): EventBody => ({ type: 'override_undone', seq });
const useful: OverrideChange = { field: 'label', value: 'useful' };
const harmful: OverrideChange = { field: 'label', value: 'harmful' };

test('labels, notes, exclusions and ticks stand beside the score; an undo brings out what was there before', () => {
  const bodies = [...talk, set(0, useful), set(0, harmful), set(0, { field: 'note', value: 'why?' }), undo(9)];
  const state = reduce(stored([...bodies, set(null, { field: 'excluded', value: true })]));
  expect(state.turns[0]?.override).toEqual({ ...NO_OVERRIDE, label: 'useful', note: 'why?' });
  expect(state.turns[1]?.override).toEqual(NO_OVERRIDE);
  expect(state.override).toEqual({ ...NO_OVERRIDE, excluded: true });
  expect(state.ignored).toEqual([]);
  // Nothing is deleted: what was taken back is still told.
  expect(state.overrides.map(({ seq, takenBack }) => [seq, takenBack])).toEqual([
    [8, false],
    [9, true],
    [10, false],
    [12, false],
  ]);
  expect(newestChange(state.overrides)?.seq).toBe(12);
});

test.each<[string, EventBody]>([
  ['nothing_to_undo', undo(1)],
  ['nothing_to_undo', undo(99)],
  ['no_such_turn', set(7, useful)],
])('%s: refused, and nothing changes', (why, body) => {
  const before = reduce(stored(talk));
  const after = reduce(stored([...talk, body]));
  expect(after).toEqual({ ...before, ignored: [{ seq: 8, type: body.type, why }], lastSeq: 8 });
});

test('a change is taken back once', () => {
  const state = reduce(stored([...talk, set(0, useful), undo(8), undo(8)]));
  expect(state.ignored.map(({ why }) => why)).toEqual(['nothing_to_undo']);
});

test('what a branch inherited is reviewed in its parent', () => {
  const turns = [
    {
      kind: 'question' as const,
      text: 'Which?',
      question: 'Which?',
      options: [],
      message: null,
      code: null,
      ids: null,
      observations: [],
    },
  ];
  const parent = { episode_id: 'p', turn: 0, group_id: 'p', request: 'Do it.', turns };
  const state = reduce(stored([{ ...started, parent }, set(0, useful)]));
  expect(state.ignored.map(({ why }) => why)).toEqual(['inherited_turn']);
});

/** Changes and undos (of the change at a place among them), as two reviewers may make them in any order. */
const moves = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ turn: fc.option(fc.nat({ max: 1 })), change: overrideChange }) },
    { weight: 1, arbitrary: fc.nat({ max: 20 }) },
  ),
  { maxLength: 20 },
);

test('in each field the last change that stands holds, and the words and scores below never move', () => {
  fc.assert(
    fc.property(moves, (made) => {
      const bodies = made.map((move) =>
        typeof move === 'number' ? undo(talk.length + move) : set(move.turn, move.change),
      );
      const before = reduce(stored(talk));
      const state = reduce(stored([...talk, ...bodies]));
      const bare = { ...state, override: NO_OVERRIDE, overrides: [], ignored: [], lastSeq: before.lastSeq };
      expect({ ...bare, turns: state.turns.map((turn) => ({ ...turn, override: NO_OVERRIDE })) }).toEqual(before);
      // Against a model that keeps a stack per field.
      for (const turn of [null, 0, 1]) {
        const standing = state.overrides.filter((record) => record.turn === turn && !record.takenBack);
        const model: Record<string, unknown> = { ...NO_OVERRIDE };
        for (const { change } of standing) model[change.field] = change.value;
        const held: Override = turn === null ? state.override : (state.turns[turn]?.override ?? NO_OVERRIDE);
        expect(held).toEqual(model);
        expect(overrideOf(state.overrides, turn, state.messages.length)).toEqual(held);
      }
      const sets = bodies.filter(({ type }) => type === 'override_set').length;
      expect(state.overrides).toHaveLength(sets);
    }),
  );
});

test('changes to different fields or turns may come in any order', () => {
  fc.assert(
    fc.property(overrideChange, overrideChange, fc.nat({ max: 1 }), fc.nat({ max: 1 }), (a, b, at, bt) => {
      fc.pre(at !== bt || a.field !== b.field);
      const one = reduce(stored([...talk, set(at, a), set(bt, b)]));
      const other = reduce(stored([...talk, set(bt, b), set(at, a)]));
      expect(one.turns).toEqual(other.turns);
    }),
  );
});

test('an episode is reviewed when somebody says so, leaves it out, or has dealt with every turn of its own', () => {
  const reviewed = (...bodies: EventBody[]): boolean => isReviewed(reduce(stored([...talk, ...bodies])));
  expect(reviewed()).toBe(false);
  expect(reviewed(set(0, useful))).toBe(false);
  expect(reviewed(set(0, useful), set(1, { field: 'reviewed', value: true }))).toBe(true);
  expect(reviewed(set(0, useful), set(1, { field: 'excluded', value: true }))).toBe(true);
  expect(reviewed(set(0, useful), set(1, useful), undo(9))).toBe(false);
  expect(reviewed(set(null, { field: 'reviewed', value: true }))).toBe(true);
  expect(reviewed(set(null, { field: 'excluded', value: true }))).toBe(true);
  // A note alone is a thought, not a decision.
  expect(reviewed(set(0, { field: 'note', value: 'hm' }), set(1, useful))).toBe(false);
});

test('a conversation that was ticked off and went on is to be looked at again, and a new tick holds', () => {
  const tick = set(null, { field: 'reviewed', value: true });
  const seen = reduce(stored([...talk, tick]));
  expect([isReviewed(seen), wentOnSince(seen.overrides, seen.messages.length)]).toEqual([true, false]);
  const on = reduce(stored([...talk, tick, ...asked(2)]));
  expect([isReviewed(on), on.override.reviewed, wentOnSince(on.overrides, on.messages.length)]).toEqual([
    false,
    false,
    true,
  ]);
  const again = reduce(stored([...talk, tick, ...asked(2), tick]));
  expect([isReviewed(again), wentOnSince(again.overrides, again.messages.length)]).toEqual([true, false]);
  // Taking the new one back brings out the old one, which says nothing of what came after it.
  const back = reduce(stored([...talk, tick, ...asked(2), tick, undo(12)]));
  expect([isReviewed(back), wentOnSince(back.overrides, back.messages.length)]).toEqual([false, true]);
  // Left out stays left out, whatever is said after it.
  expect(isReviewed(reduce(stored([...talk, set(null, { field: 'excluded', value: true }), ...asked(2)])))).toBe(true);
});
