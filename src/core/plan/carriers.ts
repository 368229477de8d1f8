import type { ScoreSequence } from '../backend.ts';

/** A sequence that is sent, with the spans that are read off it: those of every asked sequence that is a prefix of it. */
export interface Carrier {
  readonly ids: readonly number[];
  /** First and one past the last position that is read; `from` >= 1. */
  readonly from: number;
  readonly to: number;
  readonly spans: readonly { readonly index: number; readonly from: number; readonly to: number }[];
}

/**
 * The fewest sequences that have to be sent, longest first: one that is a prefix of another needs no request of its own, since
 * a causal model gives the same log-probs there. `index` is the place in the asked list.
 */
export function carriersOf(sequences: readonly ScoreSequence[]): Carrier[] {
  const carriers: { ids: readonly number[]; spans: { index: number; from: number; to: number }[] }[] = [];
  const longestFirst = [...sequences.entries()].sort(([, a], [, b]) => b.to - a.to);
  for (const [index, { ids, from, to }] of longestFirst) {
    // What stands behind the last scored position decides nothing.
    const own = ids.slice(0, to);
    const carrier = carriers.find((candidate) => commonPrefix(candidate.ids, own) === own.length);
    if (carrier) carrier.spans.push({ index, from, to });
    else carriers.push({ ids: own, spans: [{ index, from, to }] });
  }
  return carriers.map(({ ids, spans }) => ({
    ids,
    spans,
    from: Math.min(...spans.map(({ from }) => from)),
    to: Math.max(...spans.map(({ to }) => to)),
  }));
}

/** Lays the log-probs of carriers out again as they were asked for; `rowOf` gives those of positions [from, to) of a carrier. */
export function spreadRows(
  count: number,
  carriers: readonly Carrier[],
  rowOf: (carrier: number, from: number, to: number) => readonly number[],
): (readonly number[])[] {
  const rows = Array.from({ length: count }, (): readonly number[] => []);
  carriers.forEach(({ spans }, at) => {
    for (const { index, from, to } of spans) rows[index] = rowOf(at, from, to);
  });
  return rows;
}

/** Length of the longest common beginning of two id lists. */
export function commonPrefix(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let at = 0;
  while (at < most && a[at] === b[at]) at += 1;
  return at;
}
