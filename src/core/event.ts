import { z } from 'zod';
import { messageSchema } from './message.ts';
import { actionStateSchema, observationKindSchema } from './observation.ts';

/** Version of the event format that this code writes. Older events are upcast when read; newer ones are kept and skipped visibly. */
export const EVENT_VERSION = 1;

const unit = z.number().min(0).max(1);
const ids = z.array(z.int().nonnegative());

const samplingSchema = z.object({
  temperature: z.number(),
  top_p: z.number(),
  top_k: z.int().nullable(),
  seed: z.int().nullable(),
  max_tokens: z.int().nullable(),
});

/** What the server told about one generation, exactly; mirrors `GenerationRecord`. Unknown is null. */
export const generationSchema = z.object({
  text: z.string(),
  finish: z.enum(['stop', 'length', 'stopped']),
  prompt_ids: ids.nullable(),
  ids: ids.nullable(),
  logprobs: z.array(z.number()).nullable(),
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
});

export const consentScopeSchema = z.enum(['local-only', 'exportable', 'excluded']);
export type ConsentScope = z.infer<typeof consentScopeSchema>;

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
    /** The episode this one branched off, and the turn index it forked at. */
    parent: z.object({ episode_id: z.string(), turn: z.int().nonnegative() }).nullable(),
    /** System message in front of the conversation; null: none. */
    agent_prompt: z.string().nullable(),
    max_turns: z.int().positive(),
  }),
  /** A whole conversation from elsewhere, rendered exactly as given; `row` holds the keys we do not know. */
  z.object({
    type: z.literal('episode_imported'),
    source: z.string(),
    group_id: z.string().nullable(),
    outcome: unit.nullable(),
    messages: z.array(messageSchema),
    action_ids: z.array(ids).nullable(),
    action_states: z.array(actionStateSchema).nullable(),
    row: z.record(z.string(), z.unknown()),
  }),
  z.object({ type: z.literal('request_accepted'), text: z.string().min(1) }),
  z.object({ type: z.literal('action_started'), turn: z.int().nonnegative() }),
  z.object({
    type: z.literal('action_asked'),
    turn: z.int().nonnegative(),
    question: z.string(),
    options: z.array(z.string()),
    generation: generationSchema,
  }),
  z.object({ type: z.literal('action_called'), turn: z.int().nonnegative(), generation: generationSchema }),
  z.object({
    type: z.literal('action_answered'),
    turn: z.int().nonnegative(),
    message: z.string(),
    code: z.string(),
    generation: generationSchema,
  }),
  z.object({ type: z.literal('action_stopped'), turn: z.int().nonnegative(), generation: generationSchema }),
  z.object({
    type: z.literal('action_failed'),
    turn: z.int().nonnegative(),
    reason: z.string(),
    message: z.string(),
    partial: z.string(),
  }),
  /** Found at the next start: the process died while the action ran. */
  z.object({ type: z.literal('action_interrupted'), turn: z.int().nonnegative() }),
  /** What came back: a reply in words (typed, option, edited_option, skipped) or what a tool, test, edit or rejection said. */
  z.object({
    type: z.literal('observed'),
    turn: z.int().nonnegative(),
    kind: observationKindSchema,
    text: z.string(),
    options_shown: z.array(z.string()),
    option: z.string().nullable(),
    latency_ms: z.number().nonnegative().nullable(),
  }),
  z.object({
    type: z.literal('proposal_decided'),
    turn: z.int().nonnegative(),
    decision: z.enum(['accepted', 'rejected']),
  }),
  /** Of the lines that an accepted proposal added or changed, the share still standing at the first save. */
  z.object({ type: z.literal('proposal_saved'), turn: z.int().nonnegative(), survival: unit.nullable() }),
  z.object({
    type: z.literal('tests_run'),
    turn: z.int().nonnegative(),
    passed: z.int().nonnegative(),
    total: z.int().positive(),
  }),
  /** A thumb on a turn, or (turn null) on the episode; thumb null takes it back. */
  z.object({
    type: z.literal('rated'),
    turn: z.int().nonnegative().nullable(),
    thumb: z.union([z.literal(0), z.literal(1)]).nullable(),
    note: z.string().nullable(),
  }),
  z.object({ type: z.literal('consent_set'), scope: consentScopeSchema }),
  z.object({ type: z.literal('episode_closed') }),
]);
export type EventBody = z.infer<typeof eventBodySchema>;
export type EventType = EventBody['type'];
export type EventOf<T extends EventType> = Extract<EventBody, { type: T }>;

/** A fact as stored: who (episode), when (ms since 1970), in which order (`seq`, 0-based within the episode), and what. */
export interface StoredEvent {
  /** UUIDv7. */
  readonly id: string;
  readonly episode_id: string;
  readonly seq: number;
  readonly at: number;
  readonly version: number;
  readonly body: EventBody;
}
