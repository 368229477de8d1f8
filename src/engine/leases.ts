import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Between two looks at the leases, ms. */
const LOOK_MS = 2_000;
/** Looks in a row without a lease before the engine ends: a window that reloads comes back within this time. */
const EMPTY_LOOKS = 5;

/**
 * Calls `end` once no process is left that holds a lease: an empty file in `folder` named by the process's id. A process that
 * died without giving its lease back loses it.
 */
export function endWithoutLeases(folder: string, end: () => void): void {
  let empty = 0;
  const timer = setInterval(() => {
    empty = countLeases(folder) > 0 ? 0 : empty + 1;
    if (empty < EMPTY_LOOKS) return;
    clearInterval(timer);
    end();
  }, LOOK_MS);
  timer.unref();
}

/** Leases whose process lives; the others are taken away. */
export function countLeases(folder: string): number {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return 0;
  }
  return names.filter((name) => {
    const lives = isAlive(Number(name));
    if (!lives) rmSync(join(folder, name), { force: true });
    return lives;
  }).length;
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // EPERM: it lives, under another user.
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}
