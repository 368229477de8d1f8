import { z } from 'zod';
import { byteTokenizer, drifting, likeliest, modelRows, renderByteChat, VOCABULARY } from './byte-model.ts';
import { spoilRows, type WireRow } from './faults.ts';
import { prefixCache } from './prefix-cache.ts';
import { Refusal, serveProtocol, type Exchange, type ProtocolServer } from './serve.ts';

export interface SglangOptions {
  readonly contextSize?: number;
  /** Tokens that its cache holds at most; a prompt may take all but seven. */
  readonly poolSize?: number;
  readonly key?: string | null;
  readonly model?: string;
  readonly otherTokenizer?: boolean;
  readonly otherTemplate?: boolean;
  /** Every second answer is of another model. */
  readonly unsteady?: boolean;
  readonly delayMs?: number;
}

const messagesSchema = z.array(z.object({ role: z.string(), content: z.string() }));
const tokenizeSchema = z.object({
  prompt: z.union([z.string(), z.array(z.string())]).optional(),
  messages: messagesSchema.optional(),
  add_generation_prompt: z.boolean().default(true),
});
const detokenizeSchema = z.object({
  tokens: z.union([z.array(z.int()), z.array(z.array(z.int()))]),
  skip_special_tokens: z.boolean().default(true),
});
const idsSchema = z.array(z.int()).min(1);
const generateSchema = z.object({
  input_ids: z.union([idsSchema, z.array(idsSchema).min(1)]),
  sampling_params: z.object({ max_new_tokens: z.int().min(0), temperature: z.number().optional() }),
  return_logprob: z.boolean().default(false),
  logprob_start_len: z.union([z.int(), z.array(z.int())]).default(-1),
  top_logprobs_num: z.int().default(0),
  cache_salt: z.union([z.string(), z.array(z.string())]).optional(),
  extra_key: z.union([z.string(), z.array(z.string())]).optional(),
});
const chatSchema = z.object({ messages: messagesSchema, add_generation_prompt: z.boolean().default(true) });

/** What kills the real server on a CPU: then this one refuses, and says so here. */
export interface SglangServer extends ProtocolServer {
  readonly deadly: string[];
}

