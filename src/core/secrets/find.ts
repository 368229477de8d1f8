import { base64Runs, percentDecoded, unescaped } from './decode.ts';
import { BEFORE, RANDOM_TEXT, RULES, type Rule } from './rules.ts';

/** A value that is known to be private in this place, whatever it looks like. */
export interface KnownValue {
  /** What it is, as it stands in the placeholder: `env`, `user`, `host`, `home`, `git-email`. */
  readonly name: string;
  readonly value: string;
  /** Counts only where no letter or digit touches it: a short name is a part of many words. */
  readonly whole: boolean;
}

/** Part [start, end) of a text, in UTF-16 units, that must not be told; `value` is what it says once decoded. */
export interface Find {
  readonly start: number;
  readonly end: number;
  readonly rule: string;
  readonly value: string;
}

/** `secrets`: what opens something; `all`: what names a person or a place as well. */
export type Scope = 'all' | 'secrets';

/** How many encodings are looked through, one inside the other. */
const DEEPEST = 3;

/**
 * Everything in a text that must not be told, in order and without overlaps: by the rules, and the known values, in the text
 * itself and in what stands in it as base64, URL-encoded or JSON-escaped.
 */
export function findSecretsIn(text: string, known: readonly KnownValue[] = [], scope: Scope = 'all'): Find[] {
  return disjoint(
    found(
      text,
      known,
      RULES.filter(({ personal }) => scope === 'all' || !personal),
      0,
    ),
  );
}

/** Finds that overlap become one: of the one that begins first, and of those that begin together the first given. */
export function disjoint(finds: readonly Find[]): Find[] {
  const sorted = finds.filter(({ start, end }) => end > start).toSorted((a, b) => a.start - b.start);
  const kept: Find[] = [];
  for (const find of sorted) {
    const last = kept.at(-1);
    if (last === undefined || find.start >= last.end) kept.push(find);
    else {
      const named = last.rule === RANDOM_TEXT ? find : last;
      kept[kept.length - 1] = { ...named, start: last.start, end: Math.max(last.end, find.end) };
    }
  }
  return kept;
}

function found(text: string, known: readonly KnownValue[], rules: readonly Rule[], depth: number): Find[] {
  const finds = [...byRules(text, rules), ...byValues(text, known)];
  if (depth === DEEPEST) return finds;
  for (const decoded of [percentDecoded(text), unescaped(text)]) {
    if (decoded === null) continue;
    const { starts } = decoded;
    for (const inner of found(decoded.text, known, rules, depth + 1)) {
      finds.push({ ...inner, start: starts[inner.start] ?? 0, end: starts[inner.end] ?? text.length });
    }
  }
  for (const run of base64Runs(text)) {
    const [inner] = found(run.text, known, rules, depth + 1);
    if (inner !== undefined) finds.push({ ...inner, start: run.start, end: run.end });
  }
  return finds;
}

function byRules(text: string, rules: readonly Rule[]): Find[] {
  const finds: Find[] = [];
  for (const { name, pattern, accept } of rules) {
    for (const match of text.matchAll(pattern)) {
      const value = match[1] ?? match[0];
      const start = match.index + (match[1] === undefined ? 0 : match[0].lastIndexOf(value));
      if (accept !== undefined && !accept(value, text.slice(Math.max(0, start - BEFORE), start))) continue;
      finds.push({ start, end: start + value.length, rule: name, value });
    }
  }
  return finds;
}

function byValues(text: string, known: readonly KnownValue[]): Find[] {
  const finds: Find[] = [];
  for (const { name, value, whole } of known) {
    for (let start = text.indexOf(value); start >= 0; start = text.indexOf(value, start + value.length)) {
      const end = start + value.length;
      const touched = /[\p{L}\p{N}]/u.test(`${text.slice(start - 1, start)}${text.slice(end, end + 1)}`);
      if (!whole || !touched) finds.push({ start, end, rule: name, value });
    }
  }
  return finds;
}
