import { TurnwiseError } from '../core/error.ts';

/**
 * Learns something of a server once. After a failure it is learned again: the next call may find the server running. A caller that
 * leaves takes only itself away from the others that wait.
 */
export function learnOnce<T>(learn: (signal?: AbortSignal) => Promise<T>): {
  (signal?: AbortSignal): Promise<T>;
  /** Learns again at the next call where such a failure may mean that another server stands there now. */
  failed(thrown: unknown): void;
} {
  let known: Promise<T> | null = null;
  const get = async (signal?: AbortSignal): Promise<T> => {
    const mine = (known ??= learn(signal));
    try {
      return await mine;
    } catch (thrown) {
      if (known === mine) known = null;
      // Another caller began it, and left.
      if (isAborted(thrown) && signal?.aborted !== true) return get(signal);
      throw thrown;
    }
  };
  return Object.assign(get, {
    failed(thrown: unknown) {
      if (thrown instanceof TurnwiseError && MAY_BE_ANOTHER.has(thrown.reason)) known = null;
    },
  });
}

const MAY_BE_ANOTHER: ReadonlySet<string> = new Set([
  ...['unreachable', 'connection_lost', 'hung', 'cut_off', 'server_error', 'route_missing', 'unauthorized'],
  ...['malformed_answer', 'wrong_count', 'bad_token', 'too_long', 'unknown_model'],
]);

function isAborted(thrown: unknown): boolean {
  return thrown instanceof TurnwiseError && thrown.reason === 'aborted';
}
