import { DatabaseSync } from 'node:sqlite';
import { backupBeforeUpgrade } from './backups.ts';
import { pragma, setSafety } from './pragmas.ts';
import {
  APPLICATION_ID,
  CALIBRATION_TABLE,
  DIGEST_TABLES,
  EVENT_TABLE,
  EVENT_VERSIONS,
  MEMO_TABLE,
  SCORE_TABLES,
  SCORE_TABLES_SINCE,
  SEARCH_TABLES,
  STORE_VERSION,
} from './schema.ts';
import { transaction } from './transaction.ts';

/**
 * Makes the tables of a new store, or brings an older one up to date: copied first, events untouched, derived tables of
 * another shape, and what was computed from events that are read otherwise now, made anew. Several processes may try at once.
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
    else if (eventsAreReadOtherwise(version)) db.exec(FORGET_SCORES);
    db.exec(SEARCH_TABLES);
    db.exec(DIGEST_TABLES);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${STORE_VERSION}`);
  });
}

/**
 * Log-probs in `score` are kept under the tokens that they are of, and stay true. What was made of whole episodes is computed
 * again, with the tries counted anew; a worker of an older version that is at it has its lease taken away.
 */
const FORGET_SCORES = `
  DELETE FROM scored;
  UPDATE score_job SET done = 0, outdated = max(outdated, done > 0), attempts = 0, owner = NULL, lease_until = 0;
`;

function eventsAreReadOtherwise(version: number): boolean {
  return EVENT_VERSIONS[version - 1] !== EVENT_VERSIONS.at(-1);
}

function versionOf(file: string): number {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    setSafety(db, file, 'reader');
    return Number(pragma(db, 'user_version'));
  } finally {
    db.close();
  }
}
