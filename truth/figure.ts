import type { Estimate } from './statistics.ts';

export type Unit = 'share' | 'AUC' | 'nats' | 'nats/token' | 'tau' | 'ratio' | 'sd' | 'words' | 'count';

/** What was asked of a figure: its point value stands to the bound, its interval is shown beside. */
export interface Goal {
  readonly is: 'at least' | 'at most';
  readonly bound: number;
}

/** One line of the table. */
export interface Figure {
  /** The number of the claim, 1 to 8; 0: about the episodes themselves. */
  readonly part: number;
  readonly name: string;
  readonly unit: Unit;
  readonly estimate: Estimate;
  /** Null: a figure to be read, not to be passed. */
  readonly goal: Goal | null;
}

export function figure(part: number, name: string, unit: Unit, estimate: Estimate, goal: Goal | null = null): Figure {
  return { part, name, unit, estimate, goal };
}

export const atLeast = (bound: number): Goal => ({ is: 'at least', bound });
export const atMost = (bound: number): Goal => ({ is: 'at most', bound });

/** Whether a goal is met; null where there is none. A figure without observations meets nothing. */
export function isMet({ goal, estimate: { value } }: Figure): boolean | null {
  if (goal === null) return null;
  return goal.is === 'at least' ? value >= goal.bound : value <= goal.bound;
}
