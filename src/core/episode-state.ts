import type { ConsentScope } from './event.ts';
import type { GenerationRecord } from './backend.ts';
import type { GroupRule } from './group.ts';
import type { Message } from './message.ts';
import type { ActionState, ObservationKind } from './observation.ts';
import type { Override, OverrideRecord } from './override.ts';

/** Where a conversation stands; decides what the chat offers next. */
export type EpisodePhase =
  | 'absent' // no start was seen: an episode that does not exist, or one that has lost its first event
  | 'empty' // started, no request yet
  | 'ready' // the developer spoke, no action runs: the agent is due (also after a failed or interrupted action: Continue)
  | 'acting' // an action has started and not ended
  | 'waiting' // the agent spoke; the developer (or a tool) is due
  | 'closed';

export interface ObservationState {
  readonly kind: ObservationKind;
  readonly text: string;
  readonly optionsShown: readonly string[];
  readonly option: string | null;
  readonly latencyMs: number | null;
}

/** One agent action and what it elicited. An attempt that left no text is no turn: it is in `troubles`. */
export interface TurnState {
  readonly index: number;
  readonly kind: 'question' | 'answer' | 'tool_call';
  readonly state: ActionState;
  /** The whole text as the policy wrote it. */
  readonly text: string;
  readonly question: string | null;
  readonly options: readonly string[];
  readonly message: string | null;
  readonly code: string | null;
  /** What the server told; null for imported and inherited actions. */
  readonly generation: GenerationRecord | null;
  /** Ids of the action where known (from the generation, the import or the parent). */
  readonly ids: readonly number[] | null;
  /** When the agent had said it, ms since 1970; null for imported and inherited actions. */
  readonly endedAt: number | null;
  readonly observations: readonly ObservationState[];
  readonly decision: 'accepted' | 'rejected' | null;
  readonly survival: number | null;
  readonly tests: { readonly passed: number; readonly total: number } | null;
  readonly thumb: 0 | 1 | null;
  readonly note: string | null;
  /** What reviewers laid over it. */
  readonly override: Override;
}

/** Why an event cannot follow a state; a stable word that code may match on. */
export type Refusal =
  | 'not_started'
  | 'already_started'
  | 'already_requested'
  | 'closed'
  | 'action_running'
  | 'no_action_running'
  | 'not_the_agents_turn'
  | 'not_the_developers_turn'
  | 'turn_limit'
  | 'no_such_turn'
  | 'not_a_proposal'
  | 'inherited_turn'
  | 'nothing_to_undo'
  | 'other_episode'
  | 'out_of_order';

/** An event that could not follow the state it met. It changed nothing, and is shown. */
export interface IgnoredEvent {
  readonly seq: number;
  readonly type: string;
  readonly why: Refusal;
}

/** Everything that is true of one episode, rebuilt from its events alone by `reduce`. */
export interface EpisodeState {
  readonly id: string;
  /** The group used for comparison, and what made it (`group.ts`). */
  readonly groupId: string;
  readonly groupRule: GroupRule;
  readonly taskId: string | null;
  readonly parent: { readonly episode_id: string; readonly turn: number } | null;
  /** `real_developer`, `simulated`, or where an import came from. */
  readonly source: string;
  /** Time of the first event, ms since 1970. */
  readonly createdAt: number;
  readonly consent: { readonly scope: ConsentScope; readonly grantedAt: number | null };
  readonly agentPrompt: string | null;
  readonly answerMarker: string;
  readonly maxTurns: number;
  readonly phase: EpisodePhase;
  readonly request: string | null;
  /** The conversation exactly as the policy saw it, system message included. */
  readonly messages: readonly Message[];
  readonly turns: readonly TurnState[];
  /** The action that runs, since when (ms since 1970) and in which process; null: none. */
  readonly running: { readonly turn: number; readonly since: number; readonly pid: number | null } | null;
  /** Actions that ended without a turn (failed, interrupted, stopped before the first word), newest last. `partial`: what had been said. */
  readonly troubles: readonly {
    readonly turn: number;
    readonly reason: string;
    readonly message: string;
    readonly partial: string;
  }[];
  /** Outcome given with an import; null otherwise. */
  readonly givenOutcome: number | null;
  readonly episodeThumb: 0 | 1 | null;
  readonly episodeNote: string | null;
  /** What the developer calls it; null: nothing else than its request. */
  readonly title: string | null;
  /** What reviewers laid over the whole episode, and every change of theirs to it and its turns, oldest first. */
  readonly override: Override;
  readonly overrides: readonly OverrideRecord[];
  /** Keys of an imported row that we do not know. */
  readonly importedRow: Readonly<Record<string, unknown>> | null;
  /** Events of a newer version that this code skipped; shown, never dropped. */
  readonly skippedEvents: number;
  readonly ignored: readonly IgnoredEvent[];
  /** `seq` of the newest event seen, -1 before the first. */
  readonly lastSeq: number;
}
