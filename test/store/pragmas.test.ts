import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test, vi } from 'vitest';
import { backupStore, restoreStore } from '../../src/store/backup.ts';
import { connect } from '../../src/store/connection.ts';
import { inspect } from '../../src/store/inspect.ts';
import { openJournal } from '../../src/store/journal.ts';
import { settingsOf } from '../../src/store/pragmas.ts';
import { purgeEpisode, purgePlan } from '../../src/store/purge.ts';
import { salvage } from '../../src/store/salvage.ts';
import { started } from '../core/event-arbitrary.ts';
import { makeOlderStore } from './older-store.ts';
import { temporaryStore } from './temporary-store.ts';

/** What must hold for a connection that does not write the log. */
const ALWAYS = (() => {
  const { db } = connect(temporaryStore(), false);
  const names = settingsOf(db).map(({ name }) => name);
  db.close();
  return names.filter((name) => name !== 'journal_mode' && name !== 'busy_timeout');
})();

afterEach(() => {
  vi.restoreAllMocks();
});

/** Every connection that the work makes, with the settings that it has read back. */
function watched(work: () => void): Map<unknown, Set<string>> {
  const spies = [vi.spyOn(DatabaseSync.prototype, 'prepare'), vi.spyOn(DatabaseSync.prototype, 'exec')];
  work();
  const seen = new Map<unknown, Set<string>>();
  for (const { mock } of spies) {
    for (const [index, db] of mock.contexts.entries()) {
      const names = seen.get(db) ?? new Set();
      seen.set(db, names);
      const name = /^PRAGMA (\w+)$/.exec(mock.calls[index]?.[0] ?? '')?.[1];
      if (name !== undefined) names.add(name);
    }
  }
  return seen;
}

const path = temporaryStore();
const older = temporaryStore();
makeOlderStore(older, 2, 'e', [started]);
const OPERATIONS: Readonly<Record<string, () => void>> = {
  'a new store': () => {
    const journal = openJournal(path);
    for (const id of ['e', 'f']) journal.append(id, [started]);
    journal.close();
  },
  'one that is there': () => {
    openJournal(path).close();
  },
  'to read': () => {
    openJournal(path, { readOnly: true }).close();
  },
  'an older one': () => {
    openJournal(older).close();
  },
  'a damaged one': () => {
    const damaged = `${path}.damaged`;
    writeFileSync(damaged, readFileSync(path).fill(0xaa, 4096 * 4, 4096 * 6));
    try {
      openJournal(damaged).close();
    } catch {
      // Whether it can be read is another test's.
    }
  },
  check: () => void inspect(path),
  'backup and restore': () => {
    const { file } = backupStore(path);
    restoreStore(file, path, { replace: true });
  },
  salvage: () => void salvage(path, `${path}.saved`),
  'what a purge would take out': () => void purgePlan(path, 'e'),
  purge: () => void purgeEpisode(path, 'e'),
};

test.each(Object.entries(OPERATIONS))('every connection reads its settings back: %s', (_, work) => {
  const seen = watched(work);
  expect(seen.size).toBeGreaterThan(0);
  for (const names of seen.values()) expect([...names]).toEqual(expect.arrayContaining(ALWAYS));
});
