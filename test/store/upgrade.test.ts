import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { EventBody } from '../../src/core/event.ts';
import { backupFolder, backupsOf } from '../../src/store/backups.ts';
import { connect } from '../../src/store/connection.ts';
import { inspect } from '../../src/store/inspect.ts';
import { openJournal } from '../../src/store/journal.ts';
import { setSafety, settingsOf } from '../../src/store/pragmas.ts';
import { STORE_VERSION } from '../../src/store/schema.ts';
import { started } from '../core/event-arbitrary.ts';
import { makeOlderStore, OLDER_VERSIONS } from './older-store.ts';
import { refused, temporaryStore } from './temporary-store.ts';

const request: EventBody = { type: 'request_accepted', text: 'Convert it.' };

function versionOf(path: string): unknown {
  const db = new DatabaseSync(path, { readOnly: true });
  const version = db.prepare('PRAGMA user_version').get()?.['user_version'];
  db.close();
  return version;
}

test.each(OLDER_VERSIONS)(
  'a store of version %i is copied, then brought up to date with its events untouched',
  (version) => {
    const path = temporaryStore();
    makeOlderStore(path, version, 'e', [started, request]);
    const journal = openJournal(path);
    expect(journal.readOnly).toBeNull();
    expect(journal.read('e').map(({ id, body }) => [id, body])).toEqual([
      ['old-0', started],
      ['old-1', request],
    ]);
    expect(journal.memo.get('draft e')).toBe(version >= 2 ? 'half a sentence' : null);
    // The scores of the version before have today's shape.
    expect(journal.getScore('k')).toBe(version >= 3 ? 1 : undefined);
    expect(journal.search.find('convert')).toHaveLength(1);
    journal.append('e', [{ type: 'episode_closed' }], { expectedSeq: 2 });
    journal.close();
    expect(versionOf(path)).toBe(STORE_VERSION);

    const [copy = '', ...others] = backupsOf(path);
    expect(others).toEqual([]);
    expect(dirname(copy)).toBe(join(dirname(path), 'backups'));
    expect(copy).toMatch(new RegExp(`store\\.db\\.\\d{8}T\\d{6}-\\d{3}Z\\.v${version}$`));
    expect(statSync(copy).mode & 0o077).toBe(0);
    expect(statSync(backupFolder(path)).mode & 0o077).toBe(0);
    expect(versionOf(copy)).toBe(version);
    const old = openJournal(copy, { readOnly: true });
    expect(old.read('e')).toHaveLength(2);
    old.close();
    // Nothing is left to do, so nothing is copied.
    openJournal(path).close();
    expect(backupsOf(path)).toEqual([copy]);
  },
);

test('the newest three copies stay', () => {
  const path = temporaryStore();
  for (let round = 0; round < 5; round += 1) {
    for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
    makeOlderStore(path, 1, `e${round}`, [started]);
    openJournal(path).close();
  }
  const kept = backupsOf(path).map((file) => {
    const journal = openJournal(file, { readOnly: true });
    const ids = journal.episodes().map(({ id }) => id);
    journal.close();
    return ids[0];
  });
  expect(kept).toEqual(['e2', 'e3', 'e4']);
  expect(readdirSync(backupFolder(path)).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('without a copy there is no upgrade: the older store stays as it was, and the error says why', () => {
  const path = temporaryStore();
  makeOlderStore(path, 2, 'e', [started]);
  writeFileSync(backupFolder(path), 'a file where the folder should be');
  expect(() => openJournal(path)).toThrow();
  expect(versionOf(path)).toBe(2);
});

test('an older window that is open while a newer one updates the store: refused in a sentence, nothing harmed', () => {
  const path = temporaryStore();
  const window = openJournal(path);
  const before = window.append('e', [started, request]);
  const newer = new DatabaseSync(path);
  newer.exec(`PRAGMA user_version = ${STORE_VERSION + 1}`);
  expect(refused(() => window.append('e', [{ type: 'episode_closed' }]))).toMatchObject({
    fault: 'unsupported',
    reason: 'newer_store',
    message: expect.stringMatching(/reload the window/) as string,
  });
  expect(window.read('e')).toEqual(before);
  newer.close();
  window.close();
  const late = openJournal(path);
  expect(late.readOnly).toMatch(/newer Turnwise/);
  expect(late.read('e')).toEqual(before);
  expect(existsSync(backupFolder(path))).toBe(false);
  late.close();
});

test('processes that make the same store at the same moment all get it', async () => {
  const script = fileURLToPath(new URL('open-child.ts', import.meta.url));
  for (let round = 0; round < 3; round += 1) {
    const path = temporaryStore();
    const children = ['a', 'b', 'c', 'd', 'e'].map((name) =>
      spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, path, name], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    const ended = children.map((child) => new Promise((resolve) => child.once('close', resolve)));
    await Promise.all(children.map(({ stdout }) => once(stdout, 'data')));
    writeFileSync(`${path}.go`, '');
    expect(await Promise.all(ended)).toEqual([0, 0, 0, 0, 0]);
    expect(inspect(path)).toMatchObject({ episodes: 5, wrong: [] });
  }
});

test('settings are read back on every connection, and a place where one does not hold is refused by its name', () => {
  const path = temporaryStore();
  const { db } = connect(path, false);
  for (const { name, reads, due } of settingsOf(db)) expect([name, reads]).toEqual([name, due]);
  expect(settingsOf(db).map(({ name }) => name)).toEqual(
    expect.arrayContaining(['journal_mode', 'synchronous', 'foreign_keys', 'secure_delete', 'busy_timeout']),
  );
  db.close();
  // As on a file system without shared memory: SQLite keeps the old kind of log and says so only when asked.
  const odd = new DatabaseSync(`file:${join(dirname(path), 'odd.db')}?vfs=unix-dotfile`);
  expect(
    refused(() => {
      setSafety(odd, 'odd.db', 'writer');
    }),
  ).toMatchObject({
    reason: 'unsafe_store',
    message: expect.stringMatching(/journal_mode is delete, not wal/) as string,
  });
  odd.close();
});
