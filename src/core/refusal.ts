import type { EpisodeState, Refusal } from './episode-state.ts';
import type { EventBody } from './event.ts';
import { spentTurns } from './exchange.ts';

/**
 * Why this event cannot happen in this state, or null when it can: the one table of a conversation's legal moves. `reduce`
 * ignores what it refuses; a conversation asks it before it writes.
 */
export function refusal(state: EpisodeState, body: EventBody): Refusal | null {
  const begins = body.type === 'episode_started' || body.type === 'episode_imported';
  if (begins) return state.phase === 'absent' ? null : 'already_started';
  if (state.phase === 'absent') return 'not_started';
  switch (body.type) {
    case 'request_accepted':
      return notClosed(state) ?? (state.request === null ? null : 'already_requested');
    case 'action_started':
      return notClosed(state) ?? actionStart(state, body.turn);
    case 'action_asked':
    case 'action_called':
    case 'action_answered':
    case 'action_stopped':
    case 'action_failed':
    case 'action_interrupted':
      return state.running?.turn === body.turn ? null : 'no_action_running';
    case 'observed':
      return notClosed(state) ?? observation(state, body.turn);
    case 'proposal_decided':
    case 'proposal_saved':
    case 'tests_run':
      return proposal(state, body.turn);
    case 'rated':
    case 'override_set':
      return body.turn === null ? null : ownTurn(state, body.turn);
    case 'override_undone':
      return state.overrides.some(({ seq, takenBack }) => seq === body.seq && !takenBack) ? null : 'nothing_to_undo';
    case 'titled':
    case 'consent_set':
      return null;
    case 'episode_closed':
      return notClosed(state) ?? (state.phase === 'acting' ? 'action_running' : null);
    default:
      return body satisfies never;
  }
}

function notClosed(state: EpisodeState): Refusal | null {
  return state.phase === 'closed' ? 'closed' : null;
}

function actionStart(state: EpisodeState, turn: number): Refusal | null {
  if (state.phase === 'acting') return 'action_running';
  if (state.phase !== 'ready') return 'not_the_agents_turn';
  if (spentTurns(state.turns) >= state.maxTurns) return 'turn_limit';
  return turn === state.turns.length ? null : 'no_such_turn';
}

/** Words may follow the last action until the next one starts; then the model no longer sees them in their place. */
function observation(state: EpisodeState, turn: number): Refusal | null {
  if (state.phase === 'acting') return 'action_running';
  if (state.turns.length === 0) return 'not_the_developers_turn';
  return turn === state.turns.length - 1 ? null : 'no_such_turn';
}

/** Decisions may come after the close: a file is saved, or tests run, when the developer has moved on. */
function proposal(state: EpisodeState, index: number): Refusal | null {
  const refused = ownTurn(state, index);
  if (refused !== null) return refused;
  return state.turns[index]?.kind === 'answer' ? null : 'not_a_proposal';
}

/** Facts about an inherited turn belong to the parent. */
function ownTurn(state: EpisodeState, index: number): Refusal | null {
  const turn = state.turns[index];
  if (turn === undefined) return 'no_such_turn';
  return turn.state === 'inherited' ? 'inherited_turn' : null;
}
