import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gapsOf, languages, readWords, wordsInSource } from '../scripts/l10n.mjs';
import { FAILED_BELOW, MARK_IDS, NOTHING_BELOW, TOLD_FROM } from '../src/core/marks/mark.ts';
import { MARKS } from '../src/core/marks/marks.ts';

const manifest = readFileSync(resolve(import.meta.dirname, '../package.json'), 'utf8');
const keysOfManifest = [...manifest.matchAll(/"%([\w.]+)%"/g)].map((match) => match[1] ?? '');

test('every word of the manifest stands in package.nls.json under a key that is used, and nowhere else', () => {
  expect([...new Set(keysOfManifest)].sort()).toEqual(Object.keys(readWords('package.nls.json')).sort());
  // Titles, names and descriptions of what is contributed are keys, not words.
  const plain = [...manifest.matchAll(/"(displayName|contents|markdownDescription)": "(?!%)[^"]+"/g)];
  expect(plain.map(([text]) => text)).toEqual([]);
});

test('every message of host and pages is one literal, and stands in the bundle: run `npm run l10n` where this fails', () => {
  const { words, wrong } = wordsInSource();
  expect(wrong).toEqual([]);
  expect(words.length).toBeGreaterThan(100);
  expect(readWords('l10n/bundle.l10n.json')).toEqual(Object.fromEntries(words.map((word) => [word, word])));
});

describe.each(languages())('the translation "%s"', (language) => {
  test.each([
    ['package.nls.json', `package.nls.${language}.json`],
    ['l10n/bundle.l10n.json', `l10n/bundle.l10n.${language}.json`],
  ])('of %s is complete, with the same placeholders', (english, translated) => {
    expect(gapsOf(readWords(english), readWords(translated))).toEqual([]);
  });
});

test('a gap, a leftover and a lost placeholder are each named', () => {
  const english = { a: 'Open {name}', b: 'Close', c: '[Log](command:turnwise.showLog)' };
  expect(gapsOf(english, { a: '{name} öffnen', b: 'Schließen', c: '[Log](command:turnwise.showLog)' })).toEqual([]);
  expect(gapsOf(english, { a: 'Öffnen', c: '[Log](command:turnwise.log)', d: 'Alt' })).toEqual([
    'missing: "b": "Close"',
    'no longer said: "d"',
    'other placeholders, links or icons: "a"',
    'other placeholders, links or icons: "c"',
  ]);
});

test('there is a translation, so that all of this is known to work', () => {
  expect(languages()).toContain('de');
});

test('marks say the same rule in English, whoever says it', () => {
  const numbers: Readonly<Record<string, number>> = { told: TOLD_FROM, nothing: NOTHING_BELOW, failed: FAILED_BELOW };
  const said = Object.keys(readWords('l10n/bundle.l10n.json')).map((text) =>
    text.replace(/\{(\w+)\}/g, (mark, name: string) => `${numbers[name] ?? mark}`),
  );
  for (const id of MARK_IDS) expect(said).toEqual(expect.arrayContaining([MARKS[id].title, MARKS[id].rule]));
});
