import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { branchesOf, type Branch } from '../../src/core/branches.ts';
import { fork, forkPoint, type ForkPoint } from '../../src/core/fork.ts';
import { reduce } from '../../src/core/reduce.ts';
import { generationOf, started, stored } from './event-arbitrary.ts';

const request: ForkPoint = { at: 'request' };
const action = (turn: number): ForkPoint => ({ at: 'action', turn });
const reply = (turn: number): ForkPoint => ({ at: 'reply', turn });
const branch = (id: string, parent: string, point: ForkPoint): Branch => ({ id, parent, point });

describe('the versions of a place', () => {
  test('an episode without branches has none, nor has a place where nothing branches off', () => {
    const { versions } = branchesOf([branch('b', 'a', action(1))]);
    expect(versions('other', action(1))).toBeNull();
    expect(versions('a', action(0))).toBeNull();
    expect(versions('a', reply(1))).toBeNull();
  });

  test('the first is the one that was there before, the others in the order in which they were made', () => {
    // Asked again from the root and from what that gave: all three stand in one place.
    const { versions } = branchesOf([branch('b', 'a', action(1)), branch('c', 'b', action(1))]);
    expect(versions('a', action(1))).toEqual({ shown: 1, count: 3, previous: null, next: 'b' });
    expect(versions('b', action(1))).toEqual({ shown: 2, count: 3, previous: 'a', next: 'c' });
    expect(versions('c', action(1))).toEqual({ shown: 3, count: 3, previous: 'b', next: null });
  });

  test('a branch shows the versions of what it inherits, and leads back to where the talk went on last', () => {
    const { versions, owner } = branchesOf([
      branch('b', 'a', action(1)),
      branch('c', 'b', reply(2)),
      branch('d', 'a', reply(3)),
    ]);
    // c has b's second turn; from a's version one comes back to c, which went on last.
    expect(owner('c', action(1))).toBe('b');
    expect(versions('c', action(1))).toEqual({ shown: 2, count: 2, previous: 'd', next: null });
    expect(versions('a', action(1))).toEqual({ shown: 1, count: 2, previous: null, next: 'c' });
    expect(versions('d', action(1))).toEqual({ shown: 1, count: 2, previous: null, next: 'c' });
    // What was said after another version is no version of what was said after this one.
    expect(versions('a', reply(2))).toBeNull();
    expect(versions('b', reply(3))).toBeNull();
    expect(versions('c', reply(2))).toEqual({ shown: 2, count: 2, previous: 'b', next: null });
  });

  test('another request, and another one again, are versions of the request', () => {
    const { versions } = branchesOf([branch('b', 'a', request), branch('c', 'b', request)]);
    expect(versions('b', request)).toEqual({ shown: 2, count: 3, previous: 'a', next: 'c' });
  });

  test('rows that lead in circles, to themselves or to nobody are roots', () => {
    const { versions, root } = branchesOf([
      branch('a', 'b', action(0)),
      branch('b', 'a', action(0)),
      branch('c', 'c', action(0)),
    ]);
    expect(root('c')).toBe('c');
    expect(versions('b', action(0))?.count).toBe(2);
  });

  test('in any family each version is its own, and next leads through all of them', () => {
    const point = fc.oneof(fc.constant(request), fc.nat({ max: 2 }).map(action), fc.nat({ max: 2 }).map(reply));
    const family = fc.array(fc.tuple(fc.nat(), point), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(family, (made) => {
        const listed = made.map(([from, at], index) => branch(`e${index + 1}`, `e${from % (index + 1)}`, at));
        const { versions, owner, root } = branchesOf(listed);
        for (const { id, point: at } of listed) {
          expect(root(id)).toBe('e0');
          expect(owner(id, at)).toBe(id);
          const own = versions(id, at);
          expect(own?.count).toBeGreaterThan(1);
          const seen = [];
          let next: string | null | undefined = id;
          for (let found = own; found?.previous; found = versions(found.previous, at)) next = found.previous;
          for (; next; next = versions(next, at)?.next) seen.push(owner(next, at));
          expect(seen).toHaveLength(own?.count ?? 0);
          expect(new Set(seen).size).toBe(seen.length);
          expect(seen).toContain(id);
        }
      }),
    );
  });
});

test('where a branch forked is read again from what it inherits', () => {
  const asked = (turn: number) => [
    { type: 'action_started', turn, pid: 1 } as const,
    { type: 'action_asked', turn, question: 'Which?', options: [], generation: generationOf('Which?') } as const,
    { type: 'observed', turn, kind: 'typed', text: 'x', options_shown: [], option: null, latency_ms: null } as const,
  ];
  const parent = reduce(stored([started, { type: 'request_accepted', text: 'Sum.' }, ...asked(0), ...asked(1)]));
  for (const point of [request, action(0), action(1), action(2), reply(0), reply(1)]) {
    const made = fork(parent, point) ?? expect.fail('no such place');
    expect(forkPoint({ ...made, turns: made.turns.length })).toEqual(point);
  }
});
