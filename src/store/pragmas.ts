import type { DatabaseSync } from 'node:sqlite';
import { TurnwiseError } from '../core/error.ts';

/** How long a statement waits for another writer, ms; longer waits belong off the caller's stack. */
const BUSY_TIMEOUT_MS = 200;

interface Pragma {
  readonly name: string;
  readonly set: string;
  readonly reads: string | number;
}

/** What every connection must run under, as SQLite reports it back. */
const ALWAYS: readonly Pragma[] = [
  { name: 'synchronous', set: 'FULL', reads: 2 },
  // On macOS only this reaches the disk itself.
  { name: 'fullfsync', set: 'ON', reads: 1 },
  { name: 'checkpoint_fullfsync', set: 'ON', reads: 1 },
  { name: 'foreign_keys', set: 'ON', reads: 1 },
  // Without it INSERT OR REPLACE deletes a row past the trigger that forbids it.
  { name: 'recursive_triggers', set: 'ON', reads: 1 },
  { name: 'secure_delete', set: 'ON', reads: 1 },
  { name: 'cell_size_check', set: 'ON', reads: 1 },
  { name: 'trusted_schema', set: 'OFF', reads: 0 },
  { name: 'ignore_check_constraints', set: 'OFF', reads: 0 },
];

/** A writer's log must be the write-ahead one: it is what lets windows read while another writes, and survives a kill. */
const WAL: Pragma = { name: 'journal_mode', set: 'WAL', reads: 'wal' };
const WAIT: Pragma = { name: 'busy_timeout', set: `${BUSY_TIMEOUT_MS}`, reads: BUSY_TIMEOUT_MS };

/** Settings before the tables are touched, each read back. Throws `unsafe_store` for one that does not hold here. */
export function setSafety(db: DatabaseSync, path: string, kind: 'reader' | 'writer'): void {
  for (const one of kind === 'writer' ? [...ALWAYS, WAL] : ALWAYS) set(db, path, one);
}

/** From here on nobody is waited for longer than a window may stand still. */
export function setShortWait(db: DatabaseSync, path: string): void {
  set(db, path, WAIT);
}

/** Every setting as this connection reports it, and what it must be. */
export function settingsOf(
  db: DatabaseSync,
): { readonly name: string; readonly reads: unknown; readonly due: unknown }[] {
  return [WAL, WAIT, ...ALWAYS].map(({ name, reads }) => ({ name, reads: pragma(db, name), due: reads }));
}

/** The first column of what `PRAGMA name` answers. */
export function pragma(db: DatabaseSync, name: string): unknown {
  const row = db.prepare(`PRAGMA ${name}`).get();
  return row === undefined ? undefined : Object.values(row)[0];
}

function set(db: DatabaseSync, path: string, { name, set: value, reads }: Pragma): void {
  // To set the kind of log takes a lock, also where it is the right one already.
  if (pragma(db, name) === reads) return;
  db.exec(`PRAGMA ${name} = ${value}`);
  const found = pragma(db, name);
  if (found === reads) return;
  throw new TurnwiseError(
    'environment',
    'unsafe_store',
    `The store ${path} cannot be used safely here (${name} is ${String(found)}, not ${reads}); keep it on a local disk.`,
  );
}
