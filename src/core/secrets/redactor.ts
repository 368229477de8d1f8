import { disjoint, findSecretsIn, type Find, type KnownValue, type Scope } from './find.ts';
import { seamFinds } from './seams.ts';

/** Puts placeholders in the place of secrets, the same for the same secret as long as it lives. */
export interface Redactor {
  /** `more`: finds of another scanner in this text. */
  text(text: string, more?: readonly Find[]): string;
  /** Texts that follow each other: a secret that begins in one and ends in another is taken out of both. */
  texts(texts: readonly string[], more?: readonly (readonly Find[])[]): string[];
  /** Placeholders written so far, by rule. */
  readonly replaced: ReadonlyMap<string, number>;
}

/**
 * A redactor with its own numbering: `<redacted:github-token:2>` is the second secret that it met, and nothing in it is
 * computed from the secret.
 */
export function createRedactor(known: readonly KnownValue[] = []): Redactor {
  const numbering = newNumbering();
  const texts: Redactor['texts'] = (all, more = []) => {
    const alone = all.map((text, index) => [...findSecretsIn(text, known), ...(more[index] ?? [])]);
    const seams = seamFinds(all, alone, known);
    return all.map((text, index) =>
      replaceFinds(text, disjoint([...(alone[index] ?? []), ...(seams[index] ?? [])]), numbering),
    );
  };
  return { text: (text, more = []) => texts([text], [more])[0] ?? '', texts, replaced: numbering.replaced };
}

/**
 * A text that may be logged or shown: `all` for what is written to a file, `secrets` for what a person reads at once. Every
 * call numbers anew.
 */
export function loggable(text: string, scope: Scope, known: readonly KnownValue[] = []): string {
  return replaceFinds(text, findSecretsIn(text, known, scope), newNumbering());
}

interface Numbering {
  readonly placeholder: (find: Find) => string;
  readonly replaced: ReadonlyMap<string, number>;
}

function newNumbering(): Numbering {
  const numbers = new Map<string, number>();
  const replaced = new Map<string, number>();
  return {
    replaced,
    placeholder: ({ rule, value }) => {
      const number = numbers.get(value) ?? numbers.size + 1;
      numbers.set(value, number);
      replaced.set(rule, (replaced.get(rule) ?? 0) + 1);
      return `<redacted:${rule}:${number}>`;
    },
  };
}

function replaceFinds(text: string, finds: readonly Find[], { placeholder }: Numbering): string {
  let out = '';
  let at = 0;
  for (const find of finds) {
    out += text.slice(at, find.start) + placeholder(find);
    at = find.end;
  }
  return out + text.slice(at);
}
