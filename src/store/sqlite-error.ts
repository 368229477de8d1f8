import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorText, TurnwiseError } from '../core/error.ts';

// Primary result codes of SQLite (https://www.sqlite.org/rescode.html).
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** Runs one piece of work on the store; what SQLite throws becomes a `TurnwiseError` that names the file and says what to do. */
export function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw storeError(path, thrown);
  }
}

/** The error of the product for one that SQLite threw; anything else comes back as it is. */
export function storeError(path: string, thrown: unknown): unknown {
  if (thrown instanceof TurnwiseError) return thrown;
  const code = primaryCode(thrown);
  if (code === null) return thrown;
  const options = { cause: thrown };
  switch (code) {
    case BUSY:
    case LOCKED:
      return new TurnwiseError(
        'environment',
        'store_locked',
        `Another window or process is writing to the store ${path}; try again in a moment.`,
        options,
      );
    case READONLY:
      return new TurnwiseError('environment', 'store_read_only', readOnlySentence(path), options);
    case FULL:
      return diskFull(path, thrown);
    case CANTOPEN:
      return new TurnwiseError(
        'environment',
        'store_unreachable',
        `Cannot open the store ${path}; check that its folder exists and can be read and written.`,
        options,
      );
    case NOTADB:
    case CORRUPT:
      return new TurnwiseError(
        'corrupt',
        'damaged_store',
        `The store ${path} is damaged or is no Turnwise store (${errorText(thrown)}); keep the file, and restore a backup (turnwise restore), save what is intact (turnwise salvage), or choose another store.`,
        options,
      );
    case IOERR:
      // Memory that is shared through a file cannot grow there either, and SQLite has no word for that.
      if (isFull(path)) return diskFull(path, thrown);
      return new TurnwiseError(
        'environment',
        'disk_error',
        `The disk failed while the store ${path} was used (${errorText(thrown)}); check the disk, then try again.`,
        options,
      );
    default:
      return new TurnwiseError(
        'environment',
        'store_failed',
        `The store ${path} refused an operation (${errorText(thrown)}); try again, and report it if it stays.`,
        options,
      );
  }
}

/** What to do about a disk without room for what was to be written to `path`. */
export function diskFull(path: string, cause: unknown): TurnwiseError {
  return new TurnwiseError(
    'environment',
    'disk_full',
    `The disk that holds the store ${path} is full, so nothing new was recorded; free some space and try again. Everything recorded before is safe.`,
    { cause },
  );
}

/** Less than this, bytes, is no room: the file that windows share memory through is as large. */
const ROOM = 32_768;

function isFull(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize < ROOM;
  } catch {
    return false;
  }
}

/** What to do about a store that the file system does not let us write. */
export function readOnlySentence(path: string): string {
  return `The store ${path} cannot be written; check the permissions of the file and its folder, or choose another store.`;
}

/** What to do about a store that is damaged and can still be read. */
export function damagedSentence(path: string): string {
  return `The store ${path} is damaged, so it is only read and nothing new is recorded; restore a backup (turnwise restore), or save what is intact into a new store (turnwise salvage).`;
}

/** The low byte of an extended result code; null for an error that is not SQLite's. */
function primaryCode(thrown: unknown): number | null {
  // A damaged cell can hold an integer that no number takes; the driver refuses it under a code of its own.
  if (thrown instanceof RangeError && 'code' in thrown && thrown.code === 'ERR_OUT_OF_RANGE') return CORRUPT;
  if (!(thrown instanceof Error) || !('code' in thrown) || thrown.code !== 'ERR_SQLITE_ERROR') return null;
  return 'errcode' in thrown && typeof thrown.errcode === 'number' ? thrown.errcode & 0xff : null;
}
