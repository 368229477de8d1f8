import { z } from 'zod';
import type { GenerationRecord } from './backend.ts';
import { messageSchema } from './message.ts';
import { actionStateSchema, observationKindSchema } from './observation.ts';
import { overrideChangeSchema } from './override.ts';

/** Version of the event format that this code writes; see `upcast.ts` for older and newer ones. */
export const EVENT_VERSION = 1;

const unit = z.number().min(0).max(1);
const turn = z.int().nonnegative();
const ids = z.array(z.int().nonnegative()).readonly();
const texts = z.array(z.string()).readonly();

const samplingSchema = z.object({
  temperature: z.number(),
  top_p: z.number(),
  top_k: z.int().nullable(),
  seed: z.int().nullable(),
  max_tokens: z.int().nullable(),
});

/** What the server told about one generation, exactly. Unknown is null. */
export const generationSchema: z.ZodType<GenerationRecord> = z.object({
  text: z.string(),
  finish: z.enum(['stop', 'length', 'stopped']),
  prompt_ids: ids.nullable(),
  ids: ids.nullable(),
  logprobs: z.array(z.number()).readonly().nullable(),
  logprobs_mode: z.enum(['raw', 'processed']).nullable(),
  sampling: samplingSchema,
  model: z.string(),
  model_revision: z.string().nullable(),
  server: z.string(),
  server_version: z.string().nullable(),
  template_sha: z.string().nullable(),
  tokenizer_sha: z.string().nullable(),
  latency_ms: z.number(),
  first_token_ms: z.number().nullable(),
  usage: z.object({ prompt: z.int().nonnegative(), completion: z.int().nonnegative() }).nullish(),
  offered_tools: texts.optional(),
});

export const consentScopeSchema = z.enum(['local-only', 'exportable', 'excluded']);
export type ConsentScope = z.infer<typeof consentScopeSchema>;

/** One line, as a person names a conversation. */
export const titleSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u);

/** What came back after an action, in words: the fields that a reply, a tool result, a test, an edit or a rejection share. */
const observationFields = {
  kind: observationKindSchema,
  text: z.string(),
  options_shown: texts,
  /** The option that was clicked (or clicked, then edited), without its letter. */
  option: z.string().nullable(),
  latency_ms: z.number().nonnegative().nullable(),
};

/** A turn that a branch takes over from its parent: context for what follows, never trained on here. */
const inheritedTurnSchema = z.object({
  kind: z.enum(['question', 'answer', 'tool_call']),
  text: z.string(),
  question: z.string().nullable(),
  options: texts,
  message: z.string().nullable(),
  code: z.string().nullable(),
  ids: ids.nullable(),
  observations: z.array(z.object(observationFields)).readonly(),
});
export type InheritedTurn = z.infer<typeof inheritedTurnSchema>;

/**
 * Where a branch comes from, with everything it inherits. The branch carries a copy, so that it can be reduced from its own
 * events alone, whatever happens to its parent.
 */
export const forkSchema = z.object({
  episode_id: z.string(),
  /** Index of the turn it forked at. */
  turn,
  /** The parent's group; the branch is compared within it. */
  group_id: z.string(),
  /** Null where the request itself is written anew. */
  request: z.string().nullable(),
  turns: z.array(inheritedTurnSchema).readonly(),
});
export type Fork = z.infer<typeof forkSchema>;

/**
 * The facts of a journal, by type. A conversation is request_accepted, then action_started and its one end, then a reply or
 * another observation, and so on. A developer's words come before the model sees them; an action has exactly one end.
 */
