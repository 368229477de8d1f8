import { expect, test } from 'vitest';
import { sameText } from '../../src/backends/echo-request.ts';

test.each([
  ['the same words', 'skip', 'skip', true],
  ['a space in another way', 'Ġskip', ' skip', true],
  ['other words', 'skip', 'drop', false],
  ['a part of a character, told as one', '\ufffd', '\ufffd', true],
  ['a part of a character, of which nothing is told', '', '\ufffd', true],
  ['the last part of a character, told whole', '中', '\ufffd', true],
  ['the last part of a character and what stands behind it', '中.', '\ufffd.', true],
  ['the last part of a character, and something else behind it', '中!', '\ufffd.', false],
  ['a letter where a part of a character was sent', 'a', '\ufffd', false],
  ['a whole character where a letter was sent', '中', 'a', false],
])('%s', (_, told, ours, same) => {
  expect(sameText(told, ours)).toBe(same);
});
