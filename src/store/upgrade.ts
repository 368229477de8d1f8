import { DatabaseSync } from 'node:sqlite';
import { backupBeforeUpgrade } from './backups.ts';
import { pragma } from './pragmas.ts';
import {
  APPLICATION_ID,
  CALIBRATION_TABLE,
  EVENT_TABLE,
  MEMO_TABLE,
  SCORE_TABLES,
  SCORE_TABLES_SINCE,
  SEARCH_TABLES,
  STORE_VERSION,
} from './schema.ts';
import { transaction } from './transaction.ts';

/**
 * Makes the tables of a new store, or brings an older one up to date: copied first, events untouched, derived tables of
 * another shape made anew. Several processes may try at once.
 */
export function buildTables(db: DatabaseSync, path: string): void {
  if (pragma(db, 'application_id') === APPLICATION_ID) backupBeforeUpgrade(db, path, versionOf);
  transaction(db, 'IMMEDIATE', () => {
    const version = Number(pragma(db, 'user_version'));
    if (version >= STORE_VERSION) return;
    db.exec(EVENT_TABLE);
    db.exec(MEMO_TABLE);
    db.exec(CALIBRATION_TABLE);
    if (version < SCORE_TABLES_SINCE) db.exec(SCORE_TABLES);
    db.exec(SEARCH_TABLES);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${STORE_VERSION}`);
  });
}

function versionOf(file: string): number {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return Number(pragma(db, 'user_version'));
  } finally {
    db.close();
  }
}
