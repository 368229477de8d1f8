import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withProposal } from '../../src/core/proposal-edit.ts';

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
