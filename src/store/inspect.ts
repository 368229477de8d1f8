import { reduce } from '../core/reduce.ts';
import { errorText } from '../core/error.ts';
import { connect } from './connection.ts';
import { journalOn } from './journal.ts';
import { pragma } from './pragmas.ts';
import { guarded } from './sqlite-error.ts';

/** What a whole look at a store found. */
export interface Inspection {
  readonly version: number;
  readonly events: number;
  readonly episodes: number;
  /** Everything that is wrong, one sentence each; none: the store is whole. */
  readonly wrong: readonly string[];
}

/** Complaints of SQLite that are kept; one damaged page can cause hundreds. */
const MAX_COMPLAINTS = 20;

/**
 * Reads all of a store: SQLite's own integrity check, every event's checksum and schema, and every conversation from its
 * events. Throws where it cannot be opened at all.
 */
export function inspect(path: string): Inspection {
  const connection = connect(path, true);
  const journal = journalOn(connection);
  try {
    return guarded(path, () => {
      const { db } = connection;
      const version = Number(pragma(db, 'user_version'));
      const wrong: string[] = [];
      const attempt = (work: () => void): void => {
        try {
          work();
        } catch (thrown) {
          wrong.push(errorText(thrown));
        }
      };
      attempt(() => {
        for (const row of db.prepare(`PRAGMA integrity_check(${MAX_COMPLAINTS})`).all()) {
          const complaint = String(row['integrity_check']);
          if (complaint !== 'ok') wrong.push(complaint);
        }
      });
      let events = 0;
      attempt(() => {
        const all = journal.readAll((error) => wrong.push(error.message));
        while (all.next().done !== true) events += 1;
      });
      let episodes = 0;
      attempt(() => {
        for (const { id } of journal.episodes()) {
          episodes += 1;
          attempt(() => reduce(journal.read(id)));
        }
      });
      return { version, events, episodes, wrong: [...new Set(wrong)] };
    });
  } finally {
    journal.close();
  }
}
