import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { TurnwiseError } from '../../src/core/error.ts';
import type { EventBody } from '../../src/core/event.ts';
import { backupStore, restoreStore } from '../../src/store/backup.ts';
import { inspect } from '../../src/store/inspect.ts';
import { openJournal } from '../../src/store/journal.ts';
import { purgeEpisode, purgePlan } from '../../src/store/purge.ts';
import { salvage } from '../../src/store/salvage.ts';
import { started } from '../core/event-arbitrary.ts';
import { smallDisk, type Disk } from '../vscode/browser/disk.ts';
import { makeOlderStore } from './older-store.ts';
import { refused, temporaryStore } from './temporary-store.ts';

const says = (text: string): EventBody => ({ type: 'request_accepted', text });
const CONVERSATIONS = 25;

/** A closed store of some 300 kB. */
function fill(path: string): string {
  const journal = openJournal(path);
  for (let index = 0; index < CONVERSATIONS; index += 1) {
    journal.append(`e${index}`, [started, says(`words${index} `.repeat(1200))]);
  }
  journal.close();
  return path;
}

const OPERATIONS: Readonly<Record<string, (path: string) => () => unknown>> = {
  backup: (path) => {
    fill(path);
    return () => backupStore(path);
  },
  upgrade: (path) => {
    makeOlderStore(path, 3, 'e0', [started, ...Array.from({ length: 20 }, (_, n) => says(`words${n} `.repeat(1200)))]);
    return () => {
      openJournal(path).close();
    };
  },
  purge: (path) => {
    fill(path);
    return () => purgeEpisode(path, 'e3');
  },
  restore: (path) => {
    fill(path);
    const copy = fill(temporaryStore());
    return () => restoreStore(copy, path, { replace: true });
  },
  salvage: (path) => {
    fill(path);
    const damaged = temporaryStore();
    copyFileSync(path, damaged);
    return () => salvage(damaged, join(dirname(path), 'saved.db'));
  },
};

let disk: Disk | null = null;
afterEach(async () => {
  await disk?.remove();
  disk = null;
});

/** A disk that can be protected, or one that can be filled up too; the test is skipped, with the reason, where there is none. */
async function diskOr(skip: (why: string) => never, toFill: boolean): Promise<Disk> {
  const made = await smallDisk();
  if (typeof made === 'string') return skip(made);
  if (!toFill || made.fill !== null) return made;
  await made.remove();
  return skip('this user is not allowed to mount a disk of its own, and no other may be filled up');
}

/** Files on the disk that hold something of a store, by name; what SQLite keeps beside one says nothing. */
function filesOn({ path }: Disk): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !/(-wal|-shm|filler|^backups)$/.test(name),
  );
}

function read(path: string): string {
  const copy = temporaryStore();
  copyFileSync(path, copy);
  if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
  const journal = openJournal(copy, { readOnly: true });
  try {
    return JSON.stringify([...journal.readAll()]);
  } finally {
    journal.close();
  }
}

test.for(Object.keys(OPERATIONS))(
  '%s on a full disk: a named error, nothing lost, nothing half-made; with room it works',
  async (name, { skip }) => {
    disk = await diskOr(skip, true);
    const path = join(disk.path, 'store.db');
    const work = OPERATIONS[name]?.(path) ?? expect.fail('no such operation');
    const before = read(path);
    const files = filesOn(disk);
    const makeRoom = await disk.fill?.();
    const error: TurnwiseError = refused(work);
    expect([error.fault, error.reason]).toEqual(['environment', 'disk_full']);
    expect(error.message).toMatch(/is full.*free some space and try again/);
    expect(filesOn(disk)).toEqual(files);
    expect(read(path)).toBe(before);
    await makeRoom?.();
    work();
    expect(inspect(path).wrong).toEqual([]);
  },
);

test.for(Object.keys(OPERATIONS))(
  '%s on a disk that cannot be written: a named error, or it is only read',
  async (name, { skip }) => {
    disk = await diskOr(skip, false);
    const path = join(disk.path, 'store.db');
    const work = OPERATIONS[name]?.(path) ?? expect.fail('no such operation');
    const before = read(path);
    const files = readdirSync(disk.path, { recursive: true });
    await disk.protect();
    if (name === 'upgrade') {
      const journal = openJournal(path);
      expect(journal.readOnly).toMatch(/cannot be written; check the permissions/);
      journal.close();
    } else {
      const error = refused(work);
      expect(error.fault).toBe('environment');
      expect(['unwritable_file', 'store_read_only', 'store_unreachable']).toContain(error.reason);
      expect(error.message).toMatch(/; (check|make)/);
    }
    expect(readdirSync(disk.path, { recursive: true })).toEqual(files);
    expect(read(path)).toBe(before);
  },
);

test('a purge that has room to take out but not to write anew says what may be left, and is whole once there is room', async ({
  skip,
}) => {
  disk = await diskOr(skip, true);
  const path = fill(join(disk.path, 'store.db'));
  // Room for the pages that change, not for all of the file a second time.
  const filler = join(disk.path, 'filler');
  const makeRoom = await disk.fill?.();
  writeFileSync(filler, readFileSync(filler).subarray(200_000));
  const { left } = purgeEpisode(path, 'e3');
  expect(left.map(({ file }) => file)).toEqual([path]);
  expect(left[0]?.why).toMatch(/free pages could not be rewritten, which the next purge does: .*full/);
  expect(refused(() => purgePlan(path, 'e3')).reason).toBe('no_such_episode');
  expect(inspect(path)).toMatchObject({ episodes: CONVERSATIONS - 1, wrong: [] });
  await makeRoom?.();
  expect(purgeEpisode(path, 'e4').left).toEqual([]);
  for (const word of ['words3 ', 'words4 ']) expect(readFileSync(path).includes(word)).toBe(false);
});
