import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/app/demo/random.ts';
import type { EventBody, StoredEvent } from '../../src/core/event.ts';
import { openJournal } from '../../src/store/journal.ts';
import { intactRows, salvage } from '../../src/store/salvage.ts';
import { started } from '../core/event-arbitrary.ts';
import { refused, temporaryStore } from './temporary-store.ts';

const PAGE = 4096;
const says = (text: string): EventBody => ({ type: 'rated', turn: null, thumb: 1, note: text });

/** A closed store of many pages, in which one event in five goes on over one to ten further pages. */
function filled(): { path: string; events: StoredEvent[] } {
  const path = temporaryStore();
  const journal = openJournal(path);
  const events: StoredEvent[] = [];
  for (let index = 0; index < 240; index += 1) {
    const id = `episode-${index % 24}`;
    const length = index % 5 === 0 ? 2000 + ((index * 977) % 38_000) : (index * 53) % 900;
    events.push(...journal.append(id, [index < 24 ? started : says('ünï 🙂 '.repeat(1 + length / 7))]));
  }
  journal.search.rebuild();
  journal.close();
  return { path, events };
}

/** Which pages an event's row lies on, as SQLite itself tells (dbstat), with the cells of a leaf in the order of their keys. */
function pagesOf(path: string, events: readonly StoredEvent[]): Map<string, Set<number>> {
  const db = new DatabaseSync(path, { readOnly: true });
  const stat = db.prepare("SELECT pageno, path, pagetype FROM dbstat WHERE name = 'event'").all();
  db.close();
  const bytes = readFileSync(path);
  const places = new Map<string, Set<number>>();
  for (const leaf of stat.filter(({ pagetype }) => pagetype === 'leaf')) {
    const page = bytes.subarray((Number(leaf['pageno']) - 1) * PAGE, Number(leaf['pageno']) * PAGE);
    const here = events.filter(({ id }) => page.includes(id));
    for (const [cell, { id }] of here.entries()) {
      const chain = `${String(leaf['path'])}${cell.toString(16).padStart(3, '0')}+`;
      const overflow = stat.filter((row) => String(row['path']).startsWith(chain));
      places.set(id, new Set([Number(leaf['pageno']), ...overflow.map(({ pageno }) => Number(pageno))]));
    }
  }
  return places;
}

test('k of n pages overwritten at random: every event on intact pages is recovered, and not one more', () => {
  const { path, events } = filled();
  const places = pagesOf(path, events);
  expect(places.size).toBe(events.length);
  expect([...places.values()].filter((pages) => pages.size > 5).length).toBeGreaterThan(10);
  const whole = readFileSync(path);
  const n = whole.length / PAGE;
  const damaged = join(dirname(path), 'damaged.db');
  const random = seededRandom('salvage');
  const shares: string[] = [];
  for (const k of [0, 1, 2, 5, 10, 20, 40, 80, n - 20, n]) {
    const order = Array.from({ length: n }, (_, index) => ({ page: index + 1, key: random() }));
    const hit = new Set(
      order
        .sort((a, b) => a.key - b.key)
        .slice(0, k)
        .map(({ page }) => page),
    );
    const bytes = Buffer.from(whole);
    for (const page of hit) for (let at = 0; at < PAGE; at += 1) bytes[(page - 1) * PAGE + at] = random() * 256;
    writeFileSync(damaged, bytes);
    const expected = events.filter(({ id }) => ![...(places.get(id) ?? [])].some((page) => hit.has(page)));
    const { rows } = intactRows(damaged);
    expect([...rows.values()].map(({ event }) => event.id).sort()).toEqual(expected.map(({ id }) => id).sort());
    for (const event of expected) expect(rows.get(event.id)?.event).toEqual(event);
    shares.push(`${k} of ${n} pages: ${rows.size} of ${events.length} events`);
  }
  console.log(`pages overwritten, events recovered: ${shares.join('; ')}`);
});

test('what is saved is a store again; conversations with a gap are told', () => {
  const { path, events } = filled();
  const journal = openJournal(path);
  journal.memo.set('draft episode-1', 'half a sentence');
  journal.close();
  const bytes = readFileSync(path);
  const places = pagesOf(path, events);
  const victim = events[100];
  const [page = 0] = places.get(victim?.id ?? '') ?? [];
  bytes.fill(0xaa, (page - 1) * PAGE, page * PAGE);
  writeFileSync(path, bytes);
  const target = `${path}.saved`;
  const report = salvage(path, target);
  const lost = events.filter(({ id }) => places.get(id)?.has(page));
  expect(report.events).toBe(events.length - lost.length);
  expect(report.torn.map(({ episodeId }) => episodeId).sort()).toEqual(
    [...new Set(lost.map(({ episode_id }) => episode_id))].sort(),
  );
  const saved = openJournal(target);
  expect(report.whole.length).toBeGreaterThan(10);
  for (const id of report.whole) {
    expect(saved.read(id)).toEqual(events.filter(({ episode_id }) => episode_id === id));
  }
  expect(saved.memo.get('draft episode-1')).toBe('half a sentence');
  saved.append(report.whole[0] ?? '', [{ type: 'consent_set', scope: 'excluded' }]);
  saved.close();
  // The damaged file is as it was, and nothing is written over.
  expect(readFileSync(path).equals(bytes)).toBe(true);
  expect(refused(() => salvage(path, target))).toMatchObject({ reason: 'file_exists' });
  expect(refused(() => salvage(`${path}.none`, `${path}.new`))).toMatchObject({ reason: 'no_store' });
});

test('what only the log holds is saved too, and a damaged frame costs its own page alone', () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  const events = Array.from({ length: 30 }, (_, index) =>
    journal.append('e', [index === 0 ? started : says('x'.repeat(9000))]),
  );
  const copy = `${path}.copy`;
  copyFileSync(path, copy);
  copyFileSync(`${path}-wal`, `${copy}-wal`);
  journal.close();
  const ids = events.flat().map(({ id }) => id);
  expect([...intactRows(copy).rows.keys()].sort()).toEqual([...ids].sort());
  const log = readFileSync(`${copy}-wal`);
  const frame = Math.floor((log.length - 32) / (PAGE + 24) / 2);
  log.fill(0x55, 32 + frame * (PAGE + 24) + 24, 32 + (frame + 1) * (PAGE + 24));
  writeFileSync(`${copy}-wal`, log);
  expect(intactRows(copy).rows.size).toBeGreaterThanOrEqual(ids.length - 2);
});

test('a damaged store that can be read is read, says so, and takes nothing new', () => {
  const { path, events } = filled();
  const db = new DatabaseSync(path);
  const root = Number(db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'score_job'").get()?.['rootpage']);
  // An older version whose upgrade must touch what is damaged.
  db.exec('PRAGMA user_version = 2');
  db.close();
  const bytes = readFileSync(path);
  bytes.fill(0xff, (root - 1) * PAGE, root * PAGE);
  writeFileSync(path, bytes);
  rmSync(join(dirname(path), 'backups'), { recursive: true, force: true });
  const journal = openJournal(path);
  expect(journal.readOnly).toMatch(/is damaged, so it is only read.*turnwise salvage/);
  expect(journal.read('episode-3')).toEqual(events.filter(({ episode_id }) => episode_id === 'episode-3'));
  expect(refused(() => journal.append('episode-3', [started]))).toMatchObject({ reason: 'damaged_store' });
  journal.close();
});
