import { accessSync, closeSync, constants, existsSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { TurnwiseError } from '../core/error.ts';
import { pragma, setSafety, setShortWait } from './pragmas.ts';
import { APPLICATION_ID, STORE_VERSION } from './schema.ts';
import { guarded, storeError } from './sqlite-error.ts';
import { transaction } from './transaction.ts';
import { buildTables } from './upgrade.ts';

/**
 * Why a store is only read: the caller asked for it, a newer Turnwise wrote it, the file system forbids writing, or the file
 * is damaged.
 */
export type ReadOnlyReason = 'asked' | 'newer_store' | 'store_read_only' | 'damaged_store';

/** An open store, and why it cannot be written (null: it can). */
export interface Connection {
  readonly path: string;
  readonly db: DatabaseSync;
  readonly readOnly: ReadOnlyReason | null;
}

/** How long a store that is opened waits, ms: several windows may start at once, and one of them makes the tables. */
const OPENING_TIMEOUT_MS = 5000;
/** Between two tries to open one that SQLite would not wait for, ms. */
const RETRY_MS = 25;

/**
 * Opens the SQLite file of a store, made on first use (mode 0600), with every PRAGMA read back. A store newer than this
 * code, one whose file or folder cannot be written, and a damaged one that can still be read, are opened read-only; an older
 * one is copied into `backups` beside it before its tables are brought up to date. Throws `TurnwiseError` for a file that is
 * missing, locked, unreadable or not ours.
 */
export function connect(path: string, readOnly: boolean): Connection {
  return guarded(path, () => (readOnly ? connectToRead(path, 'asked') : connectToWrite(path)));
}

function connectToWrite(path: string): Connection {
  const deadline = Date.now() + OPENING_TIMEOUT_MS;
  for (;;) {
    makePrivate(path);
    // SQLite itself would open it for reading without a word, and fail at the first write.
    if (!writable(path)) return connectToRead(path, 'store_read_only');
    const before = fileId(path);
    const connection = openOrLocked(path, deadline);
    if (connection === null) continue;
    // A restore puts another file under this name; who opened the old one meanwhile must not write into it.
    if (before === fileId(path)) return connection;
    connection.db.close();
  }
}

/**
 * Null, a little later: it is locked, and there is time left. SQLite waits for others itself, but not where two connections
 * want to make the same new file a WAL one: one of them is refused at once.
 */
function openOrLocked(path: string, deadline: number): Connection | null {
  try {
    return openToWrite(path);
  } catch (thrown) {
    const locked = thrown instanceof TurnwiseError && thrown.reason === 'store_locked';
    if (!locked || Date.now() > deadline) throw thrown;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS * (1 + Math.random()));
    return null;
  }
}

function openToWrite(path: string): Connection {
  const db = new DatabaseSync(path, { timeout: OPENING_TIMEOUT_MS });
  try {
    const version = storeVersion(db, path);
    if (version > STORE_VERSION) {
      db.close();
      return connectToRead(path, 'newer_store');
    }
    setSafety(db, path, 'writer');
    if (version < STORE_VERSION) buildTables(db, path);
    setShortWait(db, path);
    return { path, db, readOnly: null };
  } catch (thrown) {
    if (db.isOpen) db.close();
    return readDamaged(path, storeError(path, thrown));
  }
}

/** Damage that stops a writer may leave enough to read; where it does not, the first error is the one to tell. */
function readDamaged(path: string, thrown: unknown): Connection {
  if (!(thrown instanceof TurnwiseError) || thrown.reason !== 'damaged_store') throw thrown;
  let connection: Connection | undefined;
  try {
    connection = connectToRead(path, 'damaged_store');
    connection.db.prepare('SELECT max(position) FROM event').get();
    return connection;
  } catch {
    if (connection?.db.isOpen === true) connection.db.close();
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
    setSafety(db, path, 'reader');
    setShortWait(db, path);
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

function fileId(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** `user_version` of our own file, 0 for an empty one; another program's database is refused. */
function storeVersion(db: DatabaseSync, path: string): number {
  // One snapshot: another process may be making the tables.
  return transaction(db, 'DEFERRED', () => {
    const tables = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'];
    const version = pragma(db, 'user_version');
    const application = pragma(db, 'application_id');
    if (typeof version !== 'number' || (application !== APPLICATION_ID && application !== 0)) throw notOurs(path);
    if (application === 0 && tables !== 0) throw notOurs(path);
    return version;
  });
}

function notOurs(path: string): TurnwiseError {
  return new TurnwiseError(
    'input',
    'not_a_store',
    `${path} is a database, but no Turnwise store; choose another path for the store.`,
  );
}
