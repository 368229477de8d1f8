// Sizes of what is built. Of the extension, what the editor has parsed once it is registered, and once the first message of a
// chat is answered: views, store, server client, queue. Node, the grammars' thread and the pages are not in it.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parseArgs } from 'node:util';
import { loadedParts } from '../scripts/loaded-parts.mjs';
import { printFigures, type Figure } from './figures.ts';

const dist = resolve(import.meta.dirname, '../dist');
// Sizes do not vary; `--runs` is for the parts that stand beside this one on a command line.
const { values: flags } = parseArgs({
  options: { json: { type: 'boolean', default: false }, runs: { type: 'string' } },
});

const { start, firstMessage } = loadedParts(dist);
const parts: readonly { readonly name: string; readonly files: readonly string[]; readonly atMost?: number }[] = [
  { name: 'extension, at its start', files: start, atMost: 500 },
  { name: 'extension, until the first answer', files: firstMessage, atMost: 500 },
  { name: 'extension, all of it', files: ['extension.cjs', ...partsIn('parts')] },
  { name: 'chat page: script', files: ['webview/chat.js'] },
  { name: 'chat page: styles and icons', files: ['webview/chat.css', 'webview/codicon.ttf'] },
  { name: 'review page: script', files: ['webview/review.js'] },
  { name: 'review page: styles', files: ['webview/review.css'] },
  { name: 'command line', files: ['cli.js', 'turnwise.js'] },
  { name: 'engine', files: ['engine.js'] },
];

const figures = parts.map(({ name, files, atMost }): Figure => {
  const paths = files.map((file) => resolve(dist, file));
  const value = paths.reduce((sum, path) => sum + statSync(path).size, 0) / 1000;
  const packed = paths.reduce((sum, path) => sum + gzipSync(readFileSync(path)).length, 0) / 1000;
  return {
    name,
    value,
    unit: 'kB',
    spread: null,
    runs: 1,
    baseline: { name: 'gzip', value: packed, ratio: value / packed },
    goal: atMost === undefined ? null : { atMost },
  };
});
printFigures('Bundle sizes (1 kB = 1000 bytes)', figures, flags.json);

function partsIn(folder: string): string[] {
  return readdirSync(resolve(dist, folder))
    .filter((name) => name.endsWith('.cjs'))
    .map((name) => `${folder}/${name}`);
}
