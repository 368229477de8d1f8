import { setTimeout as sleep } from 'node:timers/promises';
import { TurnwiseError } from '../core/error.ts';

/**
 * How long a write waits for other writers in all, ms. SQLite's lock keeps no queue: who waits only asks again, and behind
 * writers that follow each other without a pause one was seen to wait for three seconds.
 */
export const PATIENCE_MS = 20_000;
/** Between two tries, ms; the last one comes again and again. Short: only who asks often gets the moment between two others. */
const PAUSES_MS = [20, 50, 100];

/** A write to the store that waits for other writers off the caller's stack; after `patienceMs` their lock is the caller's error. */
export async function patiently<T>(write: () => T, patienceMs = PATIENCE_MS): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return write();
    } catch (thrown) {
      if (!isLocked(thrown) || performance.now() >= deadline) throw thrown;
      // Spread, so that two who met do not meet again.
      await sleep((PAUSES_MS[attempt] ?? PAUSES_MS.at(-1) ?? 0) * (0.5 + Math.random()));
    }
  }
}

/** Whether somebody else was writing to the store for longer than a statement waits. */
export function isLocked(thrown: unknown): boolean {
  return thrown instanceof TurnwiseError && thrown.reason === 'store_locked';
}
