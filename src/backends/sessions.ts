/** Sessions that are remembered. */
const REMEMBERED = 64;

/**
 * Keys under which a server keeps its cache apart: one per session, so that a live conversation pays for its new turn only, and a
 * fresh one without, so that a cost does not depend on what was scored before.
 */
export function openSessionKeys(): (session: string | undefined) => string {
  const keys = new Map<string, string>();
  return (session) => {
    if (session === undefined) return crypto.randomUUID();
    const key = keys.get(session) ?? crypto.randomUUID();
    // Behind all others: the first is always the one that was longest unused.
    keys.delete(session);
    keys.set(session, key);
    const [oldest] = keys.keys();
    if (keys.size > REMEMBERED && oldest !== undefined) keys.delete(oldest);
    return key;
  };
}
