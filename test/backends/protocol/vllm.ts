import { z } from 'zod';
import {
  byteTokenizer,
  drifting,
  likeliest,
  modelRows,
  renderByteChat,
  VOCABULARY,
  type ByteTokenizer,
  type ModelRow,
} from './byte-model.ts';
import { spoilRows, type RowFault, type WireRow } from './faults.ts';
import { prefixCache } from './prefix-cache.ts';
import { Refusal, serveProtocol, type Exchange, type ProtocolServer } from './serve.ts';

export interface VllmOptions {
  /** The older runner answers at full length with garbage for cached positions; the newer one with the computed rows alone. */
  readonly runner?: 'older' | 'newer';
  /** `--enable-scale-out`: the token-in routes. */
  readonly scaleOut?: boolean;
  /** `--enable-prompt-tokens-details`. */
  readonly countsCached?: boolean;
  /** Whether a salt keeps caches apart; false is a fault. */
  readonly salted?: boolean;
  /** The older runner: how many answers with garbage there are to one whose garbage holds a NaN; 0: none ever does. */
  readonly nanEvery?: number;
  readonly blockSize?: number;
  readonly contextSize?: number;
  readonly key?: string | null;
  readonly model?: string;
  readonly otherTokenizer?: boolean;
  readonly otherTemplate?: boolean;
  /** `--logprobs-mode processed_logprobs`: after the masks, which make a forced token certain. */
  readonly processed?: boolean;
  /** Every second answer is of another model. */
  readonly unsteady?: boolean;
  /** Half the width of the noise on every log-prob, in nats. */
  readonly noise?: number;
  readonly delayMs?: number;
}

const messagesSchema = z.array(z.object({ role: z.string(), content: z.string() }));
const tokenizeSchema = z.object({
  model: z.string().optional(),
  prompt: z.string().optional(),
  messages: messagesSchema.optional(),
  add_generation_prompt: z.boolean().default(true),
});
const detokenizeSchema = z.object({ model: z.string().optional(), tokens: z.array(z.int()) });
const samplingSchema = z.object({
  max_tokens: z.int().min(1),
  prompt_logprobs: z.int().optional(),
  logprobs: z.int().nullish(),
  allowed_token_ids: z.array(z.int()).min(1).optional(),
  prompt_logprob_start: z.int().optional(),
  prompt_logprob_token_ids: z.array(z.array(z.int())).optional(),
  skip_reading_prefix_cache: z.boolean().optional(),
});
const generateSchema = z.object({
  model: z.string().optional(),
  token_ids: z.array(z.int()).min(1),
  cache_salt: z.string().min(1).optional(),
  sampling_params: samplingSchema,
});
const completionSchema = z.object({
  model: z.string().optional(),
  prompt: z.union([z.array(z.int()).min(1), z.array(z.array(z.int()).min(1)).min(1)]),
  max_tokens: z.int().min(0).default(16),
  prompt_logprobs: z.int().nullish(),
  logprobs: z.int().nullish(),
  echo: z.boolean().default(false),
  cache_salt: z.string().optional(),
  return_tokens_as_token_ids: z.boolean().default(false),
  return_token_ids: z.boolean().default(false),
});
const chatSchema = z.object({
  model: z.string().optional(),
  messages: messagesSchema,
  add_generation_prompt: z.boolean().default(true),
  max_tokens: z.int().optional(),
});

