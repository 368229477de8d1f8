import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

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

/** What a process was given as its environment, where this user may know it. */
export function environmentOf(pid: number): string {
  return textOf(`/proc/${pid}/environ`).replaceAll('\0', ' ');
}

/** Files below a folder, but for those of one folder in it, in whose bytes a word stands, as UTF-8 or UTF-16. */
export function filesWith(folder: string, word: string, except: string): string[] {
  const forms = [Buffer.from(word), Buffer.from(word, 'utf16le')];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => !file.startsWith(except))
    .filter((file) => {
      const bytes = bytesOf(file);
      return forms.some((form) => bytes.includes(form));
    });
}

function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    // It went while the list was made.
    return Buffer.alloc(0);
  }
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
