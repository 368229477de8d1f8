import { vi } from 'vitest';

/** How long a busy machine may take for what a free one does at once, ms. */
const PATIENCE_MS = 30_000;

/** Resolves when `check` no longer throws, to what it returns; rejects with its last error. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: PATIENCE_MS });
