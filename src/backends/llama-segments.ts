/** How llama-server can be made to emit a token whose log-prob is wanted. */
export type TokenKind =
  /** By a grammar of token ids. */
  | 'plain'
  /** Ends a generation, so that no grammar may name it: by a bias. */
  | 'ending'
  /** Part of a character: no grammar takes it and no row is told of it, so it is read off the list of likely tokens. */
  | 'partial';

/** Tokens that one request forces or reads: `plain` ones with at most one `ending` token at their end, or one `partial`. */
export interface Segment {
  readonly kind: 'forced' | 'listed';
  /** Positions [from, to) of the sequence. */
  readonly from: number;
  readonly to: number;
}

/** A grammar's cost grows with the square of its length. */
const LONGEST = 256;

/** The requests that score positions [from, to) of `ids`, in order. */
export function segmentsOf(
  ids: readonly number[],
  from: number,
  to: number,
  kindOf: (id: number) => TokenKind,
): Segment[] {
  const segments: Segment[] = [];
  let start = from;
  const close = (end: number): void => {
    if (end > start) segments.push({ kind: 'forced', from: start, to: end });
    start = end;
  };
  for (let at = from; at < to; at += 1) {
    switch (kindOf(ids[at] ?? 0)) {
      case 'plain':
        if (at - start === LONGEST) close(at);
        break;
      case 'ending':
        close(at + 1);
        break;
      case 'partial':
        close(at);
        segments.push({ kind: 'listed', from: at, to: at + 1 });
        start = at + 1;
        break;
    }
  }
  close(to);
  return segments;
}

/** Positions asked for, as ranges without overlap, in order. */
export function mergeRanges(spans: readonly { readonly from: number; readonly to: number }[]): {
  readonly from: number;
  readonly to: number;
}[] {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}
