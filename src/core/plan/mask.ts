/** How an observation's tokens are replaced: in place and position-preserving, or as long as the placeholder is. */
export type MaskMode = 'length_matched' | 'natural';

export interface Mask {
  readonly ids: number[];
  /** The placeholder was longer than the span and lost its end. */
  readonly truncated: boolean;
}

/** Ways to put placeholder ids in the place of a span of `length` tokens (spec S1); `equation` is for people. */
export const MASK_MODES: Readonly<
  Record<MaskMode, { readonly equation: string; readonly of: (placeholder: readonly number[], length: number) => Mask }>
> = {
  /** ids_k = placeholder_min(k, last), k < length: the last id is repeated, or the end cut off, and no later position moves (spec S1). */
  length_matched: {
    equation: 'as long as the reply: the last token is repeated, or the end cut off; moves no later token',
    of: (placeholder, length) => {
      const last = placeholder.at(-1);
      if (last === undefined) return { ids: [], truncated: false };
      const ids = Array.from({ length }, (_, position) => placeholder[position] ?? last);
      return { ids, truncated: placeholder.length > length };
    },
  },
  /** ids = placeholder, whatever the span's length; confounds information with length (spec S1). */
  natural: {
    equation: 'as long as the placeholder; confounds information with length',
    of: (placeholder) => ({ ids: [...placeholder], truncated: false }),
  },
};

/** Placeholder ids for a span of `length` tokens (spec S1), by the table. */
export function maskSpan(placeholder: readonly number[], length: number, mode: MaskMode): Mask {
  return MASK_MODES[mode].of(placeholder, length);
}
