import { z } from 'zod';
import { byteTokenizer, drifting, likeliest, modelRows, renderByteChat, VOCABULARY } from './byte-model.ts';
import { spoilRows, type WireRow } from './faults.ts';
import { Refusal, serveProtocol, type Exchange, type ProtocolServer } from './serve.ts';

export interface CompletionsOptions {
  readonly contextSize?: number;
  readonly key?: string | null;
  readonly model?: string;
  /** Some take texts alone. */
  readonly takesIds?: boolean;
  /** Some want at least one token to generate. */
  readonly takesZeroTokens?: boolean;
  /** Some say the ids of what they read. */
  readonly tellsIds?: boolean;
  /** Some have routes of their own for tokens. */
  readonly tokenizes?: boolean;
  readonly otherTokenizer?: boolean;
  readonly otherTemplate?: boolean;
  /** Every second answer is of another model. */
  readonly unsteady?: boolean;
  readonly delayMs?: number;
}

const completionSchema = z.object({
  model: z.string(),
  prompt: z.union([
    z.string(),
    z.array(z.int()).min(1),
    z.array(z.array(z.int()).min(1)).min(1),
    z.array(z.string()).min(1),
  ]),
  max_tokens: z.int().min(0).default(16),
  echo: z.boolean().default(false),
  logprobs: z.int().nullish(),
});

/** `/v1/completions` with `echo` and `logprobs`, as hosted servers and llama-cpp-python speak it. */
export function startCompletions({
  contextSize = 2500,
  key = null,
  model = 'bytes',
  takesIds = true,
  takesZeroTokens = true,
  tellsIds = false,
  tokenizes = false,
  otherTokenizer = false,
  otherTemplate = false,
  unsteady = false,
  ...more
}: CompletionsOptions = {}): Promise<ProtocolServer> {
  const drift = drifting(unsteady);
  const tokenizer = byteTokenizer({ other: otherTokenizer });

  function complete({ body, server, fault }: Exchange): unknown {
    const asked = parse(completionSchema, body);
    if (asked.model !== model) throw refusal(404, `The model \`${asked.model}\` does not exist`, 'model_not_found');
    if (asked.max_tokens === 0 && !takesZeroTokens) throw refusal(400, 'max_tokens must be at least 1');
    const prompts = promptsOf(asked.prompt);
    const echo = asked.echo && fault?.what !== 'echo_ignored';
    const rowFault = fault?.what === 'rows' ? fault : null;
    const choices = prompts.map((ids, index) => {
      if (ids.some((id) => id < 0 || id >= VOCABULARY)) throw refusal(400, 'prompt holds a token out of range');
      // As vLLM counts: a token to be generated, also where none is asked for.
      if (ids.length + Math.max(1, asked.max_tokens) > contextSize) {
        throw refusal(
          400,
          `This model's maximum context length is ${contextSize} tokens, but ${ids.length} were given.`,
          'context_length_exceeded',
        );
      }
      server.computed += ids.length;
      const next = likeliest(ids);
      const off = drift();
      const sound = modelRows(ids).map((row) => row && { ...row, logprob: row.logprob - off });
      const rows: (WireRow | null)[] = rowFault ? spoilRows(sound, 0, rowFault) : sound;
      const spoken = asked.max_tokens > 0 ? [next] : [];
      const listed = [...(echo ? rows : []), ...spoken];
      const name = (row: WireRow | null, at: number): string => tokenizer.decode([row?.id ?? ids[at] ?? 0]);
      const text = listed.map(name).join('');
      return {
        index,
        text,
        logprobs:
          asked.logprobs == null
            ? null
            : {
                tokens: listed.map(name),
                ...(tellsIds ? { token_ids: listed.map((row, at) => row?.id ?? ids[at] ?? 0) } : {}),
                token_logprobs: listed.map((row) => row?.logprob ?? null).slice(rowFault?.fault === 'uneven' ? 1 : 0),
                text_offset: listed.map((_, at) => at),
                top_logprobs: listed.map((row, at) => (row === null ? null : { [name(row, at)]: row.logprob })),
              },
        finish_reason: 'length',
      };
    });
    const tokens = prompts.flat().length;
    return {
      ...{ id: 'cmpl-1', object: 'text_completion', created: 1, model },
      choices: rowFault?.fault === 'two_answers' ? [...choices, ...choices] : choices,
      usage: { prompt_tokens: tokens, completion_tokens: asked.max_tokens > 0 ? 1 : 0, total_tokens: tokens + 1 },
    };
  }

  function promptsOf(prompt: z.infer<typeof completionSchema>['prompt']): number[][] {
    const texts = typeof prompt === 'string' ? [prompt] : prompt;
    if (typeof texts[0] === 'string') return (texts as string[]).map((text) => tokenizer.encode(text));
    if (!takesIds) throw refusal(400, 'prompt must be a string');
    return typeof texts[0] === 'number' ? [texts as number[]] : (texts as number[][]);
  }

  return serveProtocol({
    ...more,
    key,
    unauthorized: {
      error: { message: 'Incorrect API key provided', type: 'invalid_request_error', code: 'invalid_api_key' },
    },
    notFound: { detail: 'Not Found' },
    scoring: ['/v1/completions'],
    routes: {
      'GET /v1/models': () => ({
        object: 'list',
        data: [{ id: model, object: 'model', created: 1, owned_by: 'x', max_model_len: contextSize }],
      }),
      'POST /v1/completions': complete,
      ...(tokenizes
        ? {
            'POST /tokenize': ({ body }: Exchange) => {
              const { prompt, messages, add_generation_prompt: generation } = parse(tokenizeSchema, body);
              const text = messages ? renderByteChat(messages, generation, { other: otherTemplate }) : (prompt ?? '');
              const tokens = tokenizer.encode(text);
              return { tokens, count: tokens.length, max_model_len: contextSize };
            },
            'POST /detokenize': ({ body }: Exchange) => ({
              prompt: tokenizer.decode(parse(z.object({ tokens: z.array(z.int()) }), body).tokens),
            }),
          }
        : {}),
    },
  });
}

const tokenizeSchema = z.object({
  prompt: z.string().optional(),
  messages: z.array(z.object({ role: z.string(), content: z.string() })).optional(),
  add_generation_prompt: z.boolean().default(true),
});

const refusal = (status: number, message: string, code: string | null = null): Refusal =>
  new Refusal(status, { error: { message, type: 'invalid_request_error', param: null, code } });

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw refusal(400, parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}
