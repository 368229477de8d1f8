import { z } from 'zod';
import { groupOf, groupRuleSchema, type Grouping } from './group.ts';
import { messageSchema, type Message } from './message.ts';
import { actionStateSchema, thumbSchema } from './observation.ts';

const ratingSchema = z.object({
  turn: z.int().nonnegative().nullable(),
  thumb: thumbSchema.nullable(),
  note: z.string().nullish(),
});

/**
 * One episode as `turnwise score` and `turnwise import` take it: a line of JSONL. Messages are rendered exactly as given;
 * the first user message is the request. Without `group_id` episodes with the same request are a group. Unknown keys pass through.
 * `action_ids[k]` are the policy's own token ids of the k-th assistant message, `action_states[k]` how it came to be
 * (default `sampled`), `prompts[k]` what the model that chatted read in front of it, as its server told, `offered_tools[k]`
 * the names of Turnwise's tools that it was told of.
 */
export const transcriptSchema = z.looseObject({
  episode_id: z.string().min(1),
  group_id: z.string().min(1).optional(),
  /** What made the group; given by Turnwise itself. A `group_id` alone is an explicit task. */
  group_rule: groupRuleSchema.optional(),
  outcome: z.number().min(0).max(1).nullable().optional(),
  source: z.string().optional(),
  messages: z.array(messageSchema).min(1),
  action_ids: z.array(z.array(z.int().nonnegative())).optional(),
  action_states: z.array(actionStateSchema).optional(),
  /** What the source of the data paid for each action, k-th of the k-th; null where it does not say. */
  turn_rewards: z.array(z.number().nullable()).optional(),
  /** What people thought, of the k-th action (`turn`, from 0) or, `turn` null, of the whole; `thumb` 1 up, 0 down. */
  ratings: z.array(ratingSchema).optional(),
  offered_tools: z.array(z.array(z.string()).nullable()).optional(),
  prompts: z.array(z.object({ model: z.string(), ids: z.array(z.int().nonnegative()) }).nullable()).optional(),
});
export type Transcript = z.infer<typeof transcriptSchema>;

/** One agent action and the observations it elicited, as positions in the message list. */
export interface TurnSpan {
  /** 0-based over the assistant messages. */
  readonly index: number;
  /** Position of the action a_t. */
  readonly action: number;
  /** Positions of the observations o_t; empty when none came back. */
  readonly observations: readonly number[];
  /** Position of a_{t+1}, or null at the end of the episode. */
  readonly next: number | null;
}

/** Cuts a conversation into turns: every non-assistant message after an action, up to the next action, belongs to that turn. */
export function segment(messages: readonly Message[]): TurnSpan[] {
  const actions = messages.flatMap((message, position) => (message.role === 'assistant' ? [position] : []));
  return actions.map((action, index) => {
    const next = actions[index + 1] ?? null;
    const end = next ?? messages.length;
    const observations = Array.from({ length: end - action - 1 }, (_, k) => action + 1 + k);
    return { index, action, observations, next };
  });
}

/** The group that a transcript is compared in: the one it names, else that of its request. */
export function groupOfTranscript({ episode_id, group_id, group_rule, messages }: Transcript): Grouping {
  if (group_id !== undefined && group_rule !== undefined) return { groupId: group_id, groupRule: group_rule };
  return groupOf(episode_id, group_id ?? null, messages.find(({ role }) => role === 'user')?.content ?? null);
}
