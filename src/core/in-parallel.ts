/** How many at once, and what ends them all. */
export interface Lanes {
  readonly width: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Does `work` for every item, at most `width` of them at once, and gives the results in the order of the items. The first
 * failure ends it all: nothing more is begun, the signal that every work was given is aborted with that failure as its reason,
 * and once what was begun has ended, it is thrown. An abort of the caller's own signal counts as one.
 */
export async function inParallel<T, R>(
  items: Iterable<T>,
  { width, signal }: Lanes,
  work: (item: T, signal: AbortSignal, index: number) => Promise<R>,
): Promise<R[]> {
  const failing = new AbortController();
  const either = signal ? AbortSignal.any([signal, failing.signal]) : failing.signal;
  const results: R[] = [];
  let index = 0;
  const rest = items[Symbol.iterator]();

  async function lane(): Promise<void> {
    while (!either.aborted) {
      const next = rest.next();
      if (next.done === true) return;
      const at = index;
      index += 1;
      results[at] = await work(next.value, either, at);
    }
  }

  const lanes = Array.from({ length: Math.max(1, Math.floor(width)) }, async () => {
    try {
      await lane();
    } catch (thrown) {
      // The first reason stays: what the others throw comes of it.
      failing.abort(thrown);
    }
  });
  await Promise.all(lanes);
  if (failing.signal.aborted) throw failing.signal.reason as Error;
  signal?.throwIfAborted();
  return results;
}
