import { z } from 'zod';
import { messageSchema } from '../core/message.ts';

/** A seed as OpenAI takes it, any integer; the sampler has 32 bits. */
const seed = z
  .int()
  .nullish()
  .transform((value) => (value == null ? null : ((value % 2 ** 32) + 2 ** 32) % 2 ** 32));

const topK = z
  .int()
  .min(-1)
  .nullish()
  .transform((value) => Math.max(0, value ?? 0));

const ids = z.array(z.int().nonnegative());
const maxTokens = z.int().nonnegative().nullish();
const stop = z
  .union([z.string().min(1), z.array(z.string().min(1)).max(16)])
  .nullish()
  .transform((value) => (value == null ? [] : typeof value === 'string' ? [value] : value));

/** Parameters that would change what comes out, and are not understood here: refused, never ignored. */
const refused = {
  n: z.literal(1).nullish(),
  best_of: z.literal(1).nullish(),
  frequency_penalty: z.literal(0).nullish(),
  presence_penalty: z.literal(0).nullish(),
  repetition_penalty: z.literal(1).nullish(),
  min_p: z.literal(0).nullish(),
  logit_bias: z.strictObject({}).nullish(),
  tools: z.array(z.unknown()).max(0).nullish(),
  response_format: z.strictObject({ type: z.literal('text') }).nullish(),
};

const sampling = {
  ...refused,
  model: z.string().nullish(),
  temperature: z
    .number()
    .min(0)
    .max(10)
    .nullish()
    .transform((value) => value ?? 1),
  top_p: z
    .number()
    .gt(0)
    .max(1)
    .nullish()
    .transform((value) => value ?? 1),
  top_k: topK,
  seed,
  stop,
  return_token_ids: z.boolean().nullish(),
};

export const chatRequestSchema = z.looseObject({
  ...sampling,
  messages: z.array(messageSchema).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: maxTokens,
  max_completion_tokens: maxTokens,
  logprobs: z.boolean().nullish(),
  top_logprobs: z.literal(0).nullish(),
});
export type ChatRequest = z.infer<typeof chatRequestSchema>;

export const completionRequestSchema = z.looseObject({
  ...sampling,
  prompt: z.union([z.string(), ids, z.tuple([z.string()]), z.tuple([ids])]),
  max_tokens: maxTokens,
  echo: z.boolean().nullish(),
  /** Only the token itself: no alternatives beside it. */
  logprobs: z.union([z.literal(0), z.literal(1), z.literal(false), z.literal(true)]).nullish(),
  prompt_logprobs: z.union([z.literal(0), z.literal(1)]).nullish(),
  stream: z.literal(false).nullish(),
});
export type CompletionRequest = z.infer<typeof completionRequestSchema>;

export const tokenizeRequestSchema = z.union([
  z.looseObject({ text: z.union([z.string(), z.array(z.string())]) }),
  z.looseObject({ messages: z.array(messageSchema).min(1), add_generation_prompt: z.boolean().default(true) }),
]);

export const detokenizeRequestSchema = z.looseObject({ tokens: ids });

export const scoreRequestSchema = z.looseObject({
  /** Cells that another session left are not used; see `ScoreRequest`. */
  session: z.string().max(200).optional(),
  sequences: z.array(
    z
      .looseObject({ ids: ids.min(1), from: z.int().min(1), to: z.int() })
      .refine(({ ids: list, from, to }) => from <= to && to <= list.length, {
        error: 'needs 1 <= from <= to <= number of ids',
      }),
  ),
  /** What else to tell of every scored position: the likeliest tokens, or the whole vocabulary. */
  distributions: z.union([z.object({ top: z.int().min(1).max(1000) }), z.literal('full')]).optional(),
  /** Answers with one JSON object a line: `{"tokens_done": n}` while it works, the answer last. */
  stream: z.boolean().nullish(),
});
