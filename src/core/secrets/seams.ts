import { findSecretsIn, type Find, type KnownValue } from './find.ts';

/** How far before and behind a seam a secret may reach, in UTF-16 units. */
const REACH = 400;
/** Words at the end of one text and at the beginning of another that are tried as two halves. */
const LAST_WORDS = 3;
const FIRST_WORDS = 12;
/** The next text, and the one behind it: between a developer's two messages stands one of the agent. */
const DISTANCES = [1, 2];

/** Secrets that begin in one text and end in a later one, parallel to the texts: each part under the whole secret's value. */
export function seamFinds(texts: readonly string[], known: readonly KnownValue[]): Find[][] {
  const finds: Find[][] = texts.map(() => []);
  texts.forEach((first, index) => {
    for (const distance of DISTANCES) {
      const second = texts[index + distance];
      if (second === undefined) continue;
      for (const [head, tail] of [...joints(first, second)]) {
        for (const { rule, value, start, end } of findSecretsIn(head.text + tail.text, known)) {
          const seam = head.text.length;
          if (start >= seam || end <= seam) continue;
          finds[index]?.push({ rule, value, start: head.at + start, end: head.at + seam });
          finds[index + distance]?.push({ rule, value, start: tail.at, end: tail.at + end - seam });
        }
      }
    }
  });
  return finds;
}

interface Piece {
  readonly text: string;
  /** Where it stands in its text. */
  readonly at: number;
}

/** End and beginning as they stand, then word by word: people write "the other half is" in between. */
function* joints(first: string, second: string): Generator<readonly [Piece, Piece]> {
  const end = first.trimEnd();
  const from = Math.max(0, end.length - REACH);
  const beginning = second.length - second.trimStart().length;
  yield [
    { text: end.slice(from), at: from },
    { text: second.slice(beginning, beginning + REACH), at: beginning },
  ];
  const tails = words(second.slice(0, 2 * REACH), 0).slice(0, FIRST_WORDS);
  for (const head of words(end.slice(from), from).slice(-LAST_WORDS)) {
    for (const tail of tails) {
      if (isHalf(head.text) || isHalf(tail.text)) yield [head, tail];
    }
  }
}

function words(text: string, offset: number): Piece[] {
  return [...text.matchAll(/[^\s"'`,;()[\]{}<>]{3,}/g)].map(({ 0: word, index }) => ({
    text: word,
    at: offset + index,
  }));
}

/** Half a secret is no word of a language. */
function isHalf(word: string): boolean {
  return /\d/.test(word) || /[a-z][A-Z]/.test(word) || /[_:=%+-]/.test(word);
}
