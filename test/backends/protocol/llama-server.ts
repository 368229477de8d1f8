import { z } from 'zod';
import {
  byteTokenizer,
  CHAT_TEMPLATE,
  drifting,
  END_OF_TEXT,
  END_OF_TURN,
  likeliest,
  likeliestOf,
  modelRows,
  renderByteChat,
  VOCABULARY,
} from './byte-model.ts';
import { spoilRows, type RowFault, type WireRow } from './faults.ts';
import { prefixCache } from './prefix-cache.ts';
import { Refusal, serveProtocol, type Exchange, type ProtocolServer } from './serve.ts';

export interface LlamaServerOptions {
  readonly contextSize?: number;
  readonly key?: string | null;
  readonly model?: string;
  readonly otherTokenizer?: boolean;
  readonly otherTemplate?: boolean;
  /** With a draft model every log-prob is 0. */
  readonly speculative?: boolean;
  /** Every second answer is of another model. */
  readonly unsteady?: boolean;
  readonly delayMs?: number;
}

const messagesSchema = z.array(z.object({ role: z.string(), content: z.string() }));
const promptSchema = z.union([z.string(), z.array(z.int())]);
const completionSchema = z.object({
  prompt: z.union([promptSchema, z.array(z.array(z.int()))]),
  n_predict: z.int().default(-1),
  temperature: z.number().default(0.8),
  n_probs: z.int().default(0),
  post_sampling_probs: z.boolean().default(false),
  cache_prompt: z.boolean().default(true),
  return_tokens: z.boolean().default(false),
  grammar: z.string().default(''),
  logit_bias: z.array(z.tuple([z.int(), z.union([z.number(), z.literal(false)])])).default([]),
  id_slot: z.int().default(-1),
});

const END_OF_GENERATION: readonly number[] = [END_OF_TURN, END_OF_TEXT];
/** Generated where nobody says what; a real model would go on talking. */
const MOST_WITHOUT_LIMIT = 16;

