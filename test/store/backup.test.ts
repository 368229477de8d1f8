import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { EventBody } from '../../src/core/event.ts';
import { backupStore, restoreStore } from '../../src/store/backup.ts';
import { inspect } from '../../src/store/inspect.ts';
import { openJournal } from '../../src/store/journal.ts';
import { STORE_VERSION } from '../../src/store/schema.ts';
import { started } from '../core/event-arbitrary.ts';
import { makeOlderStore, OLDER_VERSIONS } from './older-store.ts';
import { refused, temporaryStore } from './temporary-store.ts';

const request: EventBody = { type: 'request_accepted', text: 'Convert it.' };
const closed: EventBody = { type: 'episode_closed' };

test('a copy made while a window writes holds what was acknowledged, for its owner alone, and is not overwritten', () => {
  const path = temporaryStore();
  const window = openJournal(path);
  const events = window.append('e', [started, request]);
  const { file, ...found } = backupStore(path);
  expect(found).toMatchObject({ version: STORE_VERSION, events: 2, episodes: 1, wrong: [] });
  expect(dirname(file)).toBe(join(dirname(path), 'backups'));
  expect(statSync(file).mode & 0o077).toBe(0);
  window.append('e', [closed]);
  expect(refused(() => backupStore(path, file))).toMatchObject({ fault: 'input', reason: 'file_exists' });
  const copy = openJournal(file, { readOnly: true });
  expect(copy.read('e')).toEqual(events);
  copy.close();
  expect(backupStore(path, file, { overwrite: true }).events).toBe(3);
  expect(refused(() => backupStore(path, join(path, 'no', 'where')))).toMatchObject({ fault: 'environment' });
  expect(refused(() => backupStore(`${path}.none`))).toMatchObject({ reason: 'no_store' });
  expect(readdirSync(dirname(file)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  window.close();
});

test('a restore asks first, waits for nobody, and keeps what was there', () => {
  const path = temporaryStore();
  const window = openJournal(path);
  const events = window.append('e', [started, request]);
  const { file } = backupStore(path);
  window.append('e', [closed]);
  expect(refused(() => restoreStore(file, path))).toMatchObject({ fault: 'usage', reason: 'store_exists' });
  expect(refused(() => restoreStore(path, path, { replace: true }))).toMatchObject({ reason: 'same_file' });
  // A window that went on in a file that is no longer the store would lose what it writes.
  expect(refused(() => restoreStore(file, path, { replace: true }))).toMatchObject({ reason: 'store_in_use' });
  expect(window.append('later', [started])).toHaveLength(1);
  window.close();

  const { replaced } = restoreStore(file, path, { replace: true });
  expect(basename(replaced ?? '')).toMatch(/^store\.db\.replaced-\d{8}T\d{6}-\d{3}Z$/);
  const now = openJournal(path);
  expect(now.read('e')).toEqual(events);
  expect(now.read('later')).toEqual([]);
  now.append('e', [closed], { expectedSeq: 2 });
  now.close();
  expect(statSync(path).mode & 0o077).toBe(0);
  const before = openJournal(replaced ?? '', { readOnly: true });
  expect(before.read('e')).toHaveLength(3);
  expect(before.read('later')).toHaveLength(1);
  before.close();
});

test.each(OLDER_VERSIONS)('a copy of version %i is restored and brought up to date when it is opened', (version) => {
  const copy = temporaryStore();
  makeOlderStore(copy, version, 'e', [started, request]);
  const path = `${copy}.here`;
  expect(restoreStore(copy, path)).toMatchObject({ version, events: 2, replaced: null });
  const journal = openJournal(path);
  expect(journal.read('e').map(({ id }) => id)).toEqual(['old-0', 'old-1']);
  expect(journal.readOnly).toBeNull();
  journal.close();
  expect(inspect(path)).toMatchObject({ version: STORE_VERSION, wrong: [] });
});

test('a damaged copy is not restored; a damaged store is replaced and kept', () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  for (let index = 0; index < 50; index += 1)
    journal.append(`e${index}`, [started, { ...request, text: 'x'.repeat(900) }]);
  journal.close();
  const { file } = backupStore(path);
  const bytes = readFileSync(file);
  writeFileSync(`${file}.bad`, Buffer.from(bytes).fill(0xaa, 4096 * 3, 4096 * 9));
  expect(refused(() => restoreStore(`${file}.bad`, path, { replace: true }))).toMatchObject({
    reason: 'damaged_store',
  });
  expect(inspect(`${file}.bad`).wrong.length).toBeGreaterThan(0);

  writeFileSync(path, Buffer.alloc(8192, 7));
  writeFileSync(`${path}-wal`, 'what a crash left');
  const { replaced } = restoreStore(file, path, { replace: true });
  expect(inspect(path)).toMatchObject({ events: 100, episodes: 50, wrong: [] });
  expect(readFileSync(replaced ?? '').equals(Buffer.alloc(8192, 7))).toBe(true);
  expect(existsSync(`${replaced ?? ''}-wal`)).toBe(true);
});
