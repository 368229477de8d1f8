import type { ScoreSequence } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';

/** Rounding of a float32 softmax may leave a log-prob this much above zero. */
const HIGHEST = 1e-6;
/** Some servers write -9999 or the lowest float32 for "I do not know"; no real log-prob of a float32 softmax comes near. */
const LOWEST = -9998;

/**
 * The last gate before a list of rows counts as scores: a row per sequence, a number per asked position, each one that can be a
 * log-prob. Throws `protocol`/`wrong_count`, `short_rows`, `nan_row`, `impossible_logprob`, since a wrong number is worse than none.
 */
export function checkScores(
  server: string,
  sequences: readonly ScoreSequence[],
  rows: readonly (readonly (number | null)[])[],
): asserts rows is readonly (readonly number[])[] {
  if (rows.length !== sequences.length) {
    throw rowError(server, 'wrong_count', `${rows.length} rows for ${sequences.length} sequences`);
  }
  sequences.forEach(({ from, to }, index) => {
    const row = rows[index] ?? [];
    if (row.length < to - from) {
      throw rowError(server, 'short_rows', `${row.length} log-probs where ${to - from} were asked for`);
    }
    if (row.length > to - from) {
      throw rowError(server, 'wrong_count', `${row.length} log-probs where ${to - from} were asked for`);
    }
    for (const value of row) checkedLogprob(server, value);
  });
}

/** A number that can be a log-prob; throws `protocol`/`nan_row`, `impossible_logprob`. */
export function checkedLogprob(server: string, value: number | null | undefined): number {
  if (value === null || value === undefined || Number.isNaN(value)) {
    throw rowError(server, 'nan_row', 'nothing where a log-prob belongs, which stands for NaN');
  }
  if (!Number.isFinite(value) || value > HIGHEST || value < LOWEST) {
    throw rowError(server, 'impossible_logprob', `the log-prob ${value}`);
  }
  return value;
}

/** A `protocol` error about rows; none of the answer is used. */
export function rowError(server: string, reason: string, what: string): TurnwiseError {
  return new TurnwiseError(
    'protocol',
    reason,
    `${server} answered with ${what}; none of its scores were used. Restart or update that server.`,
  );
}
