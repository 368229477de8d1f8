/** Sessions that are remembered. */
const REMEMBERED = 64;

/**
 * What a server's cache holds apart: one thing per session, so that a live conversation pays for its new turn only, and a
 * fresh one without, so that a cost does not depend on what was scored before.
 */
export function openSessions<T>(begin: () => T): (session: string | undefined) => T {
  const known = new Map<string, T>();
  return (session) => {
    if (session === undefined) return begin();
    const own = known.get(session) ?? begin();
    // Behind all others: the first is always the one that was longest unused.
    known.delete(session);
    known.set(session, own);
    const [oldest] = known.keys();
    if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
    return own;
  };
}
