import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** How long an engine that is told to end may take, ms; it is killed then. */
const GRACE_MS = 1000;
const POLL_MS = 50;

/**
 * Ends an engine that is still there and does not answer, by the process id that it wrote. The id may be another process's by
 * now: only one that was started with this very folder of leases is ended. True where one was.
 */
export async function endStaleEngine(pid: number, leases: string): Promise<boolean> {
  if (!(await isEngineOf(pid, leases))) return false;
  signal(pid, 'SIGTERM');
  for (let waited = 0; waited < GRACE_MS; waited += POLL_MS) {
    await sleep(POLL_MS);
    if (!(await isEngineOf(pid, leases))) return true;
  }
  signal(pid, 'SIGKILL');
  return true;
}

/** Whether this process runs an engine with this folder of leases; false where nobody can tell. */
export async function isEngineOf(pid: number, leases: string): Promise<boolean> {
  const words = await commandLine(pid);
  const at = words.indexOf('--leases');
  return at >= 0 && (words[at + 1] ?? '').trimEnd() === leases;
}

async function commandLine(pid: number): Promise<string[]> {
  try {
    if (process.platform === 'linux') return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
    if (process.platform === 'win32') return [];
    const { stdout } = await promisify(execFile)('ps', ['-ww', '-p', String(pid), '-o', 'command=']);
    // The folder may hold spaces, and is the last word that an engine is started with.
    const [before = '', ...after] = stdout.split(' --leases ');
    return after.length === 0 ? [before] : [before, '--leases', after.join(' --leases ')];
  } catch {
    return [];
  }
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself.
  }
}
