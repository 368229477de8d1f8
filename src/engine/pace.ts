import { SMALLEST_BATCH } from './track.ts';

/** Fewest tokens that a batch is bounded to: below, work is lost to the overhead of each batch. */
const FEWEST = 4 * SMALLEST_BATCH;
/** Weight of the newest batch in the estimate of the speed. */
const NEWEST = 0.3;

/** How many tokens may go into a batch so that it is over in time, from how long the batches before it took. */
export interface Pace {
  mostTokens(): number;
  /** A batch of this many tokens took so long, ms. */
  note(tokens: number, ms: number): void;
}

/** Bounds batches to about `batchMs`; the first ones are the smallest. `Infinity`: no bound. */
export function createPace(batchMs: number): Pace {
  let tokensPerMs = 0;
  return {
    mostTokens: () => (batchMs === Infinity ? Infinity : Math.max(FEWEST, Math.floor(tokensPerMs * batchMs))),
    note(tokens, ms) {
      const now = tokens / Math.max(ms, 0.01);
      // Stretches at the end of a run are shorter than they may be, and say little about long ones.
      if (tokens < FEWEST) return;
      tokensPerMs = tokensPerMs === 0 ? now : NEWEST * now + (1 - NEWEST) * tokensPerMs;
    },
  };
}
