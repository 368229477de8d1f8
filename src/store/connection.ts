import { accessSync, closeSync, constants, existsSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { TurnwiseError } from '../core/error.ts';
import { APPLICATION_ID, CALIBRATION_TABLE, DERIVED_TABLES, EVENT_TABLE, MEMO_TABLE, STORE_VERSION } from './schema.ts';
import { guarded, storeError } from './sqlite-error.ts';

/** Why a store is only read: the caller asked for it, a newer Turnwise wrote it, or the file system forbids writing. */
export type ReadOnlyReason = 'asked' | 'newer_store' | 'store_read_only';

/** An open store, and why it cannot be written (null: it can). */
export interface Connection {
  readonly path: string;
  readonly db: DatabaseSync;
  readonly readOnly: ReadOnlyReason | null;
}

/** How long a statement waits for another writer, ms; longer waits belong off the caller's stack. */
const BUSY_TIMEOUT_MS = 200;
/** The same while a store is opened: several windows may start at once, and one of them makes the tables. */
const OPENING_TIMEOUT_MS = 5000;

/** What every connection must run under, as SQLite reports it back. */
const PRAGMAS: readonly { readonly name: string; readonly set: string; readonly reads: string | number }[] = [
  { name: 'synchronous', set: 'FULL', reads: 2 },
  { name: 'foreign_keys', set: 'ON', reads: 1 },
  // Without it INSERT OR REPLACE deletes a row past the trigger that forbids it.
  { name: 'recursive_triggers', set: 'ON', reads: 1 },
  { name: 'secure_delete', set: 'ON', reads: 1 },
  { name: 'cell_size_check', set: 'ON', reads: 1 },
  { name: 'trusted_schema', set: 'OFF', reads: 0 },
];

/**
 * Opens the SQLite file of a store, made on first use (mode 0600), with every PRAGMA read back. A store newer than this
 * code, or one whose file or folder cannot be written, is opened read-only. Throws `TurnwiseError` for a file that is
 * missing, locked, damaged or not ours.
 */
export function connect(path: string, readOnly: boolean): Connection {
  return guarded(path, () => (readOnly ? connectToRead(path, 'asked') : connectToWrite(path)));
}

function connectToWrite(path: string): Connection {
  makePrivate(path);
  // SQLite itself would open it for reading without a word, and fail at the first write.
  if (!writable(path)) return connectToRead(path, 'store_read_only');
  const db = new DatabaseSync(path, { timeout: OPENING_TIMEOUT_MS });
  try {
    const version = storeVersion(db, path);
    if (version > STORE_VERSION) {
      db.close();
      return connectToRead(path, 'newer_store');
    }
    setPragmas(db, path);
    setPragma(db, path, 'journal_mode', 'WAL', 'wal');
    if (version < STORE_VERSION) build(db, path);
    setPragma(db, path, 'busy_timeout', `${BUSY_TIMEOUT_MS}`, BUSY_TIMEOUT_MS);
    return { path, db, readOnly: null };
  } catch (thrown) {
    if (db.isOpen) db.close();
    throw thrown;
  }
}

function connectToRead(path: string, readOnly: ReadOnlyReason): Connection {
  if (!existsSync(path)) {
    throw new TurnwiseError('input', 'no_store', `There is no store at ${path}; check the path.`);
  }
  const db = openReadable(path);
  try {
    if (storeVersion(db, path) === 0) throw notOurs(path);
    setPragmas(db, path);
    setPragma(db, path, 'busy_timeout', `${BUSY_TIMEOUT_MS}`, BUSY_TIMEOUT_MS);
    return { path, db, readOnly };
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/**
 * Reading a WAL store needs a shared-memory file beside it, which a folder without write permission refuses. Where no log is
 * left over the file alone is complete, and SQLite may read it as immutable.
 */
function openReadable(path: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true, timeout: OPENING_TIMEOUT_MS });
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return db;
  } catch (thrown) {
    if (db?.isOpen === true) db.close();
    const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
    const error = storeError(path, thrown);
    const unreachable = error instanceof TurnwiseError && error.fault === 'environment';
    if (!unreachable || (log !== undefined && log.size > 0)) throw thrown;
    const url = pathToFileURL(path);
    url.searchParams.set('immutable', '1');
    return new DatabaseSync(url, { readOnly: true });
  }
}

/** The developer's words are theirs: a store is made readable by its owner only; its log takes over the mode. */
function makePrivate(path: string): void {
  if (existsSync(path)) return;
  try {
    closeSync(openSync(path, 'a', 0o600));
  } catch (cause) {
    throw new TurnwiseError(
      'environment',
      'store_unreachable',
      `Cannot make the store ${path}; check that its folder exists and can be written.`,
      { cause },
    );
  }
}

function writable(path: string): boolean {
  try {
    for (const place of [path, dirname(path)]) accessSync(place, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** `user_version` of our own file, 0 for an empty one; another program's database is refused. */
function storeVersion(db: DatabaseSync, path: string): number {
  const version = pragma(db, 'user_version');
  const application = pragma(db, 'application_id');
  if (typeof version !== 'number' || (application !== APPLICATION_ID && application !== 0)) throw notOurs(path);
  const tables = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'];
  if (application === 0 && tables !== 0) throw notOurs(path);
  return version;
}

function notOurs(path: string): TurnwiseError {
  return new TurnwiseError(
    'input',
    'not_a_store',
    `${path} is a database, but no Turnwise store; choose another path for the store.`,
  );
}

function setPragmas(db: DatabaseSync, path: string): void {
  for (const { name, set, reads } of PRAGMAS) setPragma(db, path, name, set, reads);
}

function setPragma(db: DatabaseSync, path: string, name: string, set: string, reads: string | number): void {
  db.exec(`PRAGMA ${name} = ${set}`);
  demand(db, path, name, reads);
}

function demand(db: DatabaseSync, path: string, name: string, expected: string | number): void {
  const found = pragma(db, name);
  if (found === expected) return;
  throw new TurnwiseError(
    'environment',
    'unsafe_store',
    `The store ${path} cannot be used safely here (${name} is ${String(found)}, not ${expected}); keep it on a local disk.`,
  );
}

function pragma(db: DatabaseSync, name: string): unknown {
  const row = db.prepare(`PRAGMA ${name}`).get();
  return row === undefined ? undefined : Object.values(row)[0];
}

/** Makes the tables of a new store, or the derived ones of an older store anew; two processes may try at once. */
function build(db: DatabaseSync, path: string): void {
  transaction(db, 'IMMEDIATE', () => {
    if (storeVersion(db, path) >= STORE_VERSION) return;
    db.exec(EVENT_TABLE);
    db.exec(MEMO_TABLE);
    db.exec(CALIBRATION_TABLE);
    db.exec(DERIVED_TABLES);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${STORE_VERSION}`);
  });
}

/** Runs work in one transaction: all of it is on the disk when this returns, or nothing where it throws. */
export function transaction<T>(db: DatabaseSync, kind: 'IMMEDIATE' | 'DEFERRED', work: () => T): T {
  db.exec(`BEGIN ${kind}`);
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (thrown) {
    // A full disk may have rolled it back already.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw thrown;
  }
}