/** llama.cpp's server as a build of autumn 2026 answers: one slot, and no log-probs of a prompt. */
export function startLlamaServer({
  contextSize = 2500,
  key = null,
  model = 'bytes',
  otherTokenizer = false,
  otherTemplate = false,
  unsteady = false,
  speculative = false,
  ...more
}: LlamaServerOptions = {}): Promise<ProtocolServer> {
  const drift = drifting(unsteady);
  const tokenizer = byteTokenizer({ other: otherTokenizer });
  const cache = prefixCache(1);
  const template = otherTemplate
    ? `{{- '<|im_start|>system\\nBe kind.<|im_end|>\\n' -}}${CHAT_TEMPLATE}`
    : CHAT_TEMPLATE;

  function complete(exchange: Exchange): unknown {
    const asked = parse(completionSchema, exchange.body);
    const { prompt } = asked;
    if (typeof prompt === 'string') return one(exchange, tokenizer.encode(prompt), 0, asked);
    if (!Array.isArray(prompt[0])) return one(exchange, prompt as number[], 0, asked);
    return (prompt as number[][]).map((ids, index) => one(exchange, ids, index, asked));
  }

  function one(
    { server, fault }: Exchange,
    prompt: readonly number[],
    index: number,
    asked: z.infer<typeof completionSchema>,
  ): unknown {
    if (prompt.some((id) => id < 0 || id >= VOCABULARY))
      throw refusal(400, 'Prompt contains invalid tokens', 'invalid_request_error');
    if (prompt.length >= contextSize) {
      throw new Refusal(400, {
        error: {
          code: 400,
          message: `request (${prompt.length} tokens) exceeds the available context size (${contextSize} tokens), try increasing it`,
          type: 'exceed_context_size_error',
          ...{ n_prompt_tokens: prompt.length, n_ctx: contextSize },
        },
      });
    }
    const forced = asked.grammar === '' ? null : readGrammar(asked.grammar);
    const biased = [...asked.logit_bias].filter(([, bias]) => bias !== false && bias > 100).map(([id]) => id);
    const most = asked.n_predict < 0 ? MOST_WITHOUT_LIMIT : Math.max(1, asked.n_predict);

    const ids = [...prompt];
    let stop = 'limit';
    while (ids.length - prompt.length < most && ids.length < contextSize) {
      const at = ids.length - prompt.length;
      const next =
        forced === null ? (biased[0] ?? likeliest(ids).id) : (forced[at] ?? biased.find(isEnd) ?? END_OF_TURN);
      ids.push(next);
      if (!isEnd(next)) continue;
      stop = 'eos';
      break;
    }
    const cached = asked.cache_prompt ? cache.reusable('slot', prompt) : 0;
    // The last generated token is sampled and not run.
    cache.replace('slot', ids.slice(0, -1));
    const generated = ids.slice(prompt.length);
    server.computed += prompt.length - cached + generated.length - 1;

    const off = drift();
    const sound = modelRows(ids)
      .slice(prompt.length)
      .map((row) => row && { ...row, logprob: speculative ? 0 : row.logprob - off });
    const rowFault = fault?.what === 'rows' ? fault : null;
    const rows = spoil(sound, prompt.length, rowFault).filter((row) => row !== null);
    return {
      index,
      content: tokenizer.decode(generated.filter((id) => !isEnd(id))),
      tokens: asked.return_tokens ? rows.map(({ id }) => id) : [],
      ...{ id_slot: 0, stop: true, model, tokens_predicted: generated.length, tokens_evaluated: prompt.length },
      ...{ has_new_line: false, truncated: false, stop_type: stop, stopping_word: '', tokens_cached: ids.length - 1 },
      timings: { cache_n: cached, prompt_n: prompt.length - cached, predicted_n: generated.length },
      ...(asked.n_probs > 0
        ? {
            completion_probabilities: rows.map((row, k) =>
              entry(row, asked, likeliestOf(ids.slice(0, prompt.length + k), asked.n_probs)),
            ),
          }
        : {}),
    };
  }

  /** Nothing stands before its first row, so one that is early is one that is not there. */
  function spoil(
    rows: readonly (WireRow | null)[],
    first: number,
    fault: { readonly fault: RowFault; readonly at?: number } | null,
  ): (WireRow | null)[] {
    if (fault === null) return [...rows];
    return fault.fault === 'missing_first' ? rows.slice(1) : spoilRows(rows, first, fault);
  }

  /** `root ::= <[1]> <[2]>`: the ids in order. Ends of a generation, parts of characters and unknown ids break the real one. */
  function readGrammar(grammar: string): number[] {
    const body = /^root ::= ((?:<\[\d+\]>\s*)+)$/.exec(grammar.trim())?.[1];
    if (body === undefined) throw refusal(400, 'failed to parse grammar', 'invalid_request_error');
    const ids = [...body.matchAll(/\d+/g)].map(([digits]) => Number(digits));
    if (ids.some((id) => isEnd(id) || id >= VOCABULARY || tokenizer.decode([id]) === '\ufffd')) {
      throw refusal(500, 'got exception: Unexpected empty grammar stack after accepting piece: < (30)', 'server_error');
    }
    return ids;
  }

  function entry(
    { id, logprob }: WireRow,
    { post_sampling_probs: processed }: z.infer<typeof completionSchema>,
    likely: readonly WireRow[],
  ): unknown {
    const shown = (one: number): object => {
      const token = tokenizer.decode([one]);
      return { id: one, token, bytes: [...Buffer.from(token, 'utf8')] };
    };
    // After sampling only the forced token is left.
    if (processed) return { ...shown(id), prob: 1, top_probs: [{ ...shown(id), prob: 1 }] };
    return { ...shown(id), logprob, top_logprobs: likely.map((row) => ({ ...shown(row.id), logprob: row.logprob })) };
  }

  return serveProtocol({
    ...more,
    key,
    unauthorized: { error: { message: 'Invalid API Key', type: 'authentication_error', code: 401 } },
    notFound: { error: { message: 'File Not Found', type: 'not_found_error', code: 404 } },
    scoring: ['/completion', '/completions', '/v1/completions'],
    routes: {
      'GET /health': () => ({ status: 'ok' }),
      'GET /v1/models': () => ({
        object: 'list',
        models: [{ name: model, model, type: 'model', capabilities: ['completion'] }],
        data: [
          {
            ...{ id: model, aliases: [model], tags: [], object: 'model', created: 1, owned_by: 'llamacpp' },
            meta: {
              vocab_type: 2,
              n_vocab: VOCABULARY,
              n_ctx: contextSize,
              n_ctx_train: contextSize,
              n_embd: 8,
              n_params: 1,
              size: 1,
            },
          },
        ],
      }),
      'GET /props': () => ({
        default_generation_settings: {
          n_ctx: contextSize,
          params: { 'speculative.types': speculative ? 'draft' : 'none' },
        },
        ...{ total_slots: 1, model_alias: model, model_path: '/models/bytes.gguf', build_info: 'b9000-test' },
        ...{ endpoint_slots: true, endpoint_props: false, endpoint_metrics: false },
        ...{ chat_template: template, bos_token: '', eos_token: '<|im_end|>' },
      }),
      'GET /slots': () => [{ id: 0, n_ctx: contextSize, speculative, is_processing: false }],
      'POST /tokenize': ({ body }) => {
        const { content } = parse(
          z.object({
            content: z.string(),
            parse_special: z.boolean().default(true),
            add_special: z.boolean().default(false),
          }),
          body,
        );
        return { tokens: tokenizer.encode(content) };
      },
      'POST /detokenize': ({ body }) => {
        const { tokens } = parse(z.object({ tokens: z.array(z.int()) }), body);
        const strange = tokens.find((id) => id < 0 || id >= VOCABULARY);
        if (strange !== undefined) {
          throw refusal(
            500,
            `vector::_M_range_check: __n (which is ${strange}) >= this->size() (which is ${VOCABULARY})`,
            'server_error',
          );
        }
        return { content: tokenizer.decode(tokens) };
      },
      'POST /apply-template': ({ body }) => {
        const { messages } = parse(z.object({ messages: messagesSchema }), body);
        return { prompt: renderByteChat(messages, true, { other: otherTemplate }) };
      },
      'POST /completion': complete,
      'POST /completions': complete,
      // `echo` is ignored in silence.
      'POST /v1/completions': ({ body }) => {
        const { prompt } = parse(z.object({ prompt: promptSchema }), body);
        const ids = typeof prompt === 'string' ? tokenizer.encode(prompt) : prompt;
        const { id, logprob } = likeliest(ids);
        const said = { id, token: tokenizer.decode([id]), bytes: [], logprob, top_logprobs: [] };
        return {
          ...{ id: 'cmpl-1', object: 'text_completion', created: 1, model },
          choices: [{ text: said.token, index: 0, logprobs: { content: [said] }, finish_reason: 'length' }],
          usage: { prompt_tokens: ids.length, completion_tokens: 1, total_tokens: ids.length + 1 },
        };
      },
    },
  });
}

const isEnd = (id: number): boolean => END_OF_GENERATION.includes(id);

const refusal = (status: number, message: string, type: string): Refusal =>
  new Refusal(status, { error: { code: status, message, type } });

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const message = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw refusal(400, message, 'invalid_request_error');
}