export const eventBodySchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('episode_started'),
    source: z.string(),
    /** Episodes of one task are one group; null: a group of its own. */
    task_id: z.string().nullable(),
    parent: forkSchema.nullable(),
    /** System message in front of the conversation; null: none. */
    agent_prompt: z.string().nullable(),
    /** The marker behind which this conversation's answers begin. */
    answer_marker: z.string().min(1),
    max_turns: z.int().positive(),
  }),
  /** A whole conversation from elsewhere, rendered exactly as given; `row` holds the keys we do not know. */
  z.object({
    type: z.literal('episode_imported'),
    source: z.string(),
    group_id: z.string().nullable(),
    outcome: unit.nullable(),
    messages: z.array(messageSchema).readonly(),
    action_ids: z.array(ids).readonly().nullable(),
    action_states: z.array(actionStateSchema).readonly().nullable(),
    row: z.record(z.string(), z.unknown()),
  }),
  z.object({ type: z.literal('request_accepted'), text: z.string().min(1) }),
  /** `pid` is the process that runs the action: at the next start, an action whose process is gone is interrupted. */
  z.object({ type: z.literal('action_started'), turn, pid: z.int().positive().nullable() }),
  z.object({
    type: z.literal('action_asked'),
    turn,
    question: z.string(),
    options: texts,
    generation: generationSchema,
  }),
  z.object({ type: z.literal('action_called'), turn, generation: generationSchema }),
  z.object({
    type: z.literal('action_answered'),
    turn,
    message: z.string(),
    code: z.string(),
    generation: generationSchema,
  }),
  /** The developer stopped it; the text so far stays. */
  z.object({ type: z.literal('action_stopped'), turn, generation: generationSchema }),
  z.object({
    type: z.literal('action_failed'),
    turn,
    reason: z.string(),
    message: z.string(),
    partial: z.string(),
  }),
  /** The process died, or was told to forget about it, while the action ran. */
  z.object({ type: z.literal('action_interrupted'), turn }),
  /** What came back: a reply in words (typed, option, edited_option, skipped) or what a tool, test, edit or rejection said. */
  z.object({ type: z.literal('observed'), turn, ...observationFields }),
  z.object({ type: z.literal('proposal_decided'), turn, decision: z.enum(['accepted', 'rejected']) }),
  /** Of the lines that an accepted proposal added or changed, the share still standing at the first save. */
  z.object({ type: z.literal('proposal_saved'), turn, survival: unit.nullable() }),
  z.object({
    type: z.literal('tests_run'),
    turn,
    passed: z.int().nonnegative(),
    total: z.int().positive(),
  }),
  /** A thumb on a turn, or (turn null) on the episode; thumb null takes it back. */
  z.object({
    type: z.literal('rated'),
    turn: turn.nullable(),
    thumb: z.union([z.literal(0), z.literal(1)]).nullable(),
    note: z.string().nullable(),
  }),
  /** What a reviewer laid over a turn, or (turn null) over the episode: one field a fact, so that two reviewers never collide. */
  z.object({ type: z.literal('override_set'), turn: turn.nullable(), change: overrideChangeSchema }),
  /** Takes one such fact back, named by its `seq`; nothing is deleted. */
  z.object({ type: z.literal('override_undone'), seq: z.int().nonnegative() }),
  /** What the developer calls the conversation; null: by its request again. */
  z.object({ type: z.literal('titled'), title: titleSchema.nullable() }),
  z.object({ type: z.literal('consent_set'), scope: consentScopeSchema }),
  z.object({ type: z.literal('episode_closed') }),
]);
export type EventBody = z.infer<typeof eventBodySchema>;

const types: ReadonlySet<string> = new Set(eventBodySchema.options.map(({ shape }) => shape.type.value));

/** Whether this code knows events of this type. */
export function isKnownType(type: string): boolean {
  return types.has(type);
}

/** All that this code understands of events, as a number that grows with it: what is derived under another one is made anew. */
export const EVENT_FORMAT = EVENT_VERSION * 1000 + types.size;
export type EventType = EventBody['type'];
export type EventOf<T extends EventType> = Extract<EventBody, { type: T }>;

/** An event that a newer Turnwise wrote: kept as it stands and shown as skipped; never written by this code. */
export interface NewerBody {
  readonly type: 'newer_event';
  readonly json: unknown;
}

/**
 * Whether an episode may be called so: not empty, no control characters, no half surrogates. Those do not survive a
 * database's text, and two such ids could fall together.
 */
export function isPlainId(id: string): boolean {
  return id !== '' && !/[\p{Cc}\p{Cs}]/u.test(id);
}

/** A fact as stored: who (episode), when (ms since 1970), in which order (`seq`, 0-based within the episode), and what. */
export interface StoredEvent {
  /** UUIDv7. */
  readonly id: string;
  readonly episode_id: string;
  readonly seq: number;
  readonly at: number;
  readonly version: number;
  readonly body: EventBody | NewerBody;
}
