import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { TurnwiseError } from '../../src/core/error.ts';

const folders: string[] = [];
// Registered when the test file is collected: a hook that is registered inside a test never runs.
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that goes when the test file ends. */
export function temporaryFolder(kind: string): string {
  const folder = mkdtempSync(join(tmpdir(), `turnwise-${kind}-`));
  folders.push(folder);
  return folder;
}

/** A path for a store in a folder of its own, which goes when the test file ends. */
export function temporaryStore(): string {
  return join(temporaryFolder('store'), 'store.db');
}

/** What the work was refused with; fails where it was not refused, or not by an error of ours. */
export function refused(work: () => unknown): TurnwiseError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof TurnwiseError) return thrown;
    throw thrown;
  }
  return expect.fail('it went through');
}
