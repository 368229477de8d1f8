/** One of a server's slots, which remembers the last sequence that it ran. */
export interface Lane {
  readonly slot: number;
  /** Whose sequences it remembers; null: nobody's that count. */
  session: string | null;
}

/** Hands out lanes, each to one user at a time; whoever comes back gets the lane that remembers their session, if it is free. */
export function openLanes(
  count: number,
): <T>(session: string | undefined, work: (lane: Lane) => Promise<T>) => Promise<T> {
  const free: Lane[] = Array.from({ length: count }, (_, slot) => ({ slot, session: null }));
  const waiting: (() => void)[] = [];
  return async (session, work) => {
    while (free.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    const own = free.findIndex((lane) => session !== undefined && lane.session === session);
    const [lane] = free.splice(Math.max(0, own), 1);
    if (!lane) throw new Error('A free lane vanished.');
    try {
      return await work(lane);
    } finally {
      // Behind the others, so that what was used last is forgotten last.
      free.push(lane);
      waiting.shift()?.();
    }
  };
}
