import fc from 'fast-check';
import { expect, test } from 'vitest';
import { visibleControls } from '../../src/core/visible-controls.ts';

test('what steers a terminal, turns the direction or hides is written out', () => {
  expect(visibleControls('\u001b[2J\u0000\u007f\u009b')).toBe('␛[2J␀␡‹U+009B›');
  expect(visibleControls('if (a\u202e \u2066// x\u2069')).toBe('if (a‹U+202E› ‹U+2066›// x‹U+2069›');
  expect(visibleControls('a\u200bb\ufeffc\u{e0041}')).toBe('a‹U+200B›b‹U+FEFF›c‹U+E0041›');
});

test('words of every script, their joiners, emoji and line breaks stay as they are', () => {
  for (const text of ['שלום עולם', 'مرحبا', 'می‌خواهم', '👩‍💻', 'a\tb\r\nc\n', 'é'])
    expect(visibleControls(text)).toBe(text);
});

test('nothing unseen is left in any text, and what is seen is kept', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const shown = visibleControls(text);
      expect(shown).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/u);
      expect(visibleControls(shown)).toBe(shown);
    }),
  );
});
