import type { ScoreSequence } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';

/** Two scorings of one text that differ by more than this, nats, are not of the same model. */
const TOLERANCE = 0.05;
const PROBE_TOKENS = 40;

/** A made-up text of forty tokens, to be scored twice at connect. */
export function probeSequence(ids: readonly number[]): ScoreSequence {
  const probe = Array.from({ length: PROBE_TOKENS }, (_, at) => ids[at % ids.length] ?? 0);
  return { ids: probe, from: 1, to: probe.length };
}

/** Throws `unsupported`/`unsteady_scores` where the same text scored in two ways gives two answers. */
export function checkSame(server: string, once: readonly number[], again: readonly number[], how: string): void {
  const worst = Math.max(0, ...once.map((logprob, at) => Math.abs(logprob - (again[at] ?? Number.NaN))));
  if (worst < TOLERANCE && once.length === again.length) return;
  throw new TurnwiseError(
    'unsupported',
    'unsteady_scores',
    `${server} gives log-probs that differ by ${worst.toFixed(2)} nats for one text scored ${how}, so no gain could be trusted; switch off speculative decoding, update the server, or choose another scorer.`,
  );
}
