import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EVENT_VERSION, eventBodySchema, isPlainId } from '../../src/core/event.ts';
import { upcast } from '../../src/core/upcast.ts';
import { eventBody, generationOf, started } from './event-arbitrary.ts';

test.each<[string, number, unknown, RegExp]>([
  ['no object', 1, null, /./],
  ['no type', 1, { text: 'x' }, /type/],
  ['a type that is no word', 1, { type: 7 }, /type/],
  ['a missing field', 1, { type: 'request_accepted' }, /text/],
  ['an empty request', 1, { type: 'request_accepted', text: '' }, /text/],
  ['a negative turn', 1, { type: 'action_started', turn: -1, pid: null }, /turn/],
  ['an empty marker, which every text contains', 1, { ...started, answer_marker: '' }, /answer_marker/],
  ['a survival above 1', 1, { type: 'proposal_saved', turn: 0, survival: 1.5 }, /survival/],
  [
    'a log-prob that is no number',
    1,
    { type: 'action_called', turn: 0, generation: { ...generationOf('x'), logprobs: [null] } },
    /logprobs/,
  ],
  ['version 0', 0, { type: 'episode_closed' }, /version 0/],
  ['half a version', 1.5, { type: 'episode_closed' }, /version 1.5/],
])('%s is damage, and says where', (_, version, json, why) => {
  const read = upcast(version, json);
  expect(read).toEqual({ ok: false, why: expect.stringMatching(why) as unknown });
});

test('a newer event is kept whole and marked, whatever it holds', () => {
  const json = { type: 'request_accepted', text: 7, more: [1] };
  expect(upcast(EVENT_VERSION, { type: 'episode_closed' })).toEqual({ ok: true, body: { type: 'episode_closed' } });
  expect(upcast(EVENT_VERSION + 1, json)).toEqual({ ok: true, body: { type: 'newer_event', json } });
  // A type is added without raising the version; one that an old version is said to have had is damage.
  const added = { type: 'applauded', times: 3 };
  expect(upcast(EVENT_VERSION, added)).toEqual({ ok: true, body: { type: 'newer_event', json: added } });
  expect(upcast(1, added, [(body) => body])).toMatchObject({ ok: false });
});

test('an old event is lifted through every step from its own version on', () => {
  const steps = [
    (body: unknown) => ({ ...(body as object), via: ['one'] }),
    (body: unknown) => {
      const { via = [] } = body as { via?: string[] };
      return { type: 'request_accepted', text: [...via, 'two'].join(' ') };
    },
  ];
  expect(upcast(1, { type: 'old' }, steps)).toEqual({ ok: true, body: { type: 'request_accepted', text: 'one two' } });
  expect(upcast(2, { type: 'old' }, steps)).toEqual({ ok: true, body: { type: 'request_accepted', text: 'two' } });
  expect(upcast(3, { type: 'episode_closed' }, steps)).toEqual({ ok: true, body: { type: 'episode_closed' } });
  expect(upcast(4, {}, steps)).toEqual({ ok: true, body: { type: 'newer_event', json: {} } });
});

test('every event survives the way to the disk and back', () => {
  fc.assert(
    fc.property(eventBody, (body) => {
      const back: unknown = JSON.parse(JSON.stringify(body));
      expect(upcast(EVENT_VERSION, back)).toEqual({ ok: true, body });
      expect(eventBodySchema.parse(body)).toEqual(body);
    }),
  );
});

test('ids that a database would change are refused', () => {
  for (const id of ['', 'a\u0000b', 'line\nbreak', 'half \ud83c']) expect(isPlainId(id)).toBe(false);
  for (const id of ['a', '01a1fc15-7c65-759c', 'Größe 🍰']) expect(isPlainId(id)).toBe(true);
});
