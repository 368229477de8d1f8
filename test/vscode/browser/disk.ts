import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getuid } from 'node:process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** A folder on a disk that a test may fill up and write-protect. */
export interface Disk {
  readonly path: string;
  /** Leaves no room for anything; the returned function makes room again. Null: this disk is the machine's own. */
  readonly fill: (() => Promise<() => Promise<void>>) | null;
  /** From now on nothing on it can be changed. Nobody may have a file of it open for writing. */
  readonly protect: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

/**
 * A small disk in memory where this user may mount one; for others a plain folder, whose permissions hold for everybody but
 * root. A sentence where neither can be had.
 */
export async function smallDisk(): Promise<Disk | string> {
  const path = await mkdtemp(join(tmpdir(), 'twd-'));
  try {
    await execute('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path]);
  } catch {
    if (getuid?.() === 0) {
      await rm(path, { recursive: true });
      return 'root is not allowed to mount a disk here, and permissions do not hold for root';
    }
    return ownFolder(path);
  }
  const filler = join(path, 'filler');
  return {
    path,
    fill: async () => {
      for (let size = 1 << 20; size >= 512; size >>= 1) {
        // What does not fit is written as far as it fits.
        await writeFile(filler, Buffer.alloc(size), { flag: 'a' }).catch(() => undefined);
      }
      return () => rm(filler);
    },
    protect: async () => {
      await execute('mount', ['-o', 'remount,ro', path]);
    },
    remove: async () => {
      await execute('umount', ['--lazy', path]);
      await rm(path, { recursive: true });
    },
  };
}

function ownFolder(path: string): Disk {
  return {
    path,
    fill: null,
    protect: async () => {
      for (const name of await readdir(path)) await chmod(join(path, name), 0o444);
      await chmod(path, 0o555);
    },
    remove: async () => {
      await chmod(path, 0o755);
      await rm(path, { recursive: true });
    },
  };
}
