import { disjoint, findSecretsIn, type Find, type KnownValue } from './find.ts';
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
  const numbers = new Map<string, number>();
  const replaced = new Map<string, number>();

  function placeholder({ rule, value }: Find): string {
    const number = numbers.get(value) ?? numbers.size + 1;
    numbers.set(value, number);
    replaced.set(rule, (replaced.get(rule) ?? 0) + 1);
    return `<redacted:${rule}:${number}>`;
  }
  function replace(text: string, finds: readonly Find[]): string {
    let out = '';
    let at = 0;
    for (const find of finds) {
      out += text.slice(at, find.start) + placeholder(find);
      at = find.end;
    }
    return out + text.slice(at);
  }
  const texts: Redactor['texts'] = (all, more = []) => {
    const alone = all.map((text, index) => [...findSecretsIn(text, known), ...(more[index] ?? [])]);
    const seams = seamFinds(all, alone, known);
    return all.map((text, index) => replace(text, disjoint([...(alone[index] ?? []), ...(seams[index] ?? [])])));
  };
  return { text: (text, more = []) => texts([text], [more])[0] ?? '', texts, replaced };
}

/** One text without its secrets, for what is logged or shown; every call numbers anew. */
export function redacted(text: string, known: readonly KnownValue[] = []): string {
  return createRedactor(known).text(text);
}
