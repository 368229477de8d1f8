import type { ScoreSequence } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';

/** Rounding of a float32 softmax may leave a log-prob this much above zero. */
const HIGHEST = 1e-6;
/** What some servers write for "I do not know"; no real log-prob of a float32 softmax comes near. */
const LOWEST = -9998;

/**
 * Lets only log-probs through that can be ones: a row per sequence, a number per asked position, finite, at most 1e-6. Throws
 * `protocol`/`bad_scores`, since a wrong number is worse than none.
 */
export function checkScores(
  server: string,
  sequences: readonly ScoreSequence[],
  rows: readonly (readonly number[])[],
): void {
  if (rows.length !== sequences.length) {
    throw badScores(server, `${rows.length} rows for ${sequences.length} sequences`);
  }
  sequences.forEach(({ from, to }, index) => {
    const row = rows[index] ?? [];
    if (row.length !== to - from) throw badScores(server, `${row.length} log-probs where ${to - from} were asked for`);
    const wrong = row.find((value) => !Number.isFinite(value) || value > HIGHEST || value < LOWEST);
    if (wrong !== undefined) throw badScores(server, `the log-prob ${wrong}`);
  });
}

function badScores(server: string, what: string): TurnwiseError {
  return new TurnwiseError(
    'protocol',
    'bad_scores',
    `${server} answered with ${what}; none of its scores were used. Restart or update that server.`,
  );
}
