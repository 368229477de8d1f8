import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Attachment } from '../../src/core/context-text.ts';
import { changedPart, selectionIn, withProposal } from '../../src/core/proposal-edit.ts';

const CODE = 'def area(a):\n    return a * a\n';

/** `|` marks the cursor, `[` and `]` the selection. */
function check(
  marked: string,
  expected: string,
  { code = CODE, eol = '\n' }: { code?: string; eol?: '\n' | '\r\n' } = {},
): void {
  const start = marked.search(/[|[]/);
  const closing = marked.indexOf(']');
  const end = closing < 0 ? start : closing - 1;
  const text = marked.replace(/[|[\]]/g, '');
  expect(withProposal({ text, selection: { start, end }, eol }, code)).toBe(expected);
}

test('an empty document becomes the proposal', () => {
  check('|', CODE);
  check(' \n|\n', CODE);
});

test('a selection is replaced, and a line break behind it is not doubled', () => {
  check('# one\n[old()]\n# two\n', `# one\n${CODE}# two\n`);
  check('x = [1]', 'x = 2', { code: '2' });
});

test('a definition of the same name is replaced with its body, wherever the cursor stands', () => {
  check(
    '|import os\n\ndef area(a):\n    # wrong\n\n    return a\n\n\ndef other():\n    pass\n',
    `import os\n\n${CODE}\n\ndef other():\n    pass\n`,
  );
});

test('two definitions of that name: neither is touched', () => {
  const text = 'def area():\n    pass\n\ndef area(x):\n    pass\n';
  check(`${text}|`, `${text}${CODE}`);
  check(`|${text}`, `${text}\n\n${CODE}`);
});

test('else it takes the blank line of the cursor', () => {
  check('a = 1\n|\nb = 2\n', `a = 1\n${CODE}b = 2\n`);
  check('a = 1\n  |', `a = 1\n${CODE}`);
});

test('else it stands at the end, where a definition keeps the usual distance', () => {
  check('a =| 1\nb = 2\n', `a = 1\nb = 2\n\n\n${CODE}`);
  check('|\na = 1', `\na = 1\n\n\n${CODE}`);
  check('a = 1|', 'a = 1\n\nb = 2\n', { code: 'b = 2\n' });
});

test('line ends are those of the document', () => {
  check('a = 1\r\n|\r\nb = 2\r\n', `a = 1\r\n${CODE.replaceAll('\n', '\r\n')}b = 2\r\n`, { eol: '\r\n' });
});

test('nothing outside of what is replaced is lost, for any text and cursor', () => {
  const texts = fc.string({ unit: fc.constantFrom('a', ' ', '\n', 'é', '#') });
  fc.assert(
    fc.property(texts, fc.nat(), fc.nat(), (text, a, b) => {
      const [start = 0, end = 0] = [a % (text.length + 1), b % (text.length + 1)].sort((x, y) => x - y);
      const result = withProposal({ text, selection: { start, end }, eol: '\n' }, 'CODE\n');
      expect(result).toContain('CODE');
      if (text.trim() === '') return;
      const kept = (text.slice(0, start) + text.slice(end)).replace(/\s/g, '');
      expect(result.replace('CODE', '').replace(/\s/g, '')).toBe(kept);
    }),
  );
});

const DEEP = 'class A:\n    def area(self):\n        return 1\n\n    x = 2\n';

test('code takes the depth of the lines that it replaces, where it has none of its own', () => {
  const method = '    def area(self):\n        return 1';
  check(DEEP.replace(method, `[${method}]`), 'class A:\n    def area(a):\n        return a * a\n\n    x = 2\n');
  check(
    DEEP.replace(method, `    [${method.trimStart()}]`),
    'class A:\n    def area(a):\n        return a * a\n\n    x = 2\n',
  );
  check(DEEP.replace('x = 2', '[x = 2]'), DEEP.replace('x = 2', 'x = 3'), { code: '    x = 3\n'.trimStart() });
  check(DEEP.replace('[', '').replace('= 2', '= [2]'), DEEP.replace('= 2', '= 3'), { code: '3\n' });
});

test('a selection with its line break keeps one, and takes none that is not its own', () => {
  check('a\n[b\n]\nc\n', 'a\nx\n\nc\n', { code: 'x\n' });
  check('a\n[b]', 'a\nx', { code: 'x\n' });
});

const part = (
  from: number,
  to: number,
  text: string,
  columns: { from: number; to: number } | null = null,
): Attachment => ({
  path: 'a.py',
  range: { from, to, columns },
  text,
});
const found = (text: string, attachment: Attachment): string | null => {
  const place = selectionIn(text, attachment);
  return place === null ? null : `${place.start}:${text.slice(place.start, place.end)}`;
};

test('what was selected is found where it was, or where it has moved to', () => {
  expect(found('a\nb\nc\n', part(2, 2, 'b'))).toBe('2:b');
  expect(found('new\na\nb\nc\n', part(2, 2, 'b'))).toBe('6:b');
  expect(found('b\nb\nb\n', part(2, 2, 'b'))).toBe('2:b');
  expect(found('b\nx\nb\n', part(2, 2, 'b'))).toBeNull();
  expect(found('a\nc\n', part(2, 2, 'b'))).toBeNull();
  expect(found('x = 1 + 1\n', part(1, 1, '1', { from: 9, to: 10 }))).toBe('8:1');
  expect(found('a\r\nb\r\nc\r\n', part(2, 3, 'b\nc'))).toBe('3:b\r\nc');
});

test('the part that changed makes the one text of the other, and cuts no character', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', '\r\n', '\n', '🍰', 'é'), { maxLength: 8 })
    .map((all) => all.join(''));
  fc.assert(
    fc.property(text, text, (before, after) => {
      const change = changedPart(before, after);
      expect(before.slice(0, change.start) + change.text + before.slice(change.end)).toBe(after);
      expect(before.slice(0, change.start).endsWith('\r')).toBe(false);
      for (const cut of [before.slice(0, change.start), before.slice(change.end), change.text]) {
        expect(cut).not.toMatch(/^[\udc00-\udfff]|[\ud800-\udbff]$/);
      }
    }),
    { numRuns: 500 },
  );
  expect(changedPart('a\nb\nc', 'a\nx\nc')).toEqual({ start: 2, end: 3, text: 'x' });
});
