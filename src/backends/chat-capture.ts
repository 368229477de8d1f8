import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import { z } from 'zod';
import type { GenerationRecord } from '../core/backend.ts';

/** A chunk has choices; keys that vLLM and the local engine add are unknown unless they look right. */
const vendorChunkSchema = z.object({
  choices: z.array(z.object({})),
  prompt_token_ids: z.array(z.int().nonnegative()).nullish().catch(null),
  logprobs_mode: z.enum(['raw', 'processed']).nullish().catch(null),
});
const vendorChoiceSchema = z.object({ token_ids: z.array(z.int().nonnegative()).nullish().catch(null) });
const entrySchema = z.object({ logprob: z.number() });

/** Gathers one answer from its chunks. */
export interface Capture {
  /** Takes a chunk in, and gives back the text that it adds; throws a `ZodError` where it is no chunk at all. */
  take(chunk: ChatCompletionChunk): string;
  readonly text: string;
  /** The server's own word for why it ended; null while it has not said. */
  readonly finish: string | null;
  /** The model as the chunks name it. */
  readonly model: string | null;
  /** Exact ids and log-probs, each null unless it covers the whole answer. */
  record(): Pick<
    GenerationRecord,
    'text' | 'prompt_ids' | 'ids' | 'logprobs' | 'logprobs_mode' | 'latency_ms' | 'first_token_ms'
  >;
}

export function startCapture(now: () => number = () => performance.now()): Capture {
  const began = now();
  let firstToken: number | null = null;
  let text = '';
  let finish: string | null = null;
  let model: string | null = null;
  let promptIds: number[] | null = null;
  let mode: 'raw' | 'processed' | null = null;
  let ids: number[] | null = null;
  let logprobs: number[] | null = null;
  // Text without ids beside it means that the ids are not all there; then none count.
  let idsComplete = true;
  let logprobsComplete = true;

  return {
    get text() {
      return text;
    },
    get finish() {
      return finish;
    },
    get model() {
      return model;
    },
    take(chunk) {
      const vendor = vendorChunkSchema.parse(chunk);
      promptIds ??= vendor.prompt_token_ids ?? null;
      mode ??= vendor.logprobs_mode ?? null;
      model = chunk.model;
      const choice = chunk.choices[0];
      if (!choice) return '';
      // Some servers leave these out, whatever the types say.
      const loose = choice as Partial<typeof choice>;
      finish = loose.finish_reason ?? finish;
      const added = loose.delta?.content ?? '';
      const newIds = vendorChoiceSchema.parse(choice).token_ids ?? null;
      const entries = z.array(entrySchema).nullish().catch(null).parse(loose.logprobs?.content);
      if (newIds) ids = [...(ids ?? []), ...newIds];
      if (entries) logprobs = [...(logprobs ?? []), ...entries.map(({ logprob }) => logprob)];
      if (added !== '') {
        idsComplete &&= newIds !== null;
        logprobsComplete &&= entries != null;
        firstToken ??= now();
        text += added;
      }
      return added;
    },
    record() {
      const wholeIds = idsComplete ? ids : null;
      // Parallel to the ids or worth nothing.
      const parallel = wholeIds === null || wholeIds.length === logprobs?.length;
      return {
        text,
        prompt_ids: promptIds,
        ids: wholeIds,
        logprobs: logprobsComplete && parallel ? logprobs : null,
        logprobs_mode: logprobs === null ? null : mode,
        latency_ms: now() - began,
        first_token_ms: firstToken === null ? null : firstToken - began,
      };
    },
  };
}
