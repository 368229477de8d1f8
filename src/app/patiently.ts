import { setTimeout as sleep } from 'node:timers/promises';
import { TurnwiseError } from '../core/error.ts';

/** Waits for other writers, ms; together more than any of them holds a store. */
const LOCK_WAITS_MS = [20, 50, 100, 200, 400, 800, 1600];

/** A write to the store that waits for other writers off the caller's stack; after the last wait their lock is the caller's error. */
export async function patiently<T>(write: () => T): Promise<T> {
  for (const wait of LOCK_WAITS_MS) {
    try {
      return write();
    } catch (thrown) {
      if (!isLocked(thrown)) throw thrown;
      // Spread, so that two who met do not meet again.
      await sleep(wait * (0.5 + Math.random()));
    }
  }
  return write();
}

/** Whether somebody else was writing to the store for longer than a statement waits. */
export function isLocked(thrown: unknown): boolean {
  return thrown instanceof TurnwiseError && thrown.reason === 'store_locked';
}
