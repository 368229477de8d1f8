import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const webview = join(import.meta.dirname, '../../src/webview');
const sheets = readdirSync(webview, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.css'))
  .map((file) => ({ file, text: readFileSync(join(webview, file), 'utf8') }));

/** Colours that a theme did not choose: hex, colour functions of plain numbers, names. */
const RAW =
  /#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\(|\b(?:white|black|red|green|blue|yellow|orange|purple|pink|brown|gr[ae]y|silver|gold|cyan|magenta|teal|navy|maroon|olive|lime|aqua|fuchsia|rebeccapurple|canvas(?:text)?|buttonface)\b/gi;

/** What a sheet says, without comments and without the names of variables, classes and files. */
const values = (css: string): string =>
  css
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .split('\n')
    .filter((line) => line.includes(':') && line.trimEnd().endsWith(';'))
    .map((line) => line.slice(line.indexOf(':') + 1).replaceAll(/--[\w-]+/g, ''))
    .join('\n');

const rawColours = (css: string): string[] => [...values(css).matchAll(RAW)].map(([colour]) => colour);

test('the pages have colours of the theme alone', () => {
  expect(sheets.length).toBeGreaterThan(5);
  expect(sheets.flatMap(({ file, text }) => rawColours(text).map((colour) => `${file}: ${colour}`))).toEqual([]);
});

test.each(['color: #fff;', 'border: 1px solid RGB(0 0 0);', 'background: var(--vscode-a, white);', 'fill: gray;'])(
  '%s is one that nobody chose',
  (line) => {
    expect(rawColours(`a {\n  ${line}\n}`)).toHaveLength(1);
  },
);

test('a variable may be named after a colour', () => {
  expect(rawColours('a {\n  color: var(--vscode-charts-red);\n  background: transparent;\n}')).toEqual([]);
});
