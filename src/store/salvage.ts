import { existsSync, rmSync } from 'node:fs';
import { TurnwiseError } from '../core/error.ts';
import type { StoredEvent } from '../core/event.ts';
import { connect } from './connection.ts';
import { decodeEvent } from './event-row.ts';
import { leafRows, type LeafRow } from './leaf-cells.ts';
import { openPages } from './page-file.ts';
import { storeError } from './sqlite-error.ts';
import { transaction } from './transaction.ts';

/** What could be taken out of a damaged store. */
export interface Salvage {
  readonly pages: number;
  /** Events in the new store. */
  readonly events: number;
  /** Conversations whose events are all there, as far as their numbers tell. */
  readonly whole: readonly string[];
  /** Conversations of which an event in between is lost; what follows the gap is kept in the new store too. */
  readonly torn: readonly { readonly episodeId: string; readonly missing: number }[];
}

/**
 * Takes every intact event out of a damaged store and puts it, unchanged, into a new one. The damaged file is only read, and
 * page by page, past SQLite: an event is found wherever its row lies whole, and proves itself by its checksum. Measurements
 * and drafts are taken along where SQL still reaches them; scores are made again. Throws `file_exists`, `no_store`.
 */
export function salvage(damaged: string, target: string): Salvage {
  if (!existsSync(damaged)) {
    throw new TurnwiseError('input', 'no_store', `There is no store at ${damaged}; check the path.`);
  }
  if (existsSync(target)) {
    throw new TurnwiseError('input', 'file_exists', `${target} is there already; name a new file for what is saved.`);
  }
  const { rows, pages } = intactRows(damaged);
  const kept = [...rows.values()].sort((a, b) => a.position - b.position);
  try {
    write(damaged, target, kept);
  } catch (thrown) {
    // Half of what can be saved must not be taken for all of it, nor stand in the way of the next try.
    for (const end of ['', '-wal', '-shm']) rmSync(`${target}${end}`, { force: true });
    throw storeError(target, thrown);
  }
  return { pages, events: kept.length, ...conversationsOf(kept.map(({ event }) => event)) };
}

function write(damaged: string, target: string, kept: readonly IntactRow[]): void {
  const connection = connect(target, false);
  try {
    const insert = connection.db.prepare(
      'INSERT INTO event (id, episode_id, seq, at, version, type, body, sha) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    transaction(connection.db, 'IMMEDIATE', () => {
      for (const { columns } of kept) insert.run(...columns);
    });
    takeAlong(damaged, connection.db);
  } finally {
    connection.db.close();
  }
}

interface IntactRow {
  readonly position: number;
  readonly columns: (string | number)[];
  readonly event: StoredEvent;
}

/** Every event that lies whole in the file or in its log, by its id. */
export function intactRows(path: string): { readonly rows: ReadonlyMap<string, IntactRow>; readonly pages: number } {
  const store = openPages(path);
  try {
    const rows = new Map<string, IntactRow>();
    const take = (page: Buffer, number: number | null): void => {
      // A long row goes on in pages that the log may have replaced, or not yet.
      for (const overflow of [store.latest, store.file]) {
        for (const row of leafRows(page, number, store.usable, overflow)) {
          const intact = eventIn(path, row);
          if (intact !== null) rows.set(intact.event.id, intact);
        }
      }
    };
    for (let number = 1; number <= store.count; number += 1) {
      const page = store.file(number);
      if (page !== null) take(page, number);
    }
    for (const page of store.logged) take(page, null);
    return { rows, pages: store.count };
  } finally {
    store.close();
  }
}

const COLUMNS = ['position', 'id', 'episode_id', 'seq', 'at', 'version', 'type', 'body', 'sha'] as const;

function eventIn(path: string, { rowid, values }: LeafRow): IntactRow | null {
  if (values.length !== COLUMNS.length) return null;
  try {
    const event = decodeEvent(path, Object.fromEntries(COLUMNS.map((name, index) => [name, values[index]])));
    const columns = values.slice(1).filter((value) => value !== null);
    return { position: rowid, columns, event };
  } catch {
    // The row of another table, or one that is not whole.
    return null;
  }
}

function conversationsOf(events: readonly StoredEvent[]): Pick<Salvage, 'whole' | 'torn'> {
  const numbers = new Map<string, Set<number>>();
  for (const { episode_id: id, seq } of events) numbers.set(id, (numbers.get(id) ?? new Set()).add(seq));
  const whole: string[] = [];
  const torn: { episodeId: string; missing: number }[] = [];
  for (const [episodeId, seen] of numbers) {
    const missing = Math.max(...seen) + 1 - seen.size;
    if (missing === 0) whole.push(episodeId);
    else torn.push({ episodeId, missing });
  }
  return { whole, torn };
}

/** Drafts and measurements, where SQL still reaches them. */
function takeAlong(damaged: string, into: ReturnType<typeof connect>['db']): void {
  for (const [table, columns] of [
    ['memo', 'key, value'],
    ['calibration', 'scorer, value, sha, created'],
  ] as const) {
    try {
      const { db } = connect(damaged, true);
      try {
        const names = columns.split(', ');
        const insert = into.prepare(
          `INSERT OR IGNORE INTO ${table} (${columns}) VALUES (${names.map(() => '?').join(', ')})`,
        );
        for (const row of db.prepare(`SELECT ${columns} FROM ${table}`).iterate()) {
          insert.run(...names.map((name) => row[name] ?? null));
        }
      } finally {
        db.close();
      }
    } catch {
      // What cannot be read is said by what is missing; events are what must be saved.
    }
  }
}
