import { pick, type Random } from '../../src/app/demo/random.ts';

/** A secret that was drawn: as it is written, and the part of it that nobody may read. */
export interface Drawn {
  /** What is planted: the secret alone, or with the words that give it away (`password = "..."`). */
  readonly text: string;
  readonly core: string;
}

/** A kind of secret. `bare`: told by its looks, so that it is planted without any word that gives it away. */
export interface Kind {
  readonly name: string;
  readonly bare: boolean;
  draw(random: Random): Drawn;
}

export const LOWER = 'abcdefghijklmnopqrstuvwxyz';
export const UPPER = LOWER.toUpperCase();
export const DIGITS = '0123456789';
export const HEX = '0123456789abcdef';
export const ALPHANUMERIC = LOWER + UPPER + DIGITS;
export const URL_SAFE = `${ALPHANUMERIC}_-`;

export function letters(random: Random, alphabet: string, length: number): string {
  return Array.from({ length }, () => pick(random, Array.from(alphabet))).join('');
}

/** A kind that is a fixed beginning and drawn letters. */
export function prefixed(name: string, prefix: string, alphabet: string, length: number): Kind {
  return {
    name,
    bare: true,
    draw: (random) => {
      const core = letters(random, alphabet, length);
      return { text: `${prefix}${core}`, core };
    },
  };
}

/** A kind that is told by the words around it; `%` in a wording is the secret. */
export function worded(name: string, wordings: readonly string[], core: (random: Random) => string): Kind {
  return {
    name,
    bare: false,
    draw: (random) => {
      const drawn = core(random);
      return { text: pick(random, wordings).replace('%', () => drawn), core: drawn };
    },
  };
}
