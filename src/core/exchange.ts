import type { EpisodeState, TurnState } from './episode-state.ts';
import { splitToolCalls, type ToolCall } from './tool-call.ts';

/** How many turns count against the limit: looking something up costs the developer nothing. */
export function spentTurns(turns: readonly TurnState[]): number {
  return turns.filter(({ kind }) => kind !== 'tool_call').length;
}

/** Calls of the last action that have no result yet, the next one first; the rest of its results are in its observations. */
export function openCalls({ phase, turns }: EpisodeState): readonly ToolCall[] {
  const last = turns.at(-1);
  if (last?.kind !== 'tool_call' || phase === 'acting' || phase === 'closed') return [];
  return splitToolCalls(last.text).calls.slice(last.observations.length);
}

/** Tool calls since the developer last spoke. */
export function callsInARow(turns: readonly TurnState[]): number {
  const spoken = turns.findLastIndex(({ kind }) => kind !== 'tool_call');
  return turns.slice(spoken + 1).reduce((sum, { text }) => sum + splitToolCalls(text).calls.length, 0);
}

/** Whether words answered this turn; an edit of proposed code or a test run says something, but leaves the developer due. */
export function isAnswered({ observations }: Pick<TurnState, 'observations'>): boolean {
  return observations.some(({ kind }) => kind !== 'edit' && kind !== 'test');
}

/** Whether the agent is due only by the rule: the developer edited or tested its proposal, and has not said anything yet. */
export function wordsAreDue({ phase, turns }: EpisodeState): boolean {
  const last = turns.at(-1);
  return phase === 'ready' && last?.kind === 'answer' && last.observations.length > 0 && !isAnswered(last);
}
