import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { v7 as uuidv7 } from 'uuid';
import { TurnwiseError } from '../core/error.ts';
import { pragma } from './pragmas.ts';
import { diskFull, storeError } from './sqlite-error.ts';

/** Copies that an upgrade leaves; older ones go. */
const KEPT = 3;

/** Where the copies of a store are kept unless somebody names another place. */
export function backupFolder(path: string): string {
  return join(dirname(path), 'backups');
}

/** The copies that were made of this store in its own folder, oldest first. */
export function backupsOf(path: string): string[] {
  const folder = backupFolder(path);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${basename(path)}.`) && !name.endsWith('-wal') && !name.endsWith('-shm'))
    .sort()
    .map((name) => join(folder, name));
}

/** A name for a copy that is made now: the time, then the version of the store. */
export function backupName(path: string, version: number, at: Date = new Date()): string {
  return join(backupFolder(path), `${basename(path)}.${stamp(at)}.v${version}`);
}

/** A time as file names carry it: sortable, no colons. */
export function stamp(at: Date): string {
  return at.toISOString().replaceAll(/[-:]/g, '').replace('.', '-');
}

/**
 * Copies a store while others use it: whole, without free pages, readable by its owner only, and under its name only once it
 * is on the disk. Throws `file_exists` where something has the name, unless `overwrite`. `fits` may refuse what was copied:
 * then nothing is left, and the answer is false.
 */
export function copyStore(
  db: DatabaseSync,
  target: string,
  {
    overwrite = false,
    fits = () => true,
  }: { readonly overwrite?: boolean; readonly fits?: (file: string) => boolean } = {},
): boolean {
  if (!overwrite && existsSync(target)) throw exists(target);
  const draft = join(dirname(target), `.${basename(target)}.${uuidv7()}.tmp`);
  makePrivateFile(draft);
  try {
    db.prepare('VACUUM INTO ?').run(draft);
    flush(draft);
    if (!fits(draft)) return false;
    if (overwrite) renameSync(draft, target);
    else linkSync(draft, target);
    flush(dirname(target));
    return true;
  } catch (thrown) {
    if (codeOf(thrown) === 'EEXIST') throw exists(target);
    // The copy has no room where it is to be, which need not be the disk of the store.
    if (codeOf(thrown) === 'ENOSPC') throw diskFull(target, thrown);
    throw storeError(target, thrown);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The copy that every upgrade makes first; the newest few of them stay. Null: another process was faster. */
export function backupBeforeUpgrade(
  db: DatabaseSync,
  path: string,
  readVersion: (file: string) => number,
): string | null {
  const version = Number(pragma(db, 'user_version'));
  makeBackupFolder(path);
  const target = backupName(path, version);
  if (!copyStore(db, target, { fits: (file) => readVersion(file) === version })) return null;
  const old = backupsOf(path).filter((file) => /\.v\d+$/.test(file));
  for (const file of old.slice(0, Math.max(0, old.length - KEPT))) rmSync(file, { force: true });
  return target;
}

/** The folder for copies beside a store, readable by its owner only. */
export function makeBackupFolder(path: string): void {
  const folder = backupFolder(path);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw unwritable(dirname(folder), cause);
  }
}

/** Brings a file, or the names in a folder, to the disk. */
export function flush(place: string): void {
  const handle = openSync(place, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function makePrivateFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (cause) {
    throw unwritable(dirname(file), cause);
  }
}

function unwritable(folder: string, cause: unknown): TurnwiseError {
  return new TurnwiseError(
    'environment',
    'unwritable_file',
    `Cannot write into ${folder}; check that the folder exists, its permissions and the free space.`,
    { cause },
  );
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && 'code' in thrown ? thrown.code : null;
}

function exists(target: string): TurnwiseError {
  return new TurnwiseError(
    'input',
    'file_exists',
    `${target} is there already; name another file, or say --force to replace it.`,
  );
}
