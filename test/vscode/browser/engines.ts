import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kill } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Server } from '../../host/server.mjs';

const addressSchema = z.object({ pid: z.int().positive() });

/** Processes of the local engines that this editor's windows started, from the files they left for each other. */
export async function enginesOf(server: Server): Promise<number[]> {
  const folder = join(server.home, 'user/User/globalStorage/turnwise.turnwise/engines');
  const keys = await readdir(folder).catch(() => []);
  const read = keys.map(async (key) => {
    const text = await readFile(join(folder, key, 'engine.json'), 'utf8').catch(() => null);
    return text === null ? [] : [addressSchema.parse(JSON.parse(text)).pid];
  });
  return (await Promise.all(read)).flat();
}

/** Waits until none of these processes is left, ms at most; ends those that are and returns how many that were. */
export async function awaitEnd(pids: readonly number[], milliseconds: number): Promise<number> {
  const deadline = Date.now() + milliseconds;
  while (pids.some(isAlive) && Date.now() < deadline) await sleep(200);
  const left = pids.filter(isAlive);
  for (const pid of left) kill(pid, 'SIGKILL');
  return left.length;
}

export function isAlive(pid: number): boolean {
  try {
    kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
