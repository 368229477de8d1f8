import { expect, test } from 'vitest';
import { mentionAt, withMention } from '../../src/core/mention.ts';

/** `|` marks the cursor. */
const at = (marked: string): ReturnType<typeof mentionAt> => mentionAt(marked.replace('|', ''), marked.indexOf('|'));

test.each([
  ['@|', { at: 0, query: '' }],
  ['look at @pri|', { at: 8, query: 'pri' }],
  ['(@src/a|', { at: 1, query: 'src/a' }],
  ['first\n@x| and more', { at: 6, query: 'x' }],
])('%s is a file name that is being typed', (marked, expected) => {
  expect(at(marked)).toEqual(expected);
});

test.each(['me@host|', '@pri ces|', 'none|', '@a@b|', '|@a'])('%s is none', (marked) => {
  expect(at(marked)).toBeNull();
});

test('the name takes the place of what was typed', () => {
  expect(withMention('look at @pri', { at: 8, query: 'pri' }, 'src/prices.py')).toEqual({
    text: 'look at prices.py ',
    cursor: 18,
  });
  expect(withMention('@p now', { at: 0, query: 'p' }, 'a.py')).toEqual({ text: 'a.py now', cursor: 5 });
});
