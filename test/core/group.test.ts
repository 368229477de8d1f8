import { expect, test } from 'vitest';
import fc from 'fast-check';
import { groupOf, normaliseRequest, requestGroup } from '../../src/core/group.ts';
import { groupOfTranscript } from '../../src/core/transcript.ts';

test('an explicit task first, then the request, then nothing but itself', () => {
  expect(groupOf('e', 'task', 'Sort it.')).toEqual({ groupId: 'task', groupRule: 'task' });
  const { groupId, groupRule } = groupOf('e', null, 'Sort it.');
  expect(groupRule).toBe('request');
  expect(groupId).toMatch(/^request-sha256:[0-9a-f]{32}$/);
  expect(groupOf('f', null, 'Sort it.').groupId).toBe(groupId);
  for (const nothing of [null, '', ' \n\t', '\u200b\ufeff\u00ad', '\u2028']) {
    expect(groupOf('e', null, nothing)).toEqual({ groupId: 'e', groupRule: 'alone' });
  }
});

const E_ACUTE = 'caf\u00e9';
const ALPHA_BETA = '\u03b1 \u03b2';

test.each([
  ['line ends', 'a\nb', 'a\r\nb'],
  ['runs of blanks', 'a b', ' a \t  b\n'],
  ['no-break, ideographic and thin spaces', 'a b c d', 'a\u00a0b\u3000c\u2009d'],
  ['line and paragraph separators, next line', 'a b c d', 'a\u2028b\u2029c\u0085d'],
  ['composed and decomposed letters', E_ACUTE, 'cafe\u0301'],
  ['Hangul syllables and their letters', '\ud55c', '\u1112\u1161\u11ab'],
  ['Angstrom sign and letter', '\u00c5', '\u212b'],
  ['a byte order mark in front', 'a', '\ufeffa'],
  ['soft hyphens', 'cooperate', 'co\u00adoperate'],
  ['zero-width spaces, word joiners', 'ab', 'a\u200b\u2060b'],
  ['marks and isolates of direction', ALPHA_BETA, '\u2066\u03b1\u2069 \u200e\u03b2\u200f'],
  ['two half surrogates that cannot be written', 'a\ud800b', 'a\udfffb'],
])('%s make no other task', (_, a, b) => {
  expect(requestGroup(a)).toBe(requestGroup(b));
});

test.each([
  ['case', 'Sum it', 'sum it'],
  ['punctuation', 'sort x', 'sort x?'],
  ['typographic quotes', "don't", 'don\u2019t'],
  ['compatibility forms', 'x\u00b2', 'x2'],
  ['a ligature', '\ufb01le', 'file'],
  ['full width', '\uff21', 'A'],
  [
    'a joiner that shapes letters',
    '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645',
    '\u0645\u06cc\u062e\u0648\u0627\u0647\u0645',
  ],
  ['joined and separate pictures', '\ud83d\udc69\u200d\ud83d\udcbb', '\ud83d\udc69\ud83d\udcbb'],
  ['accents', 'resume', 'r\u00e9sum\u00e9'],
  ['letters of two scripts that look alike', 'a', '\u0430'],
  ['a blank inside a word', 'to day', 'today'],
])('%s makes another task', (_, a, b) => {
  expect(requestGroup(a)).not.toBe(requestGroup(b));
});

test('normalising twice is normalising once, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('', '\ud800', '\u200b', '\u0301', ' '), (text, more) => {
      const once = normaliseRequest(text + more + text);
      expect(normaliseRequest(once)).toBe(once);
    }),
  );
});

test('a transcript names its group, or is grouped by its first user message', () => {
  const messages = [
    { role: 'system', content: 'Ask first.' },
    { role: 'user', content: 'Sort  it.' },
    { role: 'assistant', content: 'How?' },
    { role: 'user', content: 'up' },
  ] as const;
  const talk = { episode_id: 'e', messages: [...messages] };
  expect(groupOfTranscript(talk)).toEqual(groupOf('f', null, 'Sort it.'));
  expect(groupOfTranscript({ ...talk, group_id: 'g' })).toEqual({ groupId: 'g', groupRule: 'task' });
  expect(groupOfTranscript({ ...talk, group_id: 'g', group_rule: 'branch' })).toEqual({
    groupId: 'g',
    groupRule: 'branch',
  });
  expect(groupOfTranscript({ episode_id: 'e', messages: messages.slice(2, 3) })).toEqual({
    groupId: 'e',
    groupRule: 'alone',
  });
});
