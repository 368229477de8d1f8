import type { PreparedAction } from './prepare.ts';

/** Where an action stands: span [start, end) in one of the episode's contexts. */
export interface ActionPlace {
  readonly context: number;
  readonly start: number;
  readonly end: number;
}

/**
 * The sequences that the actions were really seen in, each with its action at the end, less those that are a prefix of a
 * longer one. An append-only template yields a single context; one that rewrites history yields several.
 */
export function layContexts(actions: readonly PreparedAction[]): {
  readonly contexts: number[][];
  readonly places: ActionPlace[];
} {
  const kept: number[][] = [];
  const newestFirst = [...actions].reverse().map((action) => {
    const ids = [...action.contextIds, ...action.ids];
    const holder = kept.findIndex((longer) => ids.every((id, position) => longer[position] === id));
    if (holder < 0) kept.push(ids);
    return { holder: holder < 0 ? kept.length - 1 : holder, start: action.contextIds.length, end: ids.length };
  });
  return {
    contexts: [...kept].reverse(),
    places: newestFirst.reverse().map(({ holder, start, end }) => ({ context: kept.length - 1 - holder, start, end })),
  };
}
