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

/** Failures to come by a scorer at all: they say nothing of a conversation, and another key, address, model or tokenizer mends them. */
export const OF_THE_SCORER: readonly string[] = [
  ...[
    'unreachable',
    'unauthorized',
    'missing_key',
    'missing_url',
    'unknown_profile',
    'unknown_backend',
    'cannot_score',
  ],
  ...['unknown_model', 'model_not_found', 'model_not_served', 'model_unreadable', 'not_an_engine', 'route_missing'],
  ...['engine_missing', 'engine_folder', 'engine_died', 'engine_timeout', 'self_test_failed', 'unsteady_scores'],
  ...['no_tokenizer', 'bad_tokenizer', 'bad_tokenizer_reference', 'tokenizer_not_fetched', 'tokenizer_not_found'],
  ...['cache_not_writable', 'tokenizer_mismatch', 'no_template', 'template_mismatch', 'echo_ignored'],
];

/** Whether every other job would meet this failure to connect as well, now and at any later try. */
export function failsAll(thrown: unknown): boolean {
  return thrown instanceof TurnwiseError && OF_THE_SCORER.includes(thrown.reason) && retryAfter(thrown, 1) === null;
}
