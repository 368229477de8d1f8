import type { Refusal } from '../core/episode-state.ts';
import { TurnwiseError } from '../core/error.ts';

const SENTENCES: Record<Refusal, string> = {
  not_started: 'This conversation has not begun; start it first.',
  already_started: 'A conversation with this id exists; choose another id.',
  already_requested: 'This conversation has its request; reply to the agent, or start a new task.',
  closed: 'This conversation is closed; start a new task.',
  action_running: 'The agent is still writing; wait, or stop it first.',
  no_action_running: 'The agent is not writing any more, another window ended it; reload the conversation.',
  not_the_agents_turn: 'The agent waits for the developer; send a request or a reply first.',
  not_the_developers_turn: 'The agent has not spoken yet; let it act first.',
  turn_limit: 'This conversation has used up its turns; start a new task, or allow more turns in the settings.',
  no_such_turn: 'This conversation has no such turn; reload it.',
  not_a_proposal: 'There is no proposed code at this turn; choose a turn with code.',
  inherited_turn: 'This turn belongs to the conversation that this one branched off; open that one.',
  nothing_to_undo: 'This was taken back already; look at the newest state of the conversation.',
  other_episode: 'This event belongs to another conversation; reload it.',
  out_of_order: 'This event is older than what is shown; reload the conversation.',
};

/** A move that is not possible now, in words. */
export function refusalError(why: Refusal): TurnwiseError {
  return new TurnwiseError('usage', why, SENTENCES[why]);
}
