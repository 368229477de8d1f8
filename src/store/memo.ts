import type { DatabaseSync } from 'node:sqlite';

/**
 * What windows want to find again: drafts, and which conversation a workspace had open. Durable at once, changed freely,
 * no part of the journal.
 */
export interface Memo {
  /** Null: nothing is kept under this key. */
  get(key: string): string | null;
  /** Null forgets it. On a store that cannot be written nothing is kept. */
  set(key: string, value: string | null): void;
}

/** The memo of an open database; `run` and `write` as for the score cache. */
export function memoOf(
  db: DatabaseSync,
  {
    run,
    write,
    readOnly,
  }: {
    readonly run: <T>(work: () => T) => T;
    readonly write: <T>(work: () => T) => T;
    readonly readOnly: boolean;
  },
): Memo {
  return {
    get: (key) =>
      run(() => {
        const value = db.prepare('SELECT value FROM memo WHERE key = ?').get(key)?.['value'];
        return typeof value === 'string' ? value : null;
      }),
    set: (key, value) => {
      if (readOnly) return;
      write(() =>
        value === null
          ? db.prepare('DELETE FROM memo WHERE key = ?').run(key)
          : db.prepare('INSERT OR REPLACE INTO memo (key, value) VALUES (?, ?)').run(key, value),
      );
    },
  };
}
