import { DEFAULT_ANSWER_MARKER, DEFAULT_MAX_TURNS } from './agent-protocol.ts';
import type { EpisodeState, TurnState } from './episode-state.ts';
import type { EventBody, EventOf, Fork, StoredEvent } from './event.ts';
import { groupOf, type Grouping } from './group.ts';
import { importedState } from './imported-state.ts';
import type { Message } from './message.ts';
import type { ObservationKind } from './observation.ts';
import { NO_OVERRIDE, overrideOf, type OverrideRecord } from './override.ts';
import { refusal } from './refusal.ts';
import { answerTurn, calledTurn, inheritedTurn, observationOf, questionTurn, stoppedTurn } from './turn-state.ts';

/**
 * Rebuilds an episode from its events, oldest first. Pure and total: any list of events gives a state; an event that cannot
 * follow the state it meets changes nothing and is listed in `ignored`, one of a newer version counts in `skippedEvents`.
 */
export function reduce(events: readonly StoredEvent[]): EpisodeState {
  return events.reduce(step, initialState(events[0]?.episode_id ?? ''));
}

/** The state before the first event. */
export function initialState(episodeId: string): EpisodeState {
  return {
    id: episodeId,
    groupId: episodeId,
    groupRule: 'alone',
    taskId: null,
    parent: null,
    source: 'unknown',
    createdAt: 0,
    consent: { scope: 'local-only', grantedAt: null },
    agentPrompt: null,
    answerMarker: DEFAULT_ANSWER_MARKER,
    maxTurns: DEFAULT_MAX_TURNS,
    phase: 'absent',
    request: null,
    messages: [],
    turns: [],
    running: null,
    troubles: [],
    givenOutcome: null,
    episodeThumb: null,
    episodeNote: null,
    title: null,
    override: NO_OVERRIDE,
    overrides: [],
    importedRow: null,
    skippedEvents: 0,
    ignored: [],
    lastSeq: -1,
  };
}

/** The state after one more event; the same event twice changes nothing the second time. */
export function step(state: EpisodeState, event: StoredEvent): EpisodeState {
  const { body, seq } = event;
  const ignore = (why: EpisodeState['ignored'][number]['why']): EpisodeState => ({
    ...state,
    ignored: [...state.ignored, { seq, type: body.type, why }],
    lastSeq: Math.max(state.lastSeq, seq),
  });
  if (event.episode_id !== state.id) return ignore('other_episode');
  if (seq <= state.lastSeq) return ignore('out_of_order');
  if (body.type === 'newer_event') return { ...state, skippedEvents: state.skippedEvents + 1, lastSeq: seq };
  const why = refusal(state, body);
  if (why !== null) return ignore(why);
  return { ...apply(state, body, event), lastSeq: seq };
}

/** The effect of an event that may happen now. */
function apply(state: EpisodeState, body: EventBody, { at, seq }: Pick<StoredEvent, 'at' | 'seq'>): EpisodeState {
  switch (body.type) {
    case 'episode_started':
      return startedState(state, body, at);
    case 'episode_imported':
      return importedState(state, body, at);
    case 'request_accepted':
      return {
        ...say(state, { role: 'user', content: body.text }),
        // A branch stays with its root, also where it asks in other words.
        ...(state.parent === null ? groupOf(state.id, state.taskId, body.text) : {}),
        request: body.text,
        phase: 'ready',
      };
    case 'action_started':
      return { ...state, phase: 'acting', running: { turn: body.turn, since: at, pid: body.pid } };
    case 'action_asked':
      return endAction(state, questionTurn(body), at);
    case 'action_called':
      return endAction(state, calledTurn(body), at);
    case 'action_answered':
      return endAction(state, answerTurn(body), at);
    case 'action_stopped':
      return body.generation.text.trim() === ''
        ? trouble(state, body.turn, 'stopped', 'Stopped before the first word.')
        : endAction(state, stoppedTurn(body, state.answerMarker), at);
    case 'action_failed':
      return trouble(state, body.turn, body.reason, body.message, body.partial);
    case 'action_interrupted':
      return trouble(state, body.turn, 'interrupted', 'The program ended while the agent was writing.');
    case 'observed': {
      const heard = editTurn(state, body.turn, (turn) => ({
        observations: [...turn.observations, observationOf(body)],
      }));
      const role = roleOf(body.kind, state.turns[body.turn]?.kind);
      return { ...say(heard, { role, content: body.text }), phase: 'ready' };
    }
    case 'proposal_decided':
      return editTurn(state, body.turn, () => ({ decision: body.decision }));
    case 'proposal_saved':
      return editTurn(state, body.turn, () => ({ survival: body.survival }));
    case 'tests_run':
      return editTurn(state, body.turn, () => ({ tests: { passed: body.passed, total: body.total } }));
    case 'rated':
      return body.turn === null
        ? { ...state, episodeThumb: body.thumb, episodeNote: body.note }
        : editTurn(state, body.turn, () => ({ thumb: body.thumb, note: body.note }));
    case 'override_set': {
      const record = { seq, turn: body.turn, change: body.change, takenBack: false, said: state.messages.length };
      return withOverrides(state, [...state.overrides, record], body.turn);
    }
    case 'override_undone': {
      const undone = state.overrides.find((record) => record.seq === body.seq);
      const left = state.overrides.map((record) => (record === undone ? { ...record, takenBack: true } : record));
      return undone === undefined ? state : withOverrides(state, left, undone.turn);
    }
    case 'titled':
      return { ...state, title: body.title };
    case 'consent_set':
      return { ...state, consent: { scope: body.scope, grantedAt: body.scope === 'exportable' ? at : null } };
    case 'episode_closed':
      return { ...state, phase: 'closed' };
    default:
      return body satisfies never;
  }
}

