import { copyFileSync, existsSync, linkSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { TurnwiseError } from '../core/error.ts';
import { backupName, copyStore, flush, makeBackupFolder, stamp } from './backups.ts';
import { connect } from './connection.ts';
import { inspect, type Inspection } from './inspect.ts';
import { pragma, setSafety } from './pragmas.ts';
import { STORE_VERSION } from './schema.ts';
import { guarded } from './sqlite-error.ts';

/** A copy of a store, and what is in it. */
export interface Backup extends Inspection {
  readonly file: string;
  readonly bytes: number;
}

/**
 * Copies a store while others use it, by default into `backups` beside it, and reads the copy through. Throws `file_exists`
 * unless `overwrite`, `damaged_store` where the store cannot be copied whole.
 */
export function backupStore(path: string, target?: string, { overwrite = false } = {}): Backup {
  const { db } = connect(path, true);
  const file = target ?? `${backupName(path, Number(pragma(db, 'user_version')))}.kept`;
  try {
    if (target === undefined) makeBackupFolder(path);
    guarded(path, () => copyStore(db, file, { overwrite }));
  } finally {
    db.close();
  }
  return { file, bytes: statSync(file).size, ...whole(file) };
}

/** What a restore did. */
export interface Restored extends Inspection {
  /** Where the store that was there before is now; null: there was none. */
  readonly replaced: string | null;
}

/**
 * Puts a copy, read through first, in the place of a store. What was there is kept beside it under a name with the time. The
 * store is whole at every moment: the one before or the copy. Throws `store_exists` unless `replace`, `store_in_use` while
 * any window or command has it open, `newer_store`, `damaged_store`.
 */
export function restoreStore(backup: string, path: string, { replace = false } = {}): Restored {
  if (resolve(backup) === resolve(path)) {
    throw new TurnwiseError('usage', 'same_file', 'The copy and the store are one file; name the copy to restore.');
  }
  const found = whole(backup);
  if (found.version > STORE_VERSION) {
    throw new TurnwiseError(
      'unsupported',
      'newer_store',
      `${backup} was written by a newer Turnwise; update Turnwise, then restore it.`,
    );
  }
  const there = existsSync(path);
  if (there && !replace) {
    throw new TurnwiseError(
      'usage',
      'store_exists',
      `There is a store at ${path}; say --yes to put the copy in its place (it is kept beside it).`,
    );
  }
  return guarded(path, () => {
    const draft = `${path}.${stamp(new Date())}.tmp`;
    const source = connect(backup, true);
    try {
      copyStore(source.db, draft, { overwrite: true });
      return { ...found, replaced: there ? putInPlace(draft, path) : moveHere(draft, path) };
    } finally {
      source.db.close();
      rmSync(draft, { force: true });
    }
  });
}

function whole(file: string): Inspection {
  const found = inspect(file);
  if (found.wrong.length === 0) return found;
  throw new TurnwiseError(
    'corrupt',
    'damaged_store',
    `${file} is not whole (${found.wrong[0] ?? ''}); take another copy, or save what is intact with turnwise salvage.`,
  );
}

function moveHere(draft: string, path: string): null {
  for (const end of ['-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
  renameSync(draft, path);
  flush(dirname(path));
  return null;
}

function putInPlace(draft: string, path: string): string {
  const replaced = `${path}.replaced-${stamp(new Date())}`;
  const log = keepLog(path, replaced);
  const alone = closeForOthers(path, () => {
    rmSync(log, { force: true });
  });
  try {
    try {
      linkSync(path, replaced);
    } catch {
      // A file system without hard links.
      copyFileSync(path, replaced);
    }
    if (alone !== null) rmSync(log, { force: true });
    // Left behind, a log would be taken for the copy's.
    for (const end of ['-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
    renameSync(draft, path);
    flush(dirname(path));
    return replaced;
  } finally {
    alone?.close();
  }
}

/** SQLite throws away the log of a file that it cannot read; a salvage may still find events in it. */
function keepLog(path: string, replaced: string): string {
  if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${replaced}-wal`);
  return `${replaced}-wal`;
}

/**
 * Folds the log into the file, which SQLite does for the last connection alone, and keeps everybody else out. Null for a
 * file that SQLite cannot read: nobody works with it.
 */
function closeForOthers(path: string, refuse: () => void): DatabaseSync | null {
  const db = new DatabaseSync(path, { timeout: 1000 });
  try {
    setSafety(db, path, 'reader');
    db.exec('PRAGMA journal_mode = DELETE');
    db.exec('BEGIN EXCLUSIVE');
    return db;
  } catch (thrown) {
    db.close();
    const code = thrown instanceof Error && 'errcode' in thrown ? thrown.errcode : null;
    if (code !== 5) return null;
    refuse();
    throw new TurnwiseError(
      'environment',
      'store_in_use',
      `A window or command has the store ${path} open; close them all, then restore.`,
      { cause: thrown },
    );
  }
}
