import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';

const SUPERVISOR = join(import.meta.dirname, 'supervise.mjs');
/** A server of two processes: prints both process ids. The second does not listen to SIGTERM where `stubborn`. */
const server = (stubborn: boolean): string => `
  const grandchild = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(
    `${stubborn ? "process.on('SIGTERM', () => undefined);" : ''} setInterval(() => undefined, 1000); console.log('up')`,
  )}], { stdio: ['ignore', 'pipe', 'ignore'] });
  grandchild.stdout.once('data', () => console.log(process.pid, grandchild.pid));
  setInterval(() => undefined, 1000);`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnwise-supervise-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function start(stubborn = false): Promise<{ supervisor: ReturnType<typeof spawn>; pids: number[] }> {
  const log = join(folder, 'log');
  const args = [SUPERVISOR, log, process.execPath, '-e', server(stubborn)];
  const supervisor = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'ignore'] });
  for (;;) {
    const said = await readFile(log, 'utf8').catch(() => '');
    const match = /(\d+) (\d+)\n/.exec(said);
    if (match) return { supervisor, pids: [Number(match[1]), Number(match[2])] };
    await sleep(20);
  }
}

const ended = (child: ReturnType<typeof spawn>): Promise<void> =>
  new Promise((resolve) => {
    child.on('exit', () => {
      resolve();
    });
  });

/** Gone, or dead and waiting to be collected. */
async function isOver(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return status === null || status.split(' ')[2] === 'Z';
}

test.runIf(process.platform === 'linux').each([
  ['its owner lets go', false, (supervisor: ReturnType<typeof spawn>) => supervisor.stdin?.end()],
  ['it is told to end', false, (supervisor: ReturnType<typeof spawn>) => supervisor.kill('SIGINT')],
  ['the first process crashes', false, (supervisor: ReturnType<typeof spawn>) => supervisor.kill('SIGUSR2')],
  ['a process does not listen', true, (supervisor: ReturnType<typeof spawn>) => supervisor.stdin?.end()],
])('no process of a server is left when %s', async (_, stubborn, act) => {
  const { supervisor, pids } = await start(stubborn);
  expect(await Promise.all(pids.map(isOver))).toEqual([false, false]);
  const over = ended(supervisor);
  act(supervisor);
  await over;
  expect(await Promise.all(pids.map(isOver))).toEqual([true, true]);
});
