import { findSecretsIn, type Find, type KnownValue } from './find.ts';
import { looksWritten } from './randomness.ts';
import { RANDOM_TEXT } from './rules.ts';

/** How far before and behind a seam a secret may reach, in UTF-16 units. */
const REACH = 400;
/** Words at the end of one text and at the beginning of another that are tried as two halves. */
const LAST_WORDS = 3;
const FIRST_WORDS = 12;
/** The next text, and the one behind it: between a developer's two messages stands one of the agent. */
const DISTANCES = [1, 2];
/** Words by which people say that a second half follows. */
const SAYS_HALF = /\b(?:half|rest|remainder|remaining|other part|second part|continues|goes on|part 2)\b/i;

/**
 * Secrets that begin in one text and end in a later one, parallel to the texts: each part under the whole secret's value.
 * `alone` is what was found in each text by itself.
 */
export function seamFinds(
  texts: readonly string[],
  alone: readonly (readonly Find[])[],
  known: readonly KnownValue[],
): Find[][] {
  const finds: Find[][] = texts.map(() => []);
  const isFound = (index: number, { at, text }: Piece, rule: string): boolean =>
    alone[index]?.some((one) => one.rule === rule && one.start < at + text.length && one.end > at) ?? false;
  texts.forEach((first, index) => {
    for (const distance of DISTANCES) {
      const second = texts[index + distance];
      if (second === undefined) continue;
      for (const { head, tail, adjacent } of joints(first, second)) {
        const seam = head.text.length;
        for (const { rule, value, start, end } of findSecretsIn(head.text + tail.text, known)) {
          if (end <= seam) continue;
          if (start >= seam) {
            // The words that give it away stand in the first text.
            const at = tail.at + start - seam;
            if (adjacent) finds[index + distance]?.push({ rule, value, start: at, end: at + end - start });
            continue;
          }
          const before: Piece = { text: head.text.slice(start), at: head.at + start };
          const behind: Piece = { text: tail.text.slice(0, end - seam), at: tail.at };
          const whole = isFound(index, before, rule) || isFound(index + distance, behind, rule);
          // Beside a whole secret any word makes a longer one; it is a part of it where it looks drawn and was put there.
          const drawn = isDrawn(before.text) && isDrawn(behind.text);
          if ((whole || rule === RANDOM_TEXT) && !drawn) continue;
          if (whole && !adjacent && !SAYS_HALF.test(first + second)) continue;
          finds[index]?.push({ rule, value, start: before.at, end: before.at + before.text.length });
          finds[index + distance]?.push({ rule, value, start: behind.at, end: behind.at + behind.text.length });
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

interface Joint {
  readonly head: Piece;
  readonly tail: Piece;
  /** Nothing but white space stands between them. */
  readonly adjacent: boolean;
}

/** Words in front of a second half, up to where it begins. */
const LABEL = /^[^\n]{0,60}\b(?:half|rest|remainder|part)\b[^\n]{0,20}?(?:\bis|:)\s+/i;

/** End and beginning as they stand, then word by word: people write "the other half is" in between. */
function* joints(first: string, second: string): Generator<Joint> {
  const end = first.trimEnd();
  const from = Math.max(0, end.length - REACH);
  const beginning = second.length - second.trimStart().length;
  const label = LABEL.exec(second)?.[0].length ?? null;
  const starts = [...new Set([beginning, ...(end.length < first.length || beginning > 0 ? [0] : [])])];
  for (const at of [...starts, ...(label === null ? [] : [label])]) {
    const tail = { text: second.slice(at, at + REACH), at };
    yield { head: { text: end.slice(from), at: from }, tail, adjacent: true };
    if (end.length < first.length) yield { head: { text: first.slice(from), at: from }, tail, adjacent: true };
  }
  const tails = words(second.slice(0, 2 * REACH), 0).slice(0, FIRST_WORDS);
  for (const head of words(end.slice(from), from).slice(-LAST_WORDS)) {
    for (const tail of tails) {
      if (isHalf(head.text) || isHalf(tail.text)) yield { head, tail, adjacent: false };
    }
  }
}

function words(text: string, offset: number): Piece[] {
  return [...text.matchAll(/[^\s"'`,;()[\]{}<>]{2,400}[^\s"'`,;()[\]{}<>.:!?]/g)].map(({ 0: word, index }) => ({
    text: word,
    at: offset + index,
  }));
}

/** Half a secret is no word of a language. */
function isHalf(word: string): boolean {
  return /\d/.test(word) || /[a-z][A-Z]/.test(word) || /[_:=%+-]/.test(word);
}

/** Whether a part, or what stands behind a sign in it, was drawn rather than written. */
function isDrawn(part: string): boolean {
  return [part, ...part.split(/[^A-Za-z0-9]/)].some((piece) => {
    if (piece.length < 2 || !/\d|[a-z][A-Z]/.test(piece) || !/[A-Za-z]/.test(piece)) return false;
    return piece.length < 8 || (piece.match(/\d/g)?.length ?? 0) > piece.length / 4 || !looksWritten(piece);
  });
}
