/** What can be wrong with the rows of an answer that is well-formed otherwise. */
export type RowFault =
  | 'nan'
  | 'minus_9999'
  | 'lowest_float'
  | 'positive'
  | 'infinite'
  /** Rows before and at the position are left out. */
  | 'short'
  /** Every row is one place early. */
  | 'missing_first'
  | 'wrong_token'
  /** The right tokens with made-up values, said to come from the cache where the server says such things. */
  | 'stale'
  /** One log-prob, where there is no row at all. */
  | 'no_row'
  /** Every row twice. */
  | 'wrong_count'
  /** The right token with a likely value, and a rank that no computed row has. */
  | 'rank_zero'
  /** Answers to two sequences where one was asked about. */
  | 'two_answers'
  /** The rows of a prompt of another length. */
  | 'other_prompt'
  /** Another token than the one that was made to come next. */
  | 'wrong_next'
  /** One log-prob fewer than tokens. */
  | 'uneven';

/** What a server does wrong from now on, to its scoring routes only, until it is told otherwise. */
export type Fault =
  | { readonly what: 'status'; readonly status: number; readonly body?: string }
  /** Says nothing, or nothing more behind so many bytes. */
  | { readonly what: 'hang'; readonly afterBytes?: number }
  /** The first bytes alone: as if they were all, or with the connection broken behind them. */
  | { readonly what: 'cut'; readonly bytes: number; readonly how: 'end' | 'break' }
  | { readonly what: 'drop' }
  | { readonly what: 'text'; readonly text: string }
  | { readonly what: 'no_route'; readonly paths: readonly string[] }
  | { readonly what: 'echo_ignored' }
  /** `at`: the position that it concerns; the last where left out. */
  | { readonly what: 'rows'; readonly fault: RowFault; readonly at?: number };

/** A row on its way out; a word stands for what JSON cannot say, see `wireJson`. */
export interface WireRow {
  readonly id: number;
  readonly logprob: number | null | typeof NAN | typeof INFINITE;
  readonly rank: number;
}
/** What Python's `json` writes for NaN, though JSON has no such word. */
export const NAN = '@NaN';
export const INFINITE = '@-1e999';
const LOWEST_FLOAT = -3.4028234663852886e38;

/** JSON text, with the numbers that JavaScript cannot write. */
export function wireJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('"@NaN"', 'NaN').replaceAll('"@-1e999"', '-1e999');
}

/** Rows of positions `first`, `first` + 1, … with the fault in them. */
export function spoilRows(
  rows: readonly (WireRow | null)[],
  first: number,
  { fault, at: position = first + rows.length - 1 }: { readonly fault: RowFault; readonly at?: number },
): (WireRow | null)[] {
  const at = position - first;
  const withRow = (change: (row: WireRow) => WireRow | null): (WireRow | null)[] =>
    rows.map((row, k) => (k === at && row !== null ? change(row) : row));
  switch (fault) {
    case 'nan':
      return withRow((row) => ({ ...row, logprob: null }));
    case 'minus_9999':
      return withRow((row) => ({ ...row, logprob: -9999 }));
    case 'lowest_float':
      return withRow((row) => ({ ...row, logprob: LOWEST_FLOAT }));
    case 'positive':
      return withRow((row) => ({ ...row, logprob: 0.001 }));
    case 'infinite':
      return withRow((row) => ({ ...row, logprob: INFINITE }));
    case 'no_row':
      return withRow(() => null);
    case 'wrong_token':
      return withRow((row) => ({ ...row, id: row.id === 65 ? 66 : 65 }));
    case 'short':
      return rows.slice(at + 1);
    case 'missing_first':
      // The last one twice, so that neither the count nor a row of one repeated token tells.
      return [...rows.slice(1), ...rows.slice(-1)];
    case 'stale':
      return rows.map((row) => row && { ...row, logprob: -0.5 - (row.id % 7) });
    case 'wrong_count':
      return [...rows, ...rows];
    case 'rank_zero':
      return withRow((row) => ({ ...row, logprob: -2, rank: 0 }));
    case 'two_answers':
    case 'wrong_next':
    case 'other_prompt':
    case 'uneven':
      return [...rows];
    default:
      return fault satisfies never;
  }
}
