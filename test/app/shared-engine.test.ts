import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { SharedEngine } from '../../src/app/shared-engine.ts';
import { TurnwiseError } from '../../src/core/error.ts';
import { countLeases } from '../../src/engine/leases.ts';
import { ENGINE_ENTRY } from '../engine/model.ts';

const home = mkdtempSync(join(tmpdir(), 'turnwise-shared-'));
const pids = new Set<number>();
afterAll(() => {
  for (const pid of pids) if (lives(pid)) process.kill(pid, 'SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

const shared = (folder: string, model = ''): SharedEngine => new SharedEngine(join(home, folder), model, ENGINE_ENTRY);

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const gone = async (pid: number): Promise<void> => {
  while (lives(pid)) await new Promise((resolve) => setTimeout(resolve, 50)); // the test's own timeout ends it
};

const folderOf = (name: string): string => join(home, name, readdirSync(join(home, name))[0] ?? '');

test('a model that is not there is said, and the next try is not locked out', async () => {
  const engine = shared('missing', join(home, 'none.gguf'));
  await expect(engine.connect()).rejects.toMatchObject({ reason: 'model_not_found' });
  await expect(engine.connect()).rejects.toBeInstanceOf(TurnwiseError);
  expect(existsSync(join(folderOf('missing'), 'starting'))).toBe(false);
  engine.dispose();
});

test('two windows that start at once share one engine, whose address only this user may read; the last one ends it', async () => {
  const windows = [shared('two'), shared('two')];
  const [one, two] = await Promise.all(windows.map((window) => window.connect()));
  if (one) pids.add(one.pid);
  expect(two).toEqual(one);
  const folder = folderOf('two');
  expect(statSync(join(folder, 'engine.json')).mode & 0o777).toBe(0o600);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(existsSync(join(folder, 'starting'))).toBe(false);
  for (const window of windows) window.dispose();
  await gone(one?.pid ?? 0);
});

test('an engine that was killed is replaced, and so is a starter that died', async () => {
  const window = shared('killed');
  const first = await window.connect();
  pids.add(first.pid);
  process.kill(first.pid, 'SIGKILL');
  await gone(first.pid);
  // No process has this id: Linux and macOS count lower.
  writeFileSync(join(folderOf('killed'), 'starting'), '99999999');
  const second = await window.connect();
  pids.add(second.pid);
  expect(second.pid).not.toBe(first.pid);
  await window.restart();
  await gone(second.pid);
  window.dispose();
});

test('a lease counts while its process lives, and goes with it', () => {
  const folder = mkdtempSync(join(home, 'leases-'));
  expect(countLeases(join(folder, 'nowhere'))).toBe(0);
  for (const name of [String(process.pid), '99999999', 'notes.txt', '-1']) writeFileSync(join(folder, name), '');
  expect(countLeases(folder)).toBe(1);
  expect(readdirSync(folder)).toEqual([String(process.pid)]);
});
