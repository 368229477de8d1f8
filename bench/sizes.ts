// Sizes of what is built. The extension counts what is parsed before it is registered; the rest is loaded when it is used.
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parseArgs } from 'node:util';
import { printFigures, type Figure } from './figures.ts';

const dist = resolve(import.meta.dirname, '../dist');
const { values: flags } = parseArgs({ options: { json: { type: 'boolean', default: false } } });

const parts: readonly { readonly name: string; readonly files: readonly string[]; readonly atMost?: number }[] = [
  { name: 'extension, at its start', files: ['extension.cjs'], atMost: 500 },
  { name: 'extension, all but the model clients', files: ['extension.cjs', 'product.cjs'], atMost: 500 },
  { name: 'model clients', files: ['backends.cjs'] },
  { name: 'chat page: script', files: ['webview/chat.js'] },
  { name: 'chat page: styles and icons', files: ['webview/chat.css', 'webview/codicon.ttf'] },
  { name: 'review page: script', files: ['webview/review.js'] },
  { name: 'review page: styles', files: ['webview/review.css'] },
  { name: 'command line', files: ['cli.js', 'turnwise.js'] },
  { name: 'engine', files: ['engine.js'] },
];

const figures = parts.map(({ name, files, atMost }): Figure => {
  const paths = files.map((file) => join(dist, file));
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