/** vLLM's scoring routes as version 0.32 answers them, and as its newer runner is written. */
export function startVllm({
  runner = 'older',
  scaleOut = true,
  countsCached = true,
  salted = true,
  nanEvery = 7,
  blockSize = 16,
  contextSize = 2500,
  key = null,
  model = 'bytes',
  otherTokenizer = false,
  otherTemplate = false,
  noise = 0,
  unsteady = false,
  processed = false,
  ...more
}: VllmOptions = {}): Promise<ProtocolServer> {
  const tokenizer: ByteTokenizer = byteTokenizer({ other: otherTokenizer });
  const cache = prefixCache(blockSize);
  const random = drawer();
  const drift = drifting(unsteady);
  let garbageAnswers = 0;

  const models = {
    object: 'list',
    data: [
      {
        id: model,
        object: 'model',
        created: 1,
        owned_by: 'vllm',
        root: '/models/bytes',
        parent: null,
        max_model_len: contextSize,
      },
    ],
  };
  const checkModel = (asked: string | undefined): void => {
    if (asked === undefined || asked === model) return;
    throw refusal(404, `The model \`${asked}\` does not exist. Valid aliases: ${model}.`, 'NotFoundError', 'model');
  };
  const checkIds = (ids: readonly number[]): void => {
    const strange = ids.find((id) => id < 0 || id >= VOCABULARY);
    if (strange !== undefined) throw refusal(400, `Token id ${strange} is out of vocabulary`);
  };

  function generate({ body, server, fault }: Exchange): unknown {
    const asked = parse(generateSchema, body);
    const { token_ids: ids, cache_salt: salt = '', sampling_params: sampling } = asked;
    checkModel(asked.model);
    checkIds(ids);
    if (ids.length >= contextSize) {
      throw refusal(
        400,
        `The decoder prompt (length ${ids.length}) is longer than the maximum model length of ${contextSize}. Make sure that \`max_model_len\` is no smaller than the number of text tokens.`,
      );
    }
    const { prompt_logprob_token_ids: wanted, prompt_logprob_start: start } = sampling;
    if (start !== undefined && wanted === undefined) {
      throw refusal(
        400,
        `prompt_logprob_start requires prompt_logprob_token_ids. (parameter=prompt_logprob_start, value=${start})`,
      );
    }
    if (wanted !== undefined && runner === 'older') {
      throw refusal(
        400,
        'prompt_logprob_token_ids requires the V2 model runner (VLLM_USE_V2_MODEL_RUNNER=1). (parameter=prompt_logprob_token_ids)',
      );
    }
    const scores = sampling.prompt_logprobs !== undefined || wanted !== undefined;
    const skips = sampling.skip_reading_prefix_cache ?? scores;
    const cached = take(server, ids, salt, skips);
    const rows = fault?.what === 'rows' ? fault : null;
    const told = rows?.fault === 'stale' ? ids.length - 1 : cached;
    return {
      request_id: 'generate-tokens-1',
      model,
      created: 1,
      usage: usage(ids.length, told),
      prompt_logprobs: sampling.prompt_logprobs === undefined ? null : keyed(rowsOf(ids, cached, rows)),
      prompt_token_id_logprobs: wanted === undefined ? null : fixedIds(ids, cached, start ?? 0, wanted),
      prompt_token_ids: null,
      choices: [generated(ids, sampling, rows?.fault === 'wrong_next')],
    };
  }

  /** The likeliest token, or the one that is allowed, with its log-prob where that is asked for. */
  function generated(
    ids: readonly number[],
    { allowed_token_ids: [forced] = [], logprobs }: z.infer<typeof samplingSchema>,
    mistaken: boolean,
  ): unknown {
    const row = forced === undefined ? likeliest(ids) : modelRows([...ids, forced]).at(-1);
    const said = row && mistaken ? { ...row, id: row.id === 65 ? 66 : 65, logprob: -2 } : row;
    const { id = 0, logprob = 0, rank = 1 } = said ?? {};
    const entry = { token: `token_id:${id}`, token_id: id, rank, top_logprobs: [] };
    return {
      ...{ index: 0, finish_reason: 'length', stop_reason: null, token_ids: [id] },
      logprobs:
        logprobs == null ? null : { content: [{ ...entry, logprob: processed && forced !== undefined ? 0 : logprob }] },
    };
  }

  function complete({ body, server, fault }: Exchange): unknown {
    const asked = parse(completionSchema, body);
    checkModel(asked.model);
    const prompts = typeof asked.prompt[0] === 'number' ? [asked.prompt as number[]] : (asked.prompt as number[][]);
    const echo = asked.echo && fault?.what !== 'echo_ignored';
    const shown = asked.prompt_logprobs ?? (echo ? asked.logprobs : null) ?? null;
    if (asked.max_tokens === 0 && !asked.echo)
      throw refusal(400, 'max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)');
    const rowFault = fault?.what === 'rows' ? fault : null;
    const choices = prompts.map((ids, index) => {
      checkIds(ids);
      if (ids.length + asked.max_tokens > contextSize) {
        throw refusal(
          400,
          `This model's maximum context length is ${contextSize} tokens. However, your prompt contains ${ids.length} input tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=${ids.length})`,
        );
      }
      // The completions route never reads the cache while it scores.
      take(server, ids, asked.cache_salt ?? '', shown !== null);
      const next = likeliest(ids);
      const rows = shown === null ? null : rowsOf(ids, 0, rowFault);
      const spoken = asked.max_tokens > 0 ? [next] : [];
      const listed = [...(echo ? (rows ?? []) : []), ...spoken];
      const name = (row: WireRow | ModelRow | null, at: number): string => {
        const id = row?.id ?? ids[at] ?? 0;
        return asked.return_tokens_as_token_ids ? `token_id:${id}` : tokenizer.decode([id]);
      };
      return {
        index,
        text: tokenizer.decode([...(echo ? ids : []), ...spoken.map(({ id }) => id)]),
        logprobs:
          asked.logprobs == null
            ? null
            : {
                text_offset: listed.map((_, at) => at),
                token_logprobs: listed.map((row) => row?.logprob ?? null),
                tokens: listed.map(name),
                top_logprobs: listed.map((row, at) => (row === null ? null : { [name(row, at)]: row.logprob })),
              },
        finish_reason: 'length',
        stop_reason: null,
        token_ids: asked.return_token_ids ? spoken.map(({ id }) => id) : null,
        prompt_logprobs: fault?.what === 'echo_ignored' || rows === null ? null : keyed(rows),
        prompt_token_ids: asked.return_token_ids ? ids : null,
      };
    });
    const told = rowFault?.fault === 'two_answers' ? [...choices, ...choices] : choices;
    return {
      id: 'cmpl-1',
      object: 'text_completion',
      created: 1,
      model,
      choices: told,
      usage: usage(prompts.flat().length, rowFault?.fault === 'stale' ? prompts.flat().length - 1 : 0),
    };
  }

  /** Counts what is run and fills the cache; gives what was read from it. */
  function take(server: ProtocolServer, ids: readonly number[], salt: string, skips: boolean): number {
    const namespace = salted ? salt : '';
    const cached = skips ? 0 : cache.reusable(namespace, ids);
    cache.fill(namespace, ids);
    server.computed += ids.length - cached;
    return cached;
  }

  function rowsOf(
    ids: readonly number[],
    cached: number,
    fault: { readonly fault: RowFault; readonly at?: number } | null,
  ): (WireRow | null)[] {
    const off = drift();
    const rows = modelRows(ids).map(
      (row) => row && { ...row, logprob: Math.min(0, row.logprob + noise * random() - off) },
    );
    if (fault?.fault === 'nan') throw notCompliant();
    const sound = runner === 'newer' ? [null, ...rows.slice(cached + 1)] : withGarbage(rows, cached);
    return fault === null ? sound : spoilRows(sound, ids.length - sound.length, fault);
  }

  /** Row i is computed at token i - 1, so the rows up to and including `cached` are whatever lay in memory. */
  function withGarbage(rows: readonly (WireRow | null)[], cached: number): (WireRow | null)[] {
    if (cached === 0) return [...rows];
    garbageAnswers += 1;
    // More often than was seen, and on time: every third holds the right ids with values of something else.
    if (nanEvery > 0 && garbageAnswers % nanEvery === 0) throw notCompliant();
    const rightIds = garbageAnswers % 3 === 0;
    return rows.map((row, at) => {
      if (row === null || at > cached) return row;
      if (rightIds) return { ...row, logprob: -3 - (at % 5) / 4 };
      return { id: -993552144 + at, logprob: at % 2 === 0 ? 5e-34 : -1908, rank: at % 3 === 0 ? 0 : 10 ** 8 };
    });
  }

  function fixedIds(
    ids: readonly number[],
    cached: number,
    start: number,
    wanted: readonly (readonly number[])[],
  ): string | null {
    const rows = ids.length - 1 - start;
    if (wanted.length !== rows)
      throw refusal(400, `prompt_logprob_token_ids has ${wanted.length} rows, but the prompt needs ${rows}`);
    // A prefill that starts behind the first wanted row drops the request.
    if (cached > start) return null;
    const known = modelRows(ids);
    return npy(
      wanted.map((row, k) =>
        row.map((id) => (known[start + k + 1]?.id === id ? (known[start + k + 1]?.logprob ?? 0) : -30)),
      ),
    );
  }

  const usage = (prompt: number, cached: number): object => ({
    ...{ prompt_tokens: prompt, completion_tokens: 1, total_tokens: prompt + 1 },
    prompt_tokens_details: countsCached ? { cached_tokens: cached, created_cache_tokens: null } : null,
  });

  return serveProtocol({
    ...more,
    key,
    unauthorized: { error: 'Unauthorized' },
    notFound: { detail: 'Not Found' },
    scoring: ['/inference/v1/generate', '/v1/completions'],
    routes: {
      'GET /health': () => '',
      'GET /version': () => ({ version: '0.32.0' }),
      'GET /v1/models': () => models,
      'POST /tokenize': ({ body }) => {
        const { model: asked, prompt, messages, add_generation_prompt: generation } = parse(tokenizeSchema, body);
        checkModel(asked);
        const text = messages ? renderByteChat(messages, generation, { other: otherTemplate }) : (prompt ?? '');
        const tokens = tokenizer.encode(text);
        return { count: tokens.length, max_model_len: contextSize, tokens, token_strs: null };
      },
      'POST /detokenize': ({ body }) => {
        const { model: asked, tokens } = parse(detokenizeSchema, body);
        checkModel(asked);
        checkIds(tokens);
        return { prompt: tokenizer.decode(tokens) };
      },
      'POST /v1/chat/completions': ({ body }) => {
        const { model: asked, messages, add_generation_prompt: generation } = parse(chatSchema, body);
        checkModel(asked);
        const ids = tokenizer.encode(renderByteChat(messages, generation, { other: otherTemplate }));
        const { id, logprob } = likeliest(ids);
        const said = { token: tokenizer.decode([id]), logprob, bytes: null, top_logprobs: [] };
        return {
          ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model, prompt_token_ids: ids },
          choices: [
            {
              index: 0,
              message: { role: 'assistant', content: said.token },
              logprobs: { content: [said] },
              finish_reason: 'length',
              token_ids: [id],
            },
          ],
          usage: usage(ids.length, 0),
        };
      },
      'POST /v1/completions': complete,
      ...(scaleOut ? { 'POST /inference/v1/generate': generate } : {}),
    },
  });
}

