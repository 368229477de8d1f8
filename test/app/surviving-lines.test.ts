import { expect, test } from 'vitest';
import { survivingShare } from '../../src/app/surviving-lines.ts';

const lines = (...all: readonly string[]): string => all.map((line) => `${line}\n`).join('');
const before = lines('import math', '', 'def area(r):', '    return 3 * r * r');
const after = lines(
  'import math',
  '',
  'def area(r):',
  '    if r < 0:',
  '        return 0',
  '    return math.pi * r * r',
);

test.each<[string, { before?: string; after?: string; saved: string }, number | null]>([
  ['saved as it was accepted: all of it', { saved: after }, 1],
  ['taken back: nothing', { saved: before }, 0],
  ['one of three lines edited: two thirds', { saved: after.replace('return 0', 'return 0.0') }, 2 / 3],
  ['more was written around it: all of it', { saved: `# mine\n${after}\nprint(area(1))\n` }, 1],
  ['CRLF at the save is no edit', { saved: after.replaceAll('\n', '\r\n') }, 1],
  [
    'the lines moved apart, in order: all of it',
    { saved: after.replace('    return math', '\n    # here\n    return math') },
    1,
  ],
  ['an empty file at the save: nothing', { saved: '' }, 0],
  ['it only removed lines: unknown', { after: lines('import math'), saved: lines('import math') }, null],
  ['it only added blank lines: unknown', { after: `${before}\n\n`, saved: before }, null],
  ['lines swapped: what is still in order', { before: '', after: lines('a', 'b'), saved: lines('b', 'a') }, 1 / 2],
])('%s', (_name, texts, share) => {
  const found = survivingShare({ before, after, ...texts });
  if (share === null) expect(found).toBeNull();
  else expect(found).toBeCloseTo(share, 12);
});
