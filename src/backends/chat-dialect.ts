import { z } from 'zod';
import type { GenerationRecord, Sampling } from '../core/backend.ts';
import type { Message } from '../core/message.ts';
import type { CapturedTokens } from './chat-capture.ts';
import { findLogprobsMode } from './chat-logprobs-mode.ts';
import type { JsonClient } from './json-client.ts';

/** What an answer was to, for a server that has to be asked about it again. */
export interface Answered {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly sampling: Sampling;
  /** Whether the model itself ended it. */
  readonly ended: boolean;
}

/** How a server tells the exact tokens of a chat, beside what OpenAI's protocol has. */
export interface ChatDialect {
  /** Asked for with every answer. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Adds what the stream left out, where the server can still tell; never throws. */
  complete(tokens: CapturedTokens, answered: Answered, signal?: AbortSignal): Promise<CapturedTokens>;
}

/** The dialect of a server by what it says of itself in its list of models (`owned_by`); null where it says nothing. */
export function dialectOf(ownedBy: string | null, client: JsonClient): ChatDialect {
  let mode: Promise<GenerationRecord['logprobs_mode']> | null = null;
  /** Looked for once, after an answer, so that no answer waits for it. */
  const withMode = async (tokens: CapturedTokens, { model }: Answered): Promise<CapturedTokens> => {
    if (tokens.logprobs === null || tokens.mode !== null) return tokens;
    mode ??= findLogprobsMode(client, model).catch(() => {
      mode = null;
      return null;
    });
    return { ...tokens, mode: await mode };
  };
  const dialect = (
    params: ChatDialect['params'],
    addStop: (tokens: CapturedTokens, answered: Answered, signal?: AbortSignal) => Promise<CapturedTokens>,
  ): ChatDialect => ({
    params,
    async complete(tokens, answered, signal) {
      try {
        return await withMode(await addStop(tokens, answered, signal), answered);
      } catch {
        return tokens;
      }
    },
  });

  switch (ownedBy) {
    case 'sglang':
      return dialect(
        { return_input_ids_in_sglext: true, return_output_ids_in_sglext: true },
        (tokens, answered, signal) => sglangStop(client, tokens, answered, signal),
      );
    case 'llamacpp':
      // Without this it gives no log-probs at all, and no ids.
      return dialect({ top_logprobs: 1 }, (tokens, answered, signal) => llamaStop(client, tokens, answered, signal));
    case 'vllm':
      return dialect({ return_token_ids: true }, (tokens) => Promise.resolve(tokens));
    default:
      return { params: { return_token_ids: true }, complete: (tokens) => Promise.resolve(tokens) };
  }
}

const idRowSchema = z.tuple([z.number(), z.int()], z.unknown());
const generatedSchema = z.object({
  meta_info: z.object({ output_token_ids_logprobs: z.tuple([z.tuple([idRowSchema])], z.unknown()) }),
});

/** SGLang streams no log-prob of the token that ended the answer; asked again at that place, it tells it. */
async function sglangStop(
  client: JsonClient,
  tokens: CapturedTokens,
  { sampling: { temperature, top_p }, ended }: Answered,
  signal?: AbortSignal,
): Promise<CapturedTokens> {
  const { promptIds, ids, logprobs } = tokens;
  const stop = ids?.at(-1);
  if (!ended || promptIds === null || ids === null || stop === undefined || logprobs?.length !== ids.length - 1) {
    return tokens;
  }
  const { meta_info: told } = await client.post(
    '/generate',
    {
      input_ids: [...promptIds, ...ids.slice(0, -1)],
      sampling_params: { max_new_tokens: 1, temperature, top_p },
      return_logprob: true,
      token_ids_logprob: [stop],
    },
    generatedSchema,
    signal,
  );
  const [[[logprob, id]]] = told.output_token_ids_logprobs;
  return id === stop ? { ...tokens, logprobs: [...logprobs, logprob] } : tokens;
}

const promptSchema = z.object({ prompt: z.string() });
const tokensSchema = z.object({ tokens: z.array(z.int().nonnegative()) });
const propsSchema = z.looseObject({ eos_token: z.string().min(1) });
const entrySchema = z.object({ id: z.int(), logprob: z.number(), token: z.string() });
const completionSchema = z.object({
  completion_probabilities: z.tuple([entrySchema.extend({ top_logprobs: z.array(entrySchema) })], z.unknown()),
});
/** So much likelier than any other end has to be, in nats, to count as the one that was drawn. */
const CLEARLY = 7;
const NEIGHBOURS = 64;

/**
 * llama-server streams ids with its log-probs, but neither the prompt's nor the token that ended the answer. The prompt is
 * rendered again and held against the server's count; the end is its end token, if no other could have been drawn.
 */
async function llamaStop(
  client: JsonClient,
  tokens: CapturedTokens,
  { messages, ended }: Answered,
  signal?: AbortSignal,
): Promise<CapturedTokens> {
  const { ids, logprobs, usage } = tokens;
  if (ids === null || usage === null) return { ...tokens, ids: null };
  const { prompt } = await client.post('/apply-template', { messages }, promptSchema, signal);
  const promptIds = await tokenize(client, prompt, true, signal);
  if (promptIds.length !== usage.prompt) return { ...tokens, ids: usage.completion === ids.length ? ids : null };
  const known = { ...tokens, promptIds };
  if (usage.completion === ids.length) return known;
  // Parts of characters have no row either, so that more than the end may be missing.
  if (!ended || usage.completion !== ids.length + 1 || logprobs?.length !== ids.length) return { ...known, ids: null };
  const { eos_token } = await client.get('/props', propsSchema, signal);
  const [end, ...others] = await tokenize(client, eos_token, false, signal);
  if (end === undefined || others.length > 0) return { ...known, ids: null };
  const answer = await client.post(
    '/completion',
    {
      prompt: [...promptIds, ...ids],
      n_predict: 1,
      logit_bias: [[end, 1000]],
      n_probs: NEIGHBOURS,
      post_sampling_probs: false,
      temperature: -1,
      samplers: [],
    },
    completionSchema,
    signal,
  );
  const [row] = answer.completion_probabilities;
  // Tokens that end a generation show no text.
  const rival = row.top_logprobs.find(
    ({ id, token, logprob }) => id !== end && token === '' && row.logprob - logprob < CLEARLY,
  );
  if (row.id !== end || rival) return { ...known, ids: null };
  return { ...known, ids: [...ids, end], logprobs: [...logprobs, row.logprob] };
}

async function tokenize(
  client: JsonClient,
  content: string,
  special: boolean,
  signal?: AbortSignal,
): Promise<number[]> {
  const body = { content, add_special: special, parse_special: true };
  return (await client.post('/tokenize', body, tokensSchema, signal)).tokens;
}
