/** How an observation's tokens are replaced: in place and position-preserving, or as long as the placeholder is. */
export type MaskMode = 'length_matched' | 'natural';

export interface Mask {
  readonly ids: number[];
  /** The placeholder was longer than the span and lost its end. */
  readonly truncated: boolean;
}

/**
 * Placeholder ids for a span of `length` tokens (spec S1). `length_matched` repeats the last placeholder id or truncates, so
 * that no position after the span moves; `natural` takes the placeholder as it is.
 */
export function maskSpan(placeholder: readonly number[], length: number, mode: MaskMode): Mask {
  if (mode === 'natural') return { ids: [...placeholder], truncated: false };
  const last = placeholder.at(-1);
  if (last === undefined) return { ids: [], truncated: false };
  const ids = Array.from({ length }, (_, position) => placeholder[position] ?? last);
  return { ids, truncated: placeholder.length > length };
}
