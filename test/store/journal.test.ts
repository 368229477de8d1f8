import { createHash } from 'node:crypto';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { validate, version as uuidVersion } from 'uuid';
import { expect, test } from 'vitest';
import type { EventBody } from '../../src/core/event.ts';
import { reduce } from '../../src/core/reduce.ts';
import { connect } from '../../src/store/connection.ts';
import { openJournal } from '../../src/store/journal.ts';
import { eventBody, started } from '../core/event-arbitrary.ts';
import { refused, temporaryStore } from './temporary-store.ts';

const request: EventBody = { type: 'request_accepted', text: 'Convert it.' };
const closed: EventBody = { type: 'episode_closed' };

/** Runs SQL behind the journal's back, as another program would. */
function tamper(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  try {
    db.exec(sql);
  } finally {
    db.close();
  }
}

test('a path that cannot hold a store', () => {
  const path = temporaryStore();
  const nowhere = join(dirname(path), 'no', 'folder', 'store.db');
  expect(refused(() => openJournal(nowhere))).toMatchObject({ fault: 'environment', reason: 'store_unreachable' });
  expect(refused(() => openJournal(path, { readOnly: true }))).toMatchObject({ fault: 'input', reason: 'no_store' });
  expect(existsSync(path)).toBe(false);
  expect(refused(() => openJournal(dirname(path)))).toMatchObject({ fault: 'environment' });
});

test("another program's database is refused and left as it is", () => {
  const path = temporaryStore();
  tamper(path, "CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine'); PRAGMA user_version = 1");
  expect(refused(() => openJournal(path))).toMatchObject({ fault: 'input', reason: 'not_a_store' });
  expect(refused(() => openJournal(path, { readOnly: true }))).toMatchObject({ reason: 'not_a_store' });
  const db = new DatabaseSync(path, { readOnly: true });
  expect(db.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'notes' }]);
  expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'delete' });
  db.close();
});

test('a file that is no database is refused and left as it is', () => {
  const path = temporaryStore();
  writeFileSync(path, 'dear diary, '.repeat(100));
  expect(refused(() => openJournal(path))).toMatchObject({ fault: 'corrupt', reason: 'damaged_store' });
  expect(refused(() => openJournal(path, { readOnly: true }))).toMatchObject({ reason: 'damaged_store' });
  expect(statSync(path).size).toBe(1200);
});

test('every connection runs under the settings that durability needs', () => {
  const { db } = connect(temporaryStore(), false);
  const settings = [
    'journal_mode',
    'synchronous',
    'busy_timeout',
    'foreign_keys',
    'recursive_triggers',
    'secure_delete',
  ];
  const found = settings.map((name) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  expect(found).toEqual(['wal', 2, 200, 1, 1, 1]);
  db.close();
});

test('a new store is readable by its owner only', () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  journal.append('e', [started]);
  for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o077).toBe(0);
  journal.close();
});

test('events cannot be changed, deleted or replaced, even by hand', () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  const before = journal.append('e', [started, request]);
  const { db } = connect(path, false);
  for (const sql of [
    "UPDATE event SET body = '{}'",
    'DELETE FROM event',
    'INSERT OR REPLACE INTO event SELECT * FROM event',
    "REPLACE INTO event SELECT position, 'other', episode_id, seq, at, version, type, body, sha FROM event",
  ]) {
    expect(() => {
      db.exec(sql);
    }, sql).toThrow(/never/);
  }
  db.close();
  expect(journal.read('e')).toEqual(before);
  journal.close();
});

test('what is appended is numbered, named, timed, and read back as it was handed out', () => {
  const path = temporaryStore();
  let clock = 5000;
  const journal = openJournal(path, { now: () => (clock += 1) });
  const first = journal.append('e', [started, request]);
  const second = journal.append('e', [closed], { expectedSeq: 2 });
  expect(first.concat(second).map(({ seq, at, version }) => [seq, at, version])).toEqual([
    [0, 5001, 1],
    [1, 5002, 1],
    [2, 5003, 1],
  ]);
  for (const { id } of first) expect([validate(id), uuidVersion(id)]).toEqual([true, 7]);
  expect(journal.read('e')).toEqual([...first, ...second]);
  expect(journal.read('unknown')).toEqual([]);
  journal.close();
  const again = openJournal(path, { readOnly: true });
  expect(again.read('e')).toEqual([...first, ...second]);
  expect(refused(() => again.append('e', [closed]))).toMatchObject({ fault: 'usage', reason: 'opened_read_only' });
  again.close();
});

test('a transaction is all or nothing: a conflict, an invalid event or an unsafe id in the middle undo the rest', () => {
  const journal = openJournal(temporaryStore());
  journal.append('old', [started]);
  const conflict = refused(() =>
    journal.appendAll([
      { episodeId: 'new', bodies: [started, request], expectedSeq: 0 },
      { episodeId: 'old', bodies: [request], expectedSeq: 0 },
    ]),
  );
  expect(conflict).toMatchObject({ fault: 'environment', reason: 'conflict' });
  const invalid: EventBody = { type: 'tests_run', turn: 0, passed: Number.NaN, total: 1 };
  expect(refused(() => journal.append('new', [started, invalid]))).toMatchObject({ reason: 'invalid_event' });
  for (const id of ['', 'a\u0000b', 'half \ud83c']) {
    expect(refused(() => journal.append(id, [started]))).toMatchObject({ reason: 'unsafe_id' });
  }
  expect(journal.episodes().map(({ id }) => id)).toEqual(['old']);
  expect(journal.append('old', [request], { expectedSeq: 1 })).toHaveLength(1);
  journal.close();
});

