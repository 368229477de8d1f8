import type { EpisodeState, TurnState } from './episode-state.ts';
import type { Fork, InheritedTurn } from './event.ts';

/** Where a branch leaves its parent: another request, another action in the same place, or another reply to the same action. */
export type ForkPoint =
  | { readonly at: 'request' }
  | { readonly at: 'action'; readonly turn: number }
  | { readonly at: 'reply'; readonly turn: number };

/** Where a branch left its parent, read from its first event: `turns` is how many turns it inherits. */
export function forkPoint({
  request,
  turn,
  turns,
}: {
  request: string | null;
  turn: number;
  turns: number;
}): ForkPoint {
  if (request === null) return { at: 'request' };
  return { at: turns > turn ? 'reply' : 'action', turn };
}

/** What a branch inherits when it forks there; null where the parent has no such point. */
export function fork(parent: EpisodeState, point: ForkPoint): Fork | null {
  const base = { episode_id: parent.id, group_id: parent.groupId };
  if (point.at === 'request') {
    return parent.request === null ? null : { ...base, turn: 0, request: null, turns: [] };
  }
  const whole = parent.turns.slice(0, point.turn).map(inherited);
  if (parent.request === null || whole.length !== point.turn) return null;
  if (point.at === 'action') return { ...base, turn: point.turn, request: parent.request, turns: whole };
  const asked = parent.turns[point.turn];
  if (asked === undefined) return null;
  const open = { ...inherited(asked), observations: [] };
  return { ...base, turn: point.turn, request: parent.request, turns: [...whole, open] };
}

function inherited(turn: TurnState): InheritedTurn {
  return {
    kind: turn.kind,
    text: turn.text,
    question: turn.question,
    options: turn.options,
    message: turn.message,
    code: turn.code,
    ids: turn.ids,
    observations: turn.observations.map((observation) => ({
      kind: observation.kind,
      text: observation.text,
      options_shown: observation.optionsShown,
      option: observation.option,
      latency_ms: observation.latencyMs,
    })),
  };
}
