import type { ConsentScope, EventOf } from './event.ts';
import type { GenerationRecord } from './backend.ts';
import type { Message } from './message.ts';
import type { ActionState, ObservationKind } from './observation.ts';

/** Where a conversation stands; decides what the chat offers next. */
export type EpisodePhase =
  | 'empty' // started, no request yet
  | 'ready' // the developer spoke, no action runs: the agent is due (also after a failed or interrupted action: Continue)
  | 'acting' // an action has started and not ended
  | 'waiting' // the agent asked or answered; the developer is due
  | 'closed';

export interface ObservationState {
  readonly kind: ObservationKind;
  readonly text: string;
  readonly optionsShown: readonly string[];
  readonly option: string | null;
  readonly latencyMs: number | null;
}

/** One agent action and what it elicited. Failed and interrupted attempts leave no turn: they are in `troubles`. */
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
  /** What the server told; null for imported actions. */
  readonly generation: GenerationRecord | null;
  /** Ids of the action where known (from the generation or the import). */
  readonly ids: readonly number[] | null;
  readonly observations: readonly ObservationState[];
  readonly decision: 'accepted' | 'rejected' | null;
  readonly survival: number | null;
  readonly tests: { readonly passed: number; readonly total: number } | null;
  readonly thumb: 0 | 1 | null;
  readonly note: string | null;
}

/** Everything that is true of one episode, rebuilt from its events alone by `reduce`. */
export interface EpisodeState {
  readonly id: string;
  /** The group used for comparison: task id, the parent's group, or the episode's own id. */
  readonly groupId: string;
  readonly taskId: string | null;
  readonly parent: { readonly episode_id: string; readonly turn: number } | null;
  readonly source: string;
  readonly createdAt: number;
  readonly consent: { readonly scope: ConsentScope; readonly grantedAt: number | null };
  readonly agentPrompt: string | null;
  readonly maxTurns: number;
  readonly phase: EpisodePhase;
  readonly request: string | null;
  /** The conversation exactly as the policy saw it, system message included. */
  readonly messages: readonly Message[];
  readonly turns: readonly TurnState[];
  /** Failed or interrupted actions, newest last. */
  readonly troubles: readonly { readonly turn: number; readonly reason: string; readonly message: string }[];
  /** Outcome given with an import; null otherwise. */
  readonly givenOutcome: number | null;
  readonly episodeThumb: 0 | 1 | null;
  /** Keys of an imported row that we do not know. */
  readonly importedRow: Readonly<Record<string, unknown>> | null;
  /** Events of a newer version that this code skipped; shown, never dropped. */
  readonly skippedEvents: number;
  readonly lastSeq: number;
}

/** The parts of an import that `reduce` needs. */
export type ImportedBody = EventOf<'episode_imported'>;
