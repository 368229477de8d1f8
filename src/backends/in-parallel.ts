import { inParallel as together } from '../core/in-parallel.ts';

/** Works on every item, at most `width` at a time; see `core/in-parallel.ts`. */
export async function inParallel<T>(
  width: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  await together(items, { width }, work);
}
