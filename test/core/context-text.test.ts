import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  attachedText,
  attachmentLabel,
  splitContext,
  withContext,
  type Attachment,
} from '../../src/core/context-text.ts';

const file: Attachment = { path: 'src/prices.py', range: null, text: 'def total(prices):\n    return sum(prices)' };
const part: Attachment = { path: 'a b.md', range: { from: 3, to: 9, columns: null }, text: '```py\nx\n```' };

describe('what is attached to a message', () => {
  test('stands behind the words, in the form that the documents give', () => {
    expect(withContext('Make it faster.\n', [file, part])).toBe(
      'Make it faster.\n\nAttached: file src/prices.py\n```py\ndef total(prices):\n    return sum(prices)\n```\n\n' +
        'Attached: selection a b.md:3-9\n````md\n```py\nx\n```\n````',
    );
  });

  test('a message without attachments stays as it was typed', () => {
    expect(withContext('Only words', [])).toBe('Only words');
    expect(splitContext('Only words\n')).toEqual({ words: 'Only words\n', attachments: [] });
  });

  test('is named with lines, and with columns where it began or ended inside one', () => {
    expect(attachmentLabel(file)).toBe('src/prices.py');
    expect(attachmentLabel(part)).toBe('a b.md:3-9');
    expect(attachmentLabel({ path: 'c:d.py', range: { from: 2, to: 2, columns: { from: 5, to: 8 } } })).toBe(
      'c:d.py:2:5-2:8',
    );
  });

  test('has LF line ends, and none at its end', () => {
    expect(attachedText('a\r\nb\rc\n')).toBe('a\nb\nc');
  });

  test.each([
    ['a fence that never closes', 'x\n\nAttached: file a.py\n```\ncode'],
    ['words behind it', 'x\n\nAttached: file a.py\n```\ncode\n```\nand more'],
    ['no blank line in front', 'x\nAttached: file a.py\n```\ncode\n```'],
    ['a kind that there is not', 'x\n\nAttached: folder a\n```\ncode\n```'],
    ['a selection without lines', 'x\n\nAttached: selection a.py\n```\ncode\n```'],
    ['no fence', 'x\n\nAttached: file a.py\ncode'],
  ])('%s makes it words', (_name, text) => {
    expect(splitContext(text)).toEqual({ words: text, attachments: [] });
  });

  const piece = fc.constantFrom('', 'x', '```', '````py', 'Attached: file a.py', 'a `b` c', '  ', 'é🍰');
  const text = fc.array(piece, { maxLength: 6 }).map((lines) => attachedText(lines.join('\n')));
  const line = fc.integer({ min: 1, max: 99_999 });
  const columns = fc.option(fc.record({ from: line, to: line }));
  const attachment: fc.Arbitrary<Attachment> = fc.record({
    path: fc.constantFrom('a.py', 'src/a b.ts', 'x:1-2', 'noext', 'ü/ß.md'),
    range: fc.option(fc.record({ from: line, to: line, columns })),
    text,
  });
  const words = fc.constantFrom('Fix it.', 'Two\n\nparagraphs', 'Attached: to you', '```\ncode\n```', '');

  test('comes back as it went in, whatever it is', () => {
    fc.assert(
      fc.property(words, fc.array(attachment, { maxLength: 4 }), (said, attachments) => {
        expect(splitContext(withContext(said, attachments))).toEqual({ words: said, attachments });
      }),
      { numRuns: 500 },
    );
  });

  test('two megabytes of near misses are read in one go', () => {
    const hostile = `x\n\n${'Attached: file a.py\n```\n\n'.repeat(80_000)}`;
    expect(splitContext(hostile).attachments).toEqual([]);
  });
});
