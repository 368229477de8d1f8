/** Works on every item, at most `width` at a time; the first failure ends what is not begun, and is thrown once all have ended. */
export async function inParallel<T>(
  width: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (let next = rest.next(); !failed && next.done !== true; next = rest.next()) {
      try {
        await work(next.value);
      } catch (thrown) {
        failed = true;
        throw thrown;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: width }, worker));
  const bad = ends.find((end) => end.status === 'rejected');
  if (bad) throw bad.reason as Error;
}
