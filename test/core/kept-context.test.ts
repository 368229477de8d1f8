import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keptContextText, readKeptContext, type KeptContext } from '../../src/core/kept-context.ts';

const place = fc.integer({ min: 1, max: 1e6 });
const selection = fc.record({
  kind: fc.constant('selection' as const),
  attachment: fc.record({
    path: fc.string({ minLength: 1 }),
    range: fc.option(fc.record({ from: place, to: place, columns: fc.option(fc.record({ from: place, to: place })) })),
    text: fc.string({ unit: 'binary' }),
  }),
});
const file = fc.record({ kind: fc.constant('file' as const), uri: fc.webUrl() });
const context = fc.record({
  active: fc.option(fc.webUrl()),
  items: fc.array(fc.oneof(file, selection), { maxLength: 20 }),
});

test('what waits beside the words is read back as it was', () => {
  fc.assert(
    fc.property(context, (kept: KeptContext) => {
      expect(readKeptContext(keptContextText(kept))).toEqual(kept);
    }),
  );
});

test.each([
  ['nothing was kept', null],
  ['no JSON', '{'],
  ['another shape', '{"items":[{"kind":"moon"}]}'],
  [
    'a line before the first',
    '{"active":null,"items":[{"kind":"selection","attachment":{"path":"a","range":{"from":0,"to":1,"columns":null},"text":"x"}}]}',
  ],
  [
    'more than a message takes',
    JSON.stringify({ active: null, items: Array.from({ length: 21 }, () => ({ kind: 'file', uri: 'file:///a' })) }),
  ],
])('%s: nothing waits', (_name, text) => {
  expect(readKeptContext(text)).toEqual({ active: null, items: [] });
});

test('nothing is kept as nothing', () => {
  expect(keptContextText({ active: null, items: [] })).toBeNull();
});
