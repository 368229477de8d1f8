/** Does `work` for every item, `lanes` of them at once, and gives the results in the order of the items; the first failure ends it. */
export async function sideBySide<T, R>(
  items: readonly T[],
  lanes: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  let failed = false;
  const lane = async (): Promise<void> => {
    for (const [index, item] of waiting) {
      if (failed) return;
      try {
        results[index] = await work(item, index);
      } catch (thrown) {
        failed = true;
        throw thrown;
      }
    }
  };
  const running = Array.from({ length: Math.max(1, Math.min(lanes, items.length)) }, lane);
  await Promise.allSettled(running);
  await Promise.all(running);
  return results;
}