function startedState(state: EpisodeState, body: EventOf<'episode_started'>, at: number): EpisodeState {
  const { parent } = body;
  const request = parent?.request ?? null;
  // Nothing is said before a request: turns without one are nobody's, and the request to come must not look like a reply to them.
  const inherited = (request === null ? [] : (parent?.turns ?? [])).map(inheritedTurn);
  const opening: readonly (Message | null)[] = [
    body.agent_prompt === null ? null : { role: 'system', content: body.agent_prompt },
    request === null ? null : { role: 'user', content: request },
  ];
  const base: EpisodeState = {
    ...state,
    ...(parent === null ? groupOf(state.id, body.task_id, null) : branchGroup(parent, body.task_id)),
    taskId: body.task_id,
    parent: parent === null ? null : { episode_id: parent.episode_id, turn: parent.turn },
    source: body.source,
    createdAt: at,
    agentPrompt: body.agent_prompt,
    answerMarker: body.answer_marker,
    maxTurns: body.max_turns,
    request,
    messages: [...opening.filter((message) => message !== null), ...inherited.flatMap(messagesOf)],
    turns: inherited,
  };
  return { ...base, phase: openingPhase(base) };
}

/** Roots without a task were once groups of their own, and their branches say so still. */
function branchGroup({ episode_id, group_id, request }: Fork, taskId: string | null): Grouping {
  if (taskId !== null) return groupOf(episode_id, taskId, request);
  return {
    groupId: group_id === episode_id ? groupOf(episode_id, null, request).groupId : group_id,
    groupRule: 'branch',
  };
}

/** A branch goes on where its inherited words stop. */
function openingPhase({ request, turns }: EpisodeState): EpisodeState['phase'] {
  if (request === null) return 'empty';
  const last = turns.at(-1);
  return last === undefined || last.observations.length > 0 ? 'ready' : 'waiting';
}

function messagesOf(turn: TurnState): Message[] {
  return [
    { role: 'assistant', content: turn.text },
    ...turn.observations.map(({ kind, text }): Message => ({ role: roleOf(kind, turn.kind), content: text })),
  ];
}

/** Only what a call returned has the role that chat templates keep for tools; the rest are the developer's words. */
function roleOf(kind: ObservationKind, action: TurnState['kind'] | undefined): 'tool' | 'user' {
  return kind === 'tool' || (kind === 'test' && action === 'tool_call') ? 'tool' : 'user';
}

function endAction(state: EpisodeState, turn: TurnState, at: number): EpisodeState {
  const said = say(state, { role: 'assistant', content: turn.text });
  return { ...said, turns: [...state.turns, { ...turn, endedAt: at }], phase: 'waiting', running: null };
}

function trouble(state: EpisodeState, turn: number, reason: string, message: string, partial = ''): EpisodeState {
  return { ...state, phase: 'ready', running: null, troubles: [...state.troubles, { turn, reason, message, partial }] };
}

function say(state: EpisodeState, message: Message): EpisodeState {
  const messages = [...state.messages, message];
  // Most conversations were never ticked off.
  const override = state.override.reviewed ? overrideOf(state.overrides, null, messages.length) : state.override;
  return { ...state, messages, override };
}

/** The state under these changes, of which those to `turn` (null: the episode) are new. */
function withOverrides(state: EpisodeState, overrides: readonly OverrideRecord[], turn: number | null): EpisodeState {
  const override = overrideOf(overrides, turn, state.messages.length);
  const changed = { ...state, overrides };
  return turn === null ? { ...changed, override } : editTurn(changed, turn, () => ({ override }));
}

function editTurn(state: EpisodeState, index: number, edit: (turn: TurnState) => Partial<TurnState>): EpisodeState {
  return { ...state, turns: state.turns.map((turn) => (turn.index === index ? { ...turn, ...edit(turn) } : turn)) };
}
