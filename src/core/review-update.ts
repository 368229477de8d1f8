import type { ReviewHostMessage, ReviewRow, ReviewView } from './review-protocol.ts';

type Change =
  | Omit<Extract<ReviewHostMessage, { type: 'snapshot' }>, 'seq'>
  | Omit<Extract<ReviewHostMessage, { type: 'update' }>, 'seq'>;

/** What turns one view into the other: nothing, the rows and head that changed, or all of it where rows went away. */
export function reviewUpdate(before: ReviewView, after: ReviewView): Change | null {
  const follows =
    before.head.episode === after.head.episode && before.rows.every(({ index }, at) => after.rows[at]?.index === index);
  if (!follows) return { type: 'snapshot', view: after, words: '' };
  const rows = after.rows.filter((row, at) => !same(row, before.rows[at]));
  const head = same(before.head, after.head) ? null : after.head;
  return rows.length === 0 && head === null ? null : { type: 'update', head, rows };
}

/** The view with an update in it. Rows that did not change are the same objects, so that nothing of them is drawn again. */
export function withUpdate(
  view: ReviewView,
  { head, rows }: Pick<Extract<ReviewHostMessage, { type: 'update' }>, 'head' | 'rows'>,
): ReviewView {
  const news = new Map(rows.map((row) => [row.index, row]));
  const last = view.rows.at(-1)?.index ?? -1;
  const kept = view.rows.map((row): ReviewRow => news.get(row.index) ?? row);
  return { head: head ?? view.head, rows: [...kept, ...rows.filter(({ index }) => index > last)] };
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
