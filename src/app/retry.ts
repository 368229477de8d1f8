import { TurnwiseError } from '../core/error.ts';

/** Waits between tries, ms; each is spread by up to a half, so that workers which failed together do not meet again. */
const RETRY_MS = [2_000, 10_000, 60_000, 300_000];

/** What the next try would meet again, whoever makes it: somebody has to change a key, a name or a server first. */
const LASTING = new Set([
  'unauthorized',
  'unknown_model',
  'tokenizer_mismatch',
  'template_mismatch',
  'template_failed',
  'bad_token',
  'too_long',
  'echo_ignored',
  'route_missing',
]);

/**
 * Ms until a job that failed is worth another try, after its `attempts`-th one; null where none is: what lasts, what is
 * nobody's passing trouble, and what failed five times. `random` is uniform on [0, 1).
 */
export function retryAfter(thrown: unknown, attempts: number, random: () => number = Math.random): number | null {
  if (!(thrown instanceof TurnwiseError) || LASTING.has(thrown.reason)) return null;
  const passing = thrown.fault === 'backend' || thrown.fault === 'environment' || thrown.fault === 'protocol';
  const wait = passing ? RETRY_MS[attempts - 1] : undefined;
  return wait === undefined ? null : Math.round(wait * (1 + random() / 2));
}