test('episodes are listed newest first with what a list shows; all events come in the order of arrival', () => {
  let clock = 0;
  const journal = openJournal(temporaryStore(), { now: () => (clock += 1) });
  journal.append('a', [{ ...started, task_id: 'task' }, request]);
  journal.append('b', [started]);
  journal.append('a', [{ type: 'action_started', turn: 0, pid: 3 }]);
  expect(journal.episodes()).toEqual([
    {
      id: 'b',
      startedAt: 3,
      lastAt: 3,
      events: 1,
      source: 'simulated',
      taskId: null,
      parent: null,
      title: null,
      request: null,
    },
    {
      id: 'a',
      startedAt: 1,
      lastAt: 4,
      events: 3,
      source: 'simulated',
      taskId: 'task',
      parent: null,
      title: null,
      request: 'Convert it.',
    },
  ]);
  expect(journal.unfinished()).toEqual(['a']);
  journal.append('a', [
    { type: 'action_interrupted', turn: 0 },
    { type: 'consent_set', scope: 'excluded' },
  ]);
  expect(journal.unfinished()).toEqual([]);
  expect([...journal.readAll()].map(({ at }) => at)).toEqual([1, 2, 3, 4, 5, 6]);
  journal.append(
    'b',
    Array.from({ length: 600 }, () => ({ type: 'consent_set', scope: 'excluded' }) as const),
  );
  expect([...journal.readAll()]).toHaveLength(606);
  journal.close();
});

test('a store of a newer version is read, never written', () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  journal.append('e', [started]);
  journal.close();
  tamper(path, 'PRAGMA user_version = 99; DROP TABLE score');
  const newer = openJournal(path);
  expect(newer.readOnly).toMatch(/newer Turnwise.*reload the window/);
  expect(newer.read('e')).toHaveLength(1);
  expect(refused(() => newer.append('e', [request]))).toMatchObject({ fault: 'unsupported', reason: 'newer_store' });
  newer.close();
});

test('a store of an older version keeps its events and gets its derived tables anew', () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  const events = journal.append('e', [started, request]);
  journal.putScore('k', 1);
  journal.close();
  tamper(path, 'PRAGMA user_version = 0; DROP TABLE score; CREATE TABLE score (other_column)');
  const newer = openJournal(path);
  expect(newer.readOnly).toBeNull();
  expect(newer.read('e')).toEqual(events);
  expect(newer.getScore('k')).toBeUndefined();
  newer.putScore('k', 2);
  expect(newer.getScore('k')).toBe(2);
  newer.close();
});

/** Plants a row as some version would have written it; the hash is computed here a second time. */
function plant(path: string, { version, body, sha }: { version: number; body: string; sha?: string }): void {
  const row = ['planted', 'e', 1, 7, version, 'some_type', body] as const;
  const honest = createHash('sha256').update(JSON.stringify(row)).digest('hex');
  const db = new DatabaseSync(path);
  db.prepare(
    'INSERT INTO event (id, episode_id, seq, at, version, type, body, sha) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  ).run(...row, sha ?? honest);
  db.close();
}

test("a newer version's event in a store of ours is kept and skipped visibly", () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  journal.append('e', [started]);
  plant(path, { version: 2, body: '{"type":"applauded","times":3}' });
  journal.append('e', [request]);
  const events = journal.read('e');
  expect(events[1]?.body).toEqual({ type: 'newer_event', json: { type: 'applauded', times: 3 } });
  expect(reduce(events)).toMatchObject({ skippedEvents: 1, phase: 'ready', lastSeq: 2 });
  journal.close();
});

test.each([
  ['broken JSON', { version: 1, body: '{"type":' }, /JSON/],
  ['a body that fits no event', { version: 1, body: '{"type":"request_accepted"}' }, /text/],
  ['a wrong checksum', { version: 1, body: '{"type":"episode_closed"}', sha: 'f00d' }, /checksum/],
])('a damaged event is named, and other episodes go on: %s', (_, row, why) => {
  const path = temporaryStore();
  const journal = openJournal(path);
  journal.append('e', [started]);
  plant(path, row);
  const other = journal.append('other', [started, request]);
  const error = refused(() => journal.read('e'));
  expect(error).toMatchObject({ fault: 'corrupt', reason: 'damaged_event' });
  expect(error.message).toMatch(why);
  expect(error.message).toContain('Event planted (episode e, number 1)');
  expect(journal.read('other')).toEqual(other);
  expect(journal.episodes().map(({ id, events }) => [id, events])).toEqual([
    ['other', 2],
    ['e', 2],
  ]);
  expect(refused(() => [...journal.readAll()])).toMatchObject({ reason: 'damaged_event' });
  const seen: string[] = [];
  expect([...journal.readAll((damage) => seen.push(damage.reason))]).toHaveLength(3);
  expect(seen).toEqual(['damaged_event']);
  journal.close();
});

test('an event lost from the middle is named', () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  journal.append('e', [started, request, closed]);
  tamper(path, 'DROP TRIGGER event_no_delete; DELETE FROM event WHERE seq = 1');
  const error = refused(() => journal.read('e'));
  expect(error).toMatchObject({ fault: 'corrupt', reason: 'missing_event' });
  expect(error.message).toContain('number 1 of episode e');
  journal.close();
});

test('any events of any texts come back exactly, in every cut into transactions', () => {
  const journal = openJournal(temporaryStore());
  let episode = 0;
  fc.assert(
    fc.property(fc.array(fc.array(eventBody, { minLength: 1, maxLength: 3 }), { maxLength: 4 }), (batches) => {
      episode += 1;
      const id = `episode ${episode} é🍰`;
      const stored = batches.flatMap((bodies) => journal.append(id, bodies));
      expect(stored.map(({ body }) => body)).toEqual(batches.flat());
      expect(journal.read(id)).toEqual(stored);
    }),
    { numRuns: 60 },
  );
  journal.close();
});