/** SGLang's scoring routes as version 0.5.23 answers them. */
export async function startSglang({
  contextSize = 2500,
  poolSize = 60_000,
  key = null,
  model = 'bytes',
  otherTokenizer = false,
  otherTemplate = false,
  unsteady = false,
  ...more
}: SglangOptions = {}): Promise<SglangServer> {
  const drift = drifting(unsteady);
  const tokenizer = byteTokenizer({ other: otherTokenizer });
  const cache = prefixCache(1);
  const deadly: string[] = [];

  function generate(exchange: Exchange): unknown {
    const asked = parse(generateSchema, exchange.body);
    const many = typeof asked.input_ids[0] !== 'number';
    const list = (many ? asked.input_ids : [asked.input_ids]) as number[][];
    const answers = list.map((ids, at) => {
      const start = Array.isArray(asked.logprob_start_len)
        ? (asked.logprob_start_len[at] ?? -1)
        : asked.logprob_start_len;
      const spaces = [asked.cache_salt, asked.extra_key].map(
        (space) => (Array.isArray(space) ? space[at] : space) ?? '',
      );
      return scoreOne(exchange, ids, start, spaces.join('|'), asked);
    });
    const { fault } = exchange;
    if (fault?.what === 'rows' && fault.fault === 'two_answers')
      return many ? answers.slice(1) : [...answers, ...answers];
    return many ? answers : answers[0];
  }

  function scoreOne(
    { server, fault }: Exchange,
    ids: readonly number[],
    start: number,
    space: string,
    {
      return_logprob: scores,
      top_logprobs_num: top,
      sampling_params: { max_new_tokens: most },
    }: z.infer<typeof generateSchema>,
  ): unknown {
    if (ids.some((id) => id < 0 || id >= VOCABULARY)) die('an id outside the vocabulary');
    if (start < -1) die('a negative logprob_start_len');
    if (top > VOCABULARY) die('top_logprobs_num above the vocabulary');
    const longest = Math.min(contextSize, poolSize) - 7;
    if (ids.length > longest) {
      throw refusal(
        400,
        `The input (${ids.length} tokens) is longer than the model's context length (${longest} tokens).`,
      );
    }
    const from = scores ? (start === -1 ? ids.length - 1 : start) : ids.length;
    const cached = Math.min(cache.reusable(space, ids), from);
    cache.fill(space, ids);
    server.computed += ids.length - cached;
    const next = likeliest(ids);
    const off = drift();
    const all = modelRows(ids)
      .slice(from)
      .map((row) => row && { ...row, logprob: row.logprob - off });
    const sound: (WireRow | null)[] = all.map((row, k) => (k === 0 ? null : row));
    const spoilt = fault?.what === 'rows' ? spoilRows(sound, from, fault) : sound;
    // The last id of the vocabulary comes back as 0.
    const named = (id: number): number => (id === VOCABULARY - 1 ? 0 : id);
    const entries = spoilt.map((row, k) => [row?.logprob ?? null, named(row?.id ?? ids[from + k] ?? 0), null]);
    return {
      text: most > 0 ? tokenizer.decode([next.id]) : '',
      output_ids: most > 0 ? [next.id] : [],
      meta_info: {
        ...{
          id: 'a',
          finish_reason: { type: 'length', length: most },
          prompt_tokens: ids.length + (fault?.what === 'rows' && fault.fault === 'other_prompt' ? 1 : 0),
          weight_version: 'default',
        },
        ...(scores
          ? { input_token_logprobs: entries, output_token_logprobs: most > 0 ? [[next.logprob, next.id, null]] : [] }
          : {}),
        completion_tokens: most,
        cached_tokens: fault?.what === 'rows' && fault.fault === 'stale' ? ids.length - 1 : cached,
      },
    };
  }

  function die(what: string): never {
    deadly.push(what);
    throw new Refusal(500, 'Internal Server Error');
  }

  const information = {
    ...{ model_path: '/models/bytes', served_model_name: model, tokenizer_path: '/models/bytes', is_generation: true },
    weight_version: 'default',
  };
  const serverInformation = {
    ...information,
    ...{ version: '0.5.23', context_length: null, max_total_tokens: poolSize, max_total_num_tokens: poolSize },
    ...{ disable_radix_cache: false, page_size: 1, max_req_input_len: Math.min(contextSize, poolSize) - 6 },
    ...{ speculative_algorithm: null, internal_states: [{}] },
  };
  const tokenize = ({ body }: Exchange): unknown => {
    const { prompt, messages, add_generation_prompt: generation } = parse(tokenizeSchema, body);
    if (Array.isArray(prompt)) {
      const tokens = prompt.map((text) => tokenizer.encode(text));
      return { tokens, count: tokens.map(({ length }) => length), max_model_len: contextSize };
    }
    const text = messages ? renderByteChat(messages, generation, { other: otherTemplate }) : (prompt ?? '');
    const tokens = tokenizer.encode(text);
    return { tokens, count: tokens.length, max_model_len: contextSize };
  };
  const detokenize = ({ body }: Exchange): unknown => {
    const { tokens, skip_special_tokens: skips } = parse(detokenizeSchema, body);
    // Ids that do not exist leave no trace.
    const shown = (ids: readonly number[]): string => tokenizer.decode(skips ? ids.filter((id) => id < 256) : ids);
    const many = tokens.length > 0 && Array.isArray(tokens[0]);
    return { text: many ? (tokens as number[][]).map(shown) : shown(tokens as number[]) };
  };

  const server = await serveProtocol({
    ...more,
    key,
    unauthorized: { error: 'Unauthorized' },
    notFound: { detail: 'Not Found' },
    scoring: ['/generate'],
    routes: {
      'GET /health': () => '',
      'GET /v1/models': () => ({
        object: 'list',
        data: [
          {
            id: model,
            object: 'model',
            created: 1,
            owned_by: 'sglang',
            root: model,
            parent: null,
            max_model_len: contextSize,
          },
        ],
      }),
      'GET /get_model_info': () => information,
      'GET /model_info': () => information,
      'GET /get_server_info': () => serverInformation,
      'GET /server_info': () => serverInformation,
      'POST /tokenize': tokenize,
      'POST /v1/tokenize': tokenize,
      'POST /detokenize': detokenize,
      'POST /v1/detokenize': detokenize,
      'POST /generate': generate,
      'POST /flush_cache': () => {
        cache.flush();
        return 'Cache flushed.';
      },
      'POST /v1/chat/completions': ({ body }) => {
        // A wrong name of a model is answered like the right one.
        const { messages, add_generation_prompt: generation } = parse(chatSchema, body);
        const ids = tokenizer.encode(renderByteChat(messages, generation, { other: otherTemplate }));
        const { id } = likeliest(ids);
        return {
          ...{ id: 'b', object: 'chat.completion', created: 1, model },
          choices: [
            {
              ...{ index: 0, message: { role: 'assistant', content: tokenizer.decode([id]) }, logprobs: null },
              ...{ finish_reason: 'length', prompt_token_ids: ids, response_token_ids: [id] },
            },
          ],
          usage: { prompt_tokens: ids.length, completion_tokens: 1, total_tokens: ids.length + 1 },
        };
      },
    },
  });
  return Object.assign(server, { deadly });
}

const refusal = (status: number, message: string): Refusal => new Refusal(status, { error: { message } });

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw refusal(400, parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}
