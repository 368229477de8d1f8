import { z } from 'zod';
import type { GenerationRecord } from '../core/backend.ts';
import { toolCallText } from '../core/tool-call.ts';

/** A piece of a tool call: its name once, its JSON bit by bit. */
const callPieceSchema = z.object({
  index: z.int().nonnegative().nullish(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
});
const entrySchema = z.object({ logprob: z.number(), id: z.int().nonnegative().optional().catch(undefined) });
const idsSchema = z.array(z.int().nonnegative());
/** A chunk has choices; keys that vLLM, SGLang, llama-server and the local engine add are unknown unless they look right. */
const chunkSchema = z.object({
  model: z.string().nullish(),
  choices: z.array(
    z.object({
      finish_reason: z.string().nullish(),
      delta: z.object({ content: z.string().nullish(), tool_calls: z.array(callPieceSchema).nullish() }).nullish(),
      token_ids: idsSchema.nullish().catch(null),
      logprobs: z
        .object({ content: z.array(entrySchema).nullish() })
        .nullish()
        .catch(null),
    }),
  ),
  prompt_token_ids: idsSchema.nullish().catch(null),
  logprobs_mode: z.enum(['raw', 'processed']).nullish().catch(null),
  usage: z
    .object({ prompt_tokens: z.int().nonnegative(), completion_tokens: z.int().nonnegative() })
    .nullish()
    .catch(null),
  // SGLang's, in a chunk of its own behind the text.
  sglext: z
    .object({ input_ids: idsSchema.nullish(), output_ids: z.tuple([idsSchema]).nullish() })
    .nullish()
    .catch(null),
});

/** What the chunks told of the tokens of a whole answer; null where it does not cover all of it. */
export interface CapturedTokens {
  readonly promptIds: readonly number[] | null;
  readonly ids: readonly number[] | null;
  readonly logprobs: readonly number[] | null;
  readonly mode: 'raw' | 'processed' | null;
  /** Tokens as the server counts them. */
  readonly usage: { readonly prompt: number; readonly completion: number } | null;
}

/** Gathers one answer from its chunks. */
export interface Capture {
  /** Takes a chunk in, and gives back the text that it adds; throws a `ZodError` where it is no chunk at all. */
  take(chunk: unknown): string;
  readonly text: string;
  /** Whether the answer calls tools. */
  readonly calls: boolean;
  /** The server's own word for why it ended; null while it has not said. */
  readonly finish: string | null;
  /** The model as the chunks name it. */
  readonly model: string | null;
  readonly tokens: CapturedTokens;
  /** Exact ids and log-probs, of the chunks or with what was learned besides; each null unless it covers the whole answer. */
  record(
    tokens?: CapturedTokens,
  ): Pick<
    GenerationRecord,
    'text' | 'prompt_ids' | 'ids' | 'logprobs' | 'logprobs_mode' | 'latency_ms' | 'first_token_ms' | 'usage'
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
  let wholeIds: number[] | null = null;
  let usage: CapturedTokens['usage'] = null;
  const calls: { name: string; arguments: string }[] = [];
  let ended: number | null = null;
  let logprobs: number[] | null = null;
  // Text without ids beside it means that the ids are not all there; then none count.
  let idsComplete = true;
  let logprobsComplete = true;

  /** Of a call the pieces may hold back tokens; only a count that agrees shows that all are there. */
  const whole = (all: readonly number[] | null): readonly number[] | null =>
    calls.length === 0 || all?.length === usage?.completion ? all : null;

  const capture: Capture = {
    get text() {
      return text;
    },
    get calls() {
      return calls.length > 0;
    },
    get finish() {
      return finish;
    },
    get model() {
      return model;
    },
    take(chunk) {
      const vendor = chunkSchema.parse(chunk);
      promptIds ??= vendor.prompt_token_ids ?? vendor.sglext?.input_ids ?? null;
      wholeIds = vendor.sglext?.output_ids?.[0] ?? wholeIds;
      if (vendor.usage) usage = { prompt: vendor.usage.prompt_tokens, completion: vendor.usage.completion_tokens };
      ended = now();
      mode ??= vendor.logprobs_mode ?? null;
      model = vendor.model ?? model;
      const [choice] = vendor.choices;
      if (!choice) return '';
      finish = choice.finish_reason ?? finish;
      const added = choice.delta?.content ?? '';
      const entries = choice.logprobs?.content;
      const newIds = choice.token_ids ?? idsOf(entries);
      if (newIds) ids = [...(ids ?? []), ...newIds];
      if (entries) logprobs = [...(logprobs ?? []), ...entries.map(({ logprob }) => logprob)];
      for (const { index, function: piece } of choice.delta?.tool_calls ?? []) {
        const call = (calls[index ?? calls.length] ??= { name: '', arguments: '' });
        call.name += piece?.name ?? '';
        call.arguments += piece?.arguments ?? '';
        firstToken ??= now();
      }
      if (added !== '') {
        idsComplete &&= newIds !== null;
        logprobsComplete &&= entries != null;
        firstToken ??= now();
        text += added;
      }
      return added;
    },
    get tokens() {
      return {
        promptIds,
        ids: whole(wholeIds ?? (idsComplete ? ids : null)),
        logprobs: logprobsComplete ? logprobs : null,
        mode: logprobs === null ? null : mode,
        usage,
      };
    },
    record(tokens = capture.tokens) {
      // Parallel to the ids or worth nothing.
      const parallel = tokens.ids === null || tokens.ids.length === tokens.logprobs?.length;
      const kept = parallel ? tokens.logprobs : null;
      return {
        text: calls.length === 0 ? text : toolCallText(text, calls.filter(Boolean)),
        prompt_ids: tokens.promptIds,
        ids: tokens.ids,
        logprobs: kept,
        logprobs_mode: kept === null ? null : tokens.mode,
        latency_ms: (ended ?? now()) - began,
        first_token_ms: firstToken === null ? null : firstToken - began,
        usage,
      };
    },
  };
  return capture;
}

/** llama-server tells ids beside the log-probs. */
function idsOf(entries: readonly z.infer<typeof entrySchema>[] | null | undefined): number[] | null {
  const ids = entries?.flatMap(({ id }) => (id === undefined ? [] : [id]));
  return ids !== undefined && ids.length > 0 && ids.length === entries?.length ? ids : null;
}
