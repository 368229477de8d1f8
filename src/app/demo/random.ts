import { sha256Text } from '../../core/sha.ts';

/** Uniform numbers in [0, 1), the same for the same label on every machine. */
export type Random = () => number;

/** A generator named by its label (`7/3/developer`): one label per use, so that one more draw here moves nothing there. */
export function seededRandom(label: string): Random {
  let state = seedOf(label);
  // mulberry32
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A sampling seed in [0, 2^31) for a label. */
export function seedOf(label: string): number {
  return Number.parseInt(sha256Text(label).slice(0, 8), 16) >>> 1;
}

/** One item of a list that is not empty. */
export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError('There is nothing to pick from.');
  return item;
}

/** The items in a random order. */
export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const rest = [...items];
  return items.map(() => {
    const at = Math.floor(random() * rest.length);
    const [item] = rest.splice(at, 1);
    return item as T;
  });
}
