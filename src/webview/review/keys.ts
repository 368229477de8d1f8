import { REVIEW_LABELS } from '../../core/override.ts';
import type { ReviewPageMessage, ReviewRow } from '../../core/review-protocol.ts';

/** What a key asks for. */
export type KeyMeaning =
  { readonly type: 'move'; readonly turn: number } | { readonly type: 'write' } | ReviewPageMessage;

/** What a key means while turns are looked through; null: nothing, or somebody writes. */
export function keyMeaning(event: KeyboardEvent, rows: readonly ReviewRow[], turn: number | null): KeyMeaning | null {
  const writing = event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLSelectElement;
  if (writing || event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return null;
  const at = rows.findIndex(({ index }) => index === turn);
  const row = rows[at];
  const inList = event.target instanceof Element && event.target.closest('[role=listbox]') !== null;
  const move = MOVES[event.key];
  if (move !== undefined && (event.key.length === 1 || inList)) {
    const to = rows[Math.max(0, Math.min(rows.length - 1, at + move))];
    return to === undefined ? null : { type: 'move', turn: to.index };
  }
  if (row === undefined || row.inherited || event.repeat) return null;
  const label = REVIEW_LABELS[Number(event.key) - 1];
  if (/^[1-5]$/.test(event.key) && label !== undefined) {
    return { type: 'label', turn, label: row.override.label === label ? null : label };
  }
  switch (event.key) {
    case 'x':
      return { type: 'exclude', turn, excluded: !row.override.excluded };
    case 'r':
      return { type: 'reviewed', turn, reviewed: !row.override.reviewed };
    case 'u':
      return { type: 'undo' };
    case 'n':
      return { type: 'write' };
    default:
      return null;
  }
}

const MOVES: Readonly<Record<string, number>> = {
  j: 1,
  k: -1,
  ArrowDown: 1,
  ArrowUp: -1,
  Home: -Infinity,
  End: Infinity,
};