const keyed = (rows: readonly (WireRow | null)[]): unknown =>
  rows.map((row) => row && { [String(row.id)]: { logprob: row.logprob, rank: row.rank, decoded_token: null } });

const notCompliant = (): Refusal => refusal(400, 'Out of range float values are not JSON compliant');

function refusal(status: number, message: string, type = 'BadRequestError', param: string | null = null): Refusal {
  return new Refusal(status, { error: { message, type, param, code: status } });
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw refusal(400, parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}

/** Numbers in [-1, 1), the same ones on every run. */
function drawer(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 48271) >>> 0) % 0x7fffffff;
    return (state / 0x7fffffff) * 2 - 1;
  };
}

/** float32 rows in NumPy's file format, in base 64. */
function npy(rows: readonly (readonly number[])[]): string {
  const shape = `(${rows.length}, ${rows[0]?.length ?? 0})`;
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`;
  const padded = `${header.padEnd(64 * Math.ceil((header.length + 11) / 64) - 11)}\n`;
  const numbers = rows.flat();
  const bytes = Buffer.alloc(10 + padded.length + 4 * numbers.length);
  bytes.write('\x93NUMPY\x01\x00', 'latin1');
  bytes.writeUInt16LE(padded.length, 8);
  bytes.write(padded, 10, 'latin1');
  numbers.forEach((value, at) => bytes.writeFloatLE(value, 10 + padded.length + 4 * at));
  return bytes.toString('base64');
}
