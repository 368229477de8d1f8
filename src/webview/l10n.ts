import { z } from 'zod';

/** What stands in for `{name}` in a message. */
type Values = Readonly<Record<string, string | number>>;

/** The id of the block in the page that carries the words of the editor's language; `src/host/page-words.ts` writes it. */
const BLOCK = 'l10n';

let words: Readonly<Record<string, string>> | null = null;

/**
 * A message in the editor's language, in English where there is no translation; `{name}` becomes that value. The message is one
 * literal, since it is also the key: `npm run l10n` collects them.
 */
export function t(message: string, values: Values = {}): string {
  words ??= wordsOfPage();
  return fill(words[message] ?? message, values);
}

function fill(message: string, values: Values): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : String(value);
  });
}

/** What is needed of a page; where there is none (a test of words, say), words are English. */
interface Page {
  readonly document?: { getElementById(id: string): { readonly textContent: string | null } | null };
}

/** A page without the block, or with a damaged one, speaks English. */
function wordsOfPage(): Readonly<Record<string, string>> {
  try {
    const text = (globalThis as Page).document?.getElementById(BLOCK)?.textContent;
    return text ? z.record(z.string(), z.string()).parse(JSON.parse(text)) : {};
  } catch {
    return {};
  }
}
