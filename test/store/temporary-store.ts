import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { TurnwiseError } from '../../src/core/error.ts';

/** A path for a store in a folder of its own, which goes when the test file ends. */
export function temporaryStore(): string {
  const folder = mkdtempSync(join(tmpdir(), 'turnwise-store-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return join(folder, 'store.db');
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
