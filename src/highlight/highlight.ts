import { createHighlighterCore, type HighlighterCore, type ThemedToken } from '@shikijs/core';
import { createJavaScriptRegexEngine } from '@shikijs/engine-javascript';
import type { Language } from '../core/guess-language.ts';
import type { ThemeKind } from '../core/theme-kind.ts';
import type { HighlightView } from '../core/webview-protocol.ts';
import { GRAMMARS } from './languages.ts';
import { readable } from './readable.ts';

/** The editor's own colours for each kind of theme; in high contrast the ones that were made for it. */
const THEMES: Readonly<
  Record<ThemeKind, { readonly name: string; readonly load: () => Promise<{ default: object }> }>
> = {
  dark: { name: 'dark-plus', load: () => import('@shikijs/themes/dark-plus') },
  light: { name: 'light-plus', load: () => import('@shikijs/themes/light-plus') },
  'high-contrast': {
    name: 'github-dark-high-contrast',
    load: () => import('@shikijs/themes/github-dark-high-contrast'),
  },
  'high-contrast-light': {
    name: 'github-light-high-contrast',
    load: () => import('@shikijs/themes/github-light-high-contrast'),
  },
};

/** Lines longer than this, in UTF-16 units, stay plain: they are data, and slow. */
const LONGEST_LINE = 5_000;

let opening: Promise<HighlighterCore> | null = null;

/** The colours of a code under a kind of theme. Grammars and themes are read when they are first needed. */
export async function highlight(code: string, language: Language, kind: ThemeKind): Promise<HighlightView> {
  opening ??= createHighlighterCore({ engine: createJavaScriptRegexEngine({ forgiving: true }) });
  const highlighter = await opening;
  const theme = THEMES[kind];
  await highlighter.loadTheme((await theme.load()).default);
  await highlighter.loadLanguage(GRAMMARS[language]);
  const { tokens, fg } = highlighter.codeToTokens(code, {
    lang: language,
    theme: theme.name,
    tokenizeMaxLineLength: LONGEST_LINE,
  });
  return runsOf(tokens.flat(), code.length, { plain: fg, kind });
}

/** Neighbours that look alike become one run; what has the page's own colour has none. */
function runsOf(
  tokens: readonly ThemedToken[],
  length: number,
  { plain, kind }: { readonly plain: string | undefined; readonly kind: ThemeKind },
): HighlightView {
  const colours: string[] = [];
  const runs: [number, number, number][] = [];
  let end = 0;
  const add = (until: number, colour: number, look: number): void => {
    const last = runs.at(-1);
    if (last?.[1] === colour && last[2] === look) last[0] += until - end;
    else if (until > end) runs.push([until - end, colour, look]);
    end = until;
  };
  for (const { offset, content, color, fontStyle } of tokens) {
    add(offset, -1, 0);
    const own = color === undefined || color === plain ? null : (/^#[0-9a-f]{6}/i.exec(color)?.[0] ?? null);
    const value = own === null ? null : readable(own, kind);
    if (value !== null && !colours.includes(value)) colours.push(value);
    add(offset + content.length, value === null ? -1 : colours.indexOf(value), Math.max(0, fontStyle ?? 0) & 7);
  }
  add(length, -1, 0);
  return { colours, runs };
}
