import { describe, expect, test } from 'vitest';
import { LANGUAGES } from '../../src/core/guess-language.ts';
import { highlightSchema, type HighlightView } from '../../src/core/webview-protocol.ts';
import { highlight } from '../../src/highlight/highlight.ts';

const python = 'def area(r):\n    """Of a circle."""\n    return 3.14 * r ** 2  # pi\n';

/** The code cut into its runs, each with its colour. */
const pieces = (code: string, { colours, runs }: HighlightView): (readonly [string, string | null])[] => {
  let at = 0;
  return runs.map(([length, colour]) => {
    const piece = code.slice(at, at + length);
    at += length;
    return [piece, colours[colour] ?? null];
  });
};

describe('the colours of code', () => {
  test.each(LANGUAGES)('%s can be coloured, and the runs are exactly the text', async (language) => {
    const code = `/* x */ # y\n${python}<a href="b">c</a>\n{"k": [1, 'two']}\n`;
    const view = highlightSchema.parse(await highlight(code, language, 'dark'));
    expect(view.runs.reduce((sum, [length]) => sum + length, 0)).toBe(code.length);
    expect(view.runs.every(([length, colour]) => length > 0 && colour < view.colours.length)).toBe(true);
  });

  test.each(['dark', 'light', 'high-contrast', 'high-contrast-light'] as const)('%s has its own', async (kind) => {
    const view = await highlight(python, 'python', kind);
    const colourOf = (piece: string) => pieces(python, view).find(([text]) => text.includes(piece))?.[1];
    expect(colourOf('def')).toMatch(/^#/);
    expect(colourOf('Of a circle')).toMatch(/^#/);
    expect(new Set(['def', 'Of a circle', '# pi', '3.14'].map(colourOf)).size).toBeGreaterThan(2);
  });

  test('line breaks of either kind, and characters beyond 16 bits, are counted as the page counts them', async () => {
    const code = 'a = "\u{1F600}"\r\nb = 2\r\n';
    const view = await highlight(code, 'python', 'light');
    expect(
      pieces(code, view)
        .map(([text]) => text)
        .join(''),
    ).toBe(code);
    expect(pieces(code, view).find(([text]) => text.includes('2'))?.[1]).toMatch(/^#/);
  });

  test('a line of data stays plain', async () => {
    const code = `x = "${'a'.repeat(20_000)}"\n`;
    expect(await highlight(code, 'python', 'dark')).toEqual({ colours: [], runs: [[code.length, -1, 0]] });
  });
});
