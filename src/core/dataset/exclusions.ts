import type { EpisodeState, TurnState } from '../episode-state.ts';

/**
 * An episode as it leaves: turns that a reviewer left out, or all of an episode that was, are no longer `sampled` but
 * `excluded`, which takes their tokens out of the loss and changes nothing else. What was not trained on anyway stays as it is.
 */
export function withExclusions(state: EpisodeState): EpisodeState {
  return {
    ...state,
    turns: state.turns.map((turn) =>
      isLeftOut(state, turn) && turn.state === 'sampled' ? { ...turn, state: 'excluded' } : turn,
    ),
  };
}

/** Whether a reviewer left out this turn, or its whole episode; what a branch inherited is its parent's to judge. */
export function isLeftOut({ override }: Pick<EpisodeState, 'override'>, turn: TurnState): boolean {
  if (turn.state === 'inherited') return false;
  return turn.state === 'excluded' || override.excluded || turn.override.excluded;
}
