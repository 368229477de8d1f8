import { basename, resolve } from 'node:path';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { kilobytes, loadedParts } from '../scripts/loaded-parts.mjs';

const dist = resolve(import.meta.dirname, '../dist');
const { start, firstMessage } = loadedParts(dist);

test('all that the editor parses of the extension until the first message is answered is below 500 kB', () => {
  console.log(
    `at the start ${kilobytes(start).toFixed(0)} kB in ${start.length} files, until the first answer ${kilobytes(firstMessage).toFixed(0)} kB in ${firstMessage.length}`,
  );
  expect(firstMessage.map((file) => basename(file).replace(/-[A-Z0-9]{8}/, ''))).toEqual(
    expect.arrayContaining(['extension.cjs', 'product.cjs', 'chat.cjs', 'chunk.cjs']),
  );
  expect(kilobytes(firstMessage)).toBeLessThan(500);
  expect(kilobytes(start)).toBeLessThan(50);
});

test('what a chat has no use for is loaded later: templates, the search for files', () => {
  const text = firstMessage.map((file) => readFileSync(file, 'utf8')).join('\n');
  // What the library of either says in its errors.
  for (const words of ['Parser Error', 'fuzzysort']) expect(text).not.toContain(words);
  expect(text).toContain('action_started');
});
