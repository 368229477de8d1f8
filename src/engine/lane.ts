import { TurnwiseError } from '../core/error.ts';

/** One thing at a time, first come first served. */
export interface Lane {
  /** Runs `work` when everything before it is done; rejects with `aborted` if the signal comes first. */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Resolves when nothing runs or waits, or when the signal aborts. */
  idle(signal?: AbortSignal): Promise<void>;
}

export function createLane(): Lane {
  let waiting = 0;
  let tail: Promise<unknown> = Promise.resolve();
  return {
    run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
      waiting += 1;
      const turn = tail.then(async () => {
        try {
          if (signal?.aborted) throw aborted();
          return await work();
        } finally {
          waiting -= 1;
        }
      });
      tail = turn.catch(() => undefined);
      return turn;
    },
    async idle(signal) {
      // Re-read after each wait: somebody may have queued up meanwhile.
      while (waiting > 0 && !signal?.aborted) await Promise.race([tail, whenAborted(signal)]);
    },
  };
}

/** What an abandoned request ends with. */
export function aborted(): TurnwiseError {
  return new TurnwiseError('usage', 'aborted', 'The request was abandoned by its sender.');
}

function whenAborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    signal?.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { once: true },
    );
  });
}
