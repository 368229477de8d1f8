import { DEFAULT_ANSWER_MARKER } from './agent-protocol.ts';
import type { EpisodeState, ObservationState } from './episode-state.ts';
import type { EventOf } from './event.ts';
import { groupOf } from './group.ts';
import type { Message } from './message.ts';
import { segment } from './transcript.ts';
import { blankTurn, readAction } from './turn-state.ts';

/** A conversation that was had elsewhere: its messages as given, its turns read from their text, nothing more to come. */
export function importedState(state: EpisodeState, body: EventOf<'episode_imported'>, at: number): EpisodeState {
  const { messages } = body;
  const turns = segment(messages).map(({ index, action, observations }) => {
    const text = messages[action]?.content ?? '';
    return {
      ...blankTurn(index, text, body.action_states?.[index] ?? 'sampled'),
      ...readAction(text, DEFAULT_ANSWER_MARKER),
      ids: body.action_ids?.[index] ?? null,
      observations: observations.flatMap((position) => messages[position] ?? []).map(heard),
    };
  });
  const request = messages.find(({ role }) => role === 'user')?.content ?? null;
  return {
    ...state,
    ...groupOf(state.id, body.group_id, request),
    source: body.source,
    createdAt: at,
    agentPrompt: messages[0]?.role === 'system' ? messages[0].content : null,
    // Only a branch of it can act.
    maxTurns: Math.max(turns.length, state.maxTurns),
    phase: 'closed',
    request,
    messages,
    turns,
    givenOutcome: body.outcome,
    importedRow: body.row,
  };
}

/** An import does not say how a reply was given; only a tool's result is known by its role. */
function heard({ role, content }: Message): ObservationState {
  return { kind: role === 'tool' ? 'tool' : 'typed', text: content, optionsShown: [], option: null, latencyMs: null };
}
