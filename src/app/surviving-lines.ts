import { diffArrays } from 'diff';

/** A file in three states: before a proposal was accepted, right after, and as it was saved. */
export interface AcceptedEdit {
  readonly before: string;
  readonly after: string;
  readonly saved: string;
}

/**
 * Of the lines that the proposal added or changed, the share (0 to 1) that the saved file still has, in their order; null
 * where it added none. Blank lines count for nothing, and line ends are all the same.
 */
export function survivingShare({ before, after, saved }: AcceptedEdit): number | null {
  const lines = linesOf(after);
  const old = keptLines(linesOf(before), lines);
  const kept = keptLines(linesOf(saved), lines);
  const added = lines.flatMap((line, at) => (old.has(at) || line.trim() === '' ? [] : [at]));
  return added.length === 0 ? null : added.filter((at) => kept.has(at)).length / added.length;
}

/** Which lines of `to`, by index, come from `from` unchanged. */
function keptLines(from: readonly string[], to: readonly string[]): ReadonlySet<number> {
  const kept = new Set<number>();
  let at = 0;
  for (const { value, added, removed } of diffArrays([...from], [...to])) {
    if (removed) continue;
    if (!added) value.forEach((_line, offset) => kept.add(at + offset));
    at += value.length;
  }
  return kept;
}

function linesOf(text: string): string[] {
  return text.split(/\r?\n/);
}
