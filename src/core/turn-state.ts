import { parseAction } from './agent-protocol.ts';
import type { ObservationState, TurnState } from './episode-state.ts';
import type { EventOf, InheritedTurn } from './event.ts';
import type { ActionState } from './observation.ts';
import { NO_OVERRIDE } from './override.ts';

/** A question as it ended: asked with 0 or 2 to 5 options. */
export function questionTurn({ turn, question, options, generation }: EventOf<'action_asked'>): TurnState {
  return { ...generated(turn, generation), kind: 'question', question, options };
}

/** A proposal as it ended: a message and code. */
export function answerTurn({ turn, message, code, generation }: EventOf<'action_answered'>): TurnState {
  return { ...generated(turn, generation), kind: 'answer', message, code };
}

/** A tool call as it ended. */
export function calledTurn({ turn, generation }: EventOf<'action_called'>): TurnState {
  return { ...generated(turn, generation), kind: 'tool_call' };
}

/** A partial action that the developer stopped: read like a whole one, never trained on. */
export function stoppedTurn({ turn, generation }: EventOf<'action_stopped'>, marker: string): TurnState {
  return { ...generated(turn, generation), ...readAction(generation.text, marker), state: 'stopped' };
}

/** A turn of the parent, as context in a branch. */
export function inheritedTurn(turn: InheritedTurn, index: number): TurnState {
  return {
    ...blankTurn(index, turn.text, 'inherited'),
    kind: turn.kind,
    question: turn.question,
    options: turn.options,
    message: turn.message,
    code: turn.code,
    ids: turn.ids,
    observations: turn.observations.map(observationOf),
  };
}

/** A turn with nothing known but its text. */
export function blankTurn(index: number, text: string, state: ActionState): TurnState {
  return {
    index,
    kind: 'question',
    state,
    text,
    question: null,
    options: [],
    message: null,
    code: null,
    generation: null,
    ids: null,
    endedAt: null,
    observations: [],
    decision: null,
    survival: null,
    tests: null,
    thumb: null,
    note: null,
    override: NO_OVERRIDE,
  };
}

/** What an action says, read from its text. */
export function readAction(
  text: string,
  marker: string,
): Pick<TurnState, 'kind' | 'question' | 'options' | 'message' | 'code'> {
  const parsed = parseAction(text, { marker });
  return parsed.kind === 'answer'
    ? { kind: 'answer', question: null, options: [], message: parsed.message, code: parsed.code }
    : { kind: 'question', question: parsed.question, options: parsed.options, message: null, code: null };
}

/** An observation of an event or of an inherited turn. */
export function observationOf(body: InheritedTurn['observations'][number]): ObservationState {
  return {
    kind: body.kind,
    text: body.text,
    optionsShown: body.options_shown,
    option: body.option,
    latencyMs: body.latency_ms,
  };
}

function generated(index: number, generation: EventOf<'action_asked'>['generation']): TurnState {
  return { ...blankTurn(index, generation.text, 'sampled'), generation, ids: generation.ids };
}
