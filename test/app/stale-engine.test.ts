import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { endStaleEngine, isEngineOf } from '../../src/app/stale-engine.ts';
import { temporaryFolder } from '../store/temporary-store.ts';

const started: ChildProcess[] = [];
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
});

/** A process with these words behind its program, which hears no TERM. */
async function deaf(
  ...args: readonly string[]
): Promise<{ child: ChildProcess; pid: number; ended: Promise<unknown> }> {
  const program = "process.on('SIGTERM', () => 0); setInterval(() => 0, 1000); console.log('up')";
  const child = spawn(process.execPath, ['-e', program, '--', ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  started.push(child);
  const ended = once(child, 'close');
  await once(child.stdout, 'data');
  return { child, pid: child.pid ?? 0, ended };
}

const folder = temporaryFolder('stale');
const leases = join(folder, 'an engine', 'leases');

test('an engine that hangs is ended by the id that it wrote', async () => {
  const { child, pid, ended } = await deaf('--model', 'm.gguf', '--leases', leases);
  expect(await isEngineOf(pid, leases)).toBe(true);
  expect(await endStaleEngine(pid, leases)).toBe(true);
  await ended;
  expect(child.signalCode).toBe('SIGKILL');
  expect(await endStaleEngine(pid, leases)).toBe(false);
});

test('a process that only has the same id is left alone, another engine too', async () => {
  const stranger = await deaf('an', 'editor', leases);
  const neighbour = await deaf('--leases', `${leases}2`);
  for (const { pid, child } of [stranger, neighbour]) {
    expect(await endStaleEngine(pid, leases)).toBe(false);
    expect([child.exitCode, child.signalCode]).toEqual([null, null]);
  }
  expect(await endStaleEngine(process.pid, leases)).toBe(false);
});
