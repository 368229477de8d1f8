import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** How often the command lines of a running process and its children are read, ms: short-lived ones must be met. */
const LOOK_MS = 15;

/** What others on this machine can read of the command lines of a process and of all that it starts. Linux alone tells. */
export function commandLines(): {
  readonly watch: (child: ChildProcess) => void;
  readonly seen: () => string[];
} {
  const lines = new Set<string>();
  return {
    watch: (child) => {
      const look = (): void => {
        for (const pid of family(child.pid ?? 0)) lines.add(commandLineOf(pid));
      };
      const looking = setInterval(look, LOOK_MS);
      child.once('close', () => {
        clearInterval(looking);
      });
    },
    seen: () => [...lines],
  };
}

/** The words that a process was started with, with spaces between them; empty: it is gone. */
export function commandLineOf(pid: number): string {
  return textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

/** A process and all that it started, and those. */
export function family(root: number): number[] {
  if (process.platform !== 'linux') return [];
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    // The name in brackets may hold anything.
    const parent = /^\d+ \(.*\) \S+ (\d+)/s.exec(textOf(`/proc/${name}/stat`))?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const found = new Set([root]);
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
