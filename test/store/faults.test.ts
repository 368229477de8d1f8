import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TurnwiseError } from '../../src/core/error.ts';
import type { EventBody, StoredEvent } from '../../src/core/event.ts';
import { connect } from '../../src/store/connection.ts';
import { journalOn, openJournal } from '../../src/store/journal.ts';
import { started } from '../core/event-arbitrary.ts';
import { refused, temporaryStore } from './temporary-store.ts';

const words = (text: string): EventBody => ({ type: 'request_accepted', text });

test('a full disk: the append is refused in words, what was acknowledged stays, and it goes on with more room', () => {
  const path = temporaryStore();
  const connection = connect(path, false);
  const journal = journalOn(connection);
  const kept = journal.append('e', [started]);
  const pages = Number(connection.db.prepare('PRAGMA page_count').get()?.['page_count']);
  connection.db.exec(`PRAGMA max_page_count = ${pages + 3}`);

  let error: TurnwiseError | undefined;
  for (let seq = 1; error === undefined && seq < 100; seq += 1) {
    try {
      kept.push(...journal.append('e', [words('x'.repeat(1000)), words('y'.repeat(1000))]));
    } catch (thrown) {
      error = thrown instanceof TurnwiseError ? thrown : expect.fail(String(thrown));
    }
  }
  expect(error).toMatchObject({ fault: 'environment', reason: 'disk_full' });
  expect(error?.message).toMatch(/free some space/);
  expect(kept.length).toBeGreaterThan(2);
  expect(journal.read('e')).toEqual(kept);
  expect(
    refused(() => {
      journal.putScore('k', 'z'.repeat(9000));
    }),
  ).toMatchObject({ reason: 'disk_full' });

  connection.db.exec('PRAGMA max_page_count = 100000');
  kept.push(...journal.append('e', [words('room again')], { expectedSeq: kept.length }));
  journal.close();
  const again = openJournal(path);
  expect(again.read('e')).toEqual(kept);
  again.close();
});

test('another writer: refused in words after a short wait, and possible again once it is done', () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  journal.append('e', [started]);
  const other = connect(path, false);
  other.db.exec('BEGIN IMMEDIATE');
  expect(refused(() => journal.append('e', [words('a')]))).toMatchObject({
    fault: 'environment',
    reason: 'store_locked',
  });
  expect(journal.read('e')).toHaveLength(1);
  other.db.exec('ROLLBACK');
  other.db.close();
  expect(journal.append('e', [words('a')], { expectedSeq: 1 })).toHaveLength(1);
  journal.close();
});

/** A child that gives up the rights of root, which no permission stops, and then tries the store. */
function asOrdinaryUser(path: string): unknown {
  const script = fileURLToPath(new URL('read-only-child.ts', import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, [script, path], { encoding: 'utf8' });
  if (stdout === '') expect.fail(stderr);
  return JSON.parse(stdout);
}

test('a file, or a folder, without write permission is read, and refuses to be written in words', () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  journal.append('e', [started, words('a')]);
  journal.close();
  const seen = {
    events: 2,
    readOnly: expect.stringMatching(/cannot be written; check the permissions/) as unknown,
    append: 'environment store_read_only',
    score: 'environment store_read_only',
  };
  chmodSync(path, 0o444);
  chmodSync(dirname(path), 0o777);
  expect(asOrdinaryUser(path)).toEqual(seen);
  chmodSync(dirname(path), 0o555);
  expect(asOrdinaryUser(path)).toEqual(seen);
  chmodSync(path, 0o666);
  expect(asOrdinaryUser(path)).toEqual(seen);
  chmodSync(dirname(path), 0o000);
  expect(asOrdinaryUser(path)).toMatchObject({ open: 'environment store_unreachable' });
  chmodSync(dirname(path), 0o755);
  chmodSync(path, 0o000);
  expect(asOrdinaryUser(path)).toMatchObject({ open: 'environment store_unreachable' });
});

/** A closed store of 40 conversations over some dozens of pages, and what it holds. */
function filledStore(): { path: string; events: Map<string, StoredEvent[]> } {
  const path = temporaryStore();
  const journal = openJournal(path);
  const events = new Map<string, StoredEvent[]>();
  for (let index = 0; index < 40; index += 1) {
    const id = `episode-${index}`;
    const bodies = Array.from({ length: 5 }, (_, n) => words(`${id} ${n} `.repeat(1 + ((index * 7 + n) % 40))));
    events.set(id, journal.append(id, [started, ...bodies]));
  }
  journal.close();
  return { path, events };
}

test('random bytes over the file: every conversation comes back exactly, or a named error does', () => {
  const { path, events } = filledStore();
  const whole = readFileSync(path);
  const copy = join(dirname(path), 'damaged.db');
  const seen = { exact: 0, named: new Map<string, number>() };
  const named = (thrown: unknown): void => {
    if (!(thrown instanceof TurnwiseError)) throw thrown;
    expect(thrown.fault === 'corrupt' || thrown.reason === 'not_a_store' || thrown.reason === 'store_failed').toBe(
      true,
    );
    seen.named.set(thrown.reason, (seen.named.get(thrown.reason) ?? 0) + 1);
  };
  const damage = fc.record({
    at: fc.nat({ max: whole.length - 1 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
  });
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 12 }), (places) => {
      const bytes = Buffer.from(whole);
      for (const place of places) bytes.set(place.bytes.subarray(0, whole.length - place.at), place.at);
      writeFileSync(copy, bytes);
      try {
        const journal = openJournal(copy, { readOnly: true });
        try {
          for (const [id, expected] of events) {
            try {
              expect(journal.read(id)).toEqual(expected);
              seen.exact += 1;
            } catch (thrown) {
              named(thrown);
            }
          }
        } finally {
          journal.close();
        }
      } catch (thrown) {
        named(thrown);
      }
    }),
    { numRuns: 150 },
  );
  // Both sides were reached: damage was met, and what it spared was read.
  expect(seen.exact).toBeGreaterThan(150);
  expect(seen.named.get('damaged_event')).toBeGreaterThan(0);
  expect(seen.named.get('damaged_store')).toBeGreaterThan(0);
});

test('a file cut short, and one overwritten from the start', () => {
  const { path } = filledStore();
  const whole = readFileSync(path);
  for (const [bytes, reasons] of [
    [whole.subarray(0, whole.length / 2), ['damaged_store', 'missing_event', 'damaged_event']],
    [Buffer.concat([Buffer.alloc(100, 7), whole.subarray(100)]), ['damaged_store']],
  ] as const) {
    const copy = `${path}.copy`;
    copyFileSync(path, copy);
    writeFileSync(copy, bytes);
    const error = refused(() => {
      const journal = openJournal(copy);
      try {
        for (const { id } of journal.episodes()) journal.read(id);
      } finally {
        journal.close();
      }
    });
    expect(error.fault).toBe('corrupt');
    expect(reasons).toContain(error.reason);
    expect(error.message).toMatch(/restore a backup/);
  }
});
