import { z } from 'zod';
import type { ScoreSequence } from '../core/backend.ts';
import { checkedLogprob, rowError } from './check-scores.ts';

/** A number as it comes over the wire: null where the server has none (JSON knows no NaN), and infinite ones pass to be named. */
export const wireNumberSchema = z.custom<number | null>((value) => value === null || typeof value === 'number');

/** What a server says of the token at one position of a prompt. */
export interface PromptRow {
  readonly id: number;
  readonly logprob: number | null;
  /** 1 is the likeliest token of the vocabulary; null where the server does not say. */
  readonly rank?: number | null;
}

/** Rows as a server gave them, and what is known of where they come from. */
export interface PromptRows {
  /** Row k is about position `first + k`; null where the server has none, as at the start of a prompt. */
  readonly first: number;
  readonly rows: readonly (PromptRow | null)[];
  /** Tokens of the prompt that came from a cache and were not computed for this answer; null where the server does not say. */
  readonly cached?: number | null;
  /** Size of the vocabulary; null where unknown. */
  readonly vocabulary?: number | null;
  /** Whether the first row must be empty: nothing was asked to predict its token. */
  readonly firstIsEmpty?: boolean;
}

/**
 * The log-probs (nats) of a sequence's positions [from, to), out of rows that each have proven to be about their own token. Throws
 * `protocol`/`short_rows`, `wrong_count`, `missing_first_row`, `stale_row`, `wrong_token_row`, `nan_row`, `impossible_logprob`.
 */
export function readPromptRows(
  server: string,
  { ids, from, to }: ScoreSequence,
  { first, rows, cached = null, vocabulary = null, firstIsEmpty = false }: PromptRows,
): number[] {
  if (first + rows.length > ids.length) {
    throw rowError(server, 'wrong_count', `${rows.length} rows for ${ids.length - first} tokens`);
  }
  // Against the first scored position too: a list that begins late would shift every row.
  if (first > from || first + rows.length < to) {
    throw rowError(
      server,
      'short_rows',
      `rows of positions ${first} to ${first + rows.length - 1} where ${from} to ${to - 1} were asked for`,
    );
  }
  const head = rows[0] ?? null;
  if (firstIsEmpty && head !== null && head.logprob !== null) {
    throw rowError(
      server,
      'missing_first_row',
      'a log-prob for a token that nothing precedes, so its rows are shifted',
    );
  }
  // The row of a position is computed at the token before it.
  if (cached !== null && cached > from - 1) {
    throw rowError(
      server,
      'stale_row',
      `rows of positions that it took from its cache (${cached} tokens, of which the row at ${from} is one)`,
    );
  }
  return ids.slice(from, to).map((id, k) => {
    const position = from + k;
    const row = rows[position - first] ?? null;
    if (row === null) throw rowError(server, 'nan_row', `no row for position ${position}`);
    if (row.id !== id) throw rowError(server, 'wrong_token_row', `a row of token ${row.id} where token ${id} stands`);
    const { logprob, rank = null } = row;
    if (rank !== null && (rank < 1 || (vocabulary !== null && rank > vocabulary))) {
      throw rowError(server, 'stale_row', `the rank ${rank}, which no computed row has`);
    }
    return checkedLogprob(server, logprob);
  });
}
