import { z } from 'zod';
import type { ScorerFacts } from '../core/backend.ts';
import type { JsonClient } from './json-client.ts';
import { chooseModel } from './remote-model.ts';
import type { RemoteServer } from './remote-server.ts';
import { openScorerText, toldOf, type ScorerText, type TextRoutes } from './scorer-text.ts';
import { checkSame, probeSequence } from './self-check.ts';
import { askSglang } from './sglang-request.ts';
import { openVocabulary, type Vocabulary } from './sglang-vocabulary.ts';

const modelsSchema = z.object({
  data: z.array(z.looseObject({ id: z.string(), max_model_len: z.int().positive().nullish() })).min(1),
});
const modelInfoSchema = z.looseObject({ model_path: z.string(), is_generation: z.boolean().nullish() });
const serverInfoSchema = z.looseObject({
  version: z.string().nullish(),
  revision: z.string().nullish(),
  max_req_input_len: z.int().positive().nullish(),
  max_total_num_tokens: z.int().positive().nullish(),
  page_size: z.int().positive().nullish(),
  disable_radix_cache: z.boolean().nullish(),
  enable_deterministic_inference: z.boolean().nullish(),
  speculative_algorithm: z.string().nullish(),
});
const tokensSchema = z.object({ tokens: z.array(z.int().nonnegative()) });
const textSchema = z.object({ text: z.string() });
const textsSchema = z.object({ text: z.array(z.string()) });

/** What was learned of an SGLang at connect. */
export interface SglangConnection {
  readonly facts: ScorerFacts;
  readonly text: ScorerText;
  readonly vocabulary: Vocabulary;
}

/** Episodes side by side; SGLang batches what is asked of it at once. */
const CONCURRENCY = 4;
/** Its longest prompt is this much shorter than its context, where it does not say how long. */
const HEADROOM = 7;
const MODEST_CONTEXT = 4096;
const PROBE = 'Which one? The second, said 7 of them.';

/**
 * Connects: model, limits, text side, and one made-up text scored twice. Throws what the client throws, `unknown_model`,
 * `tokenizer_mismatch`, `template_mismatch`, `unsteady_scores`.
 */
export async function connectSglang(
  client: JsonClient,
  server: RemoteServer,
  signal?: AbortSignal,
): Promise<SglangConnection> {
  const { data } = await client.get('/v1/models', modelsSchema, signal);
  // Its scoring route takes any model's name for its own.
  const { id: model, max_model_len } = chooseModel(client.name, data, server.model);
  await client.get('/get_model_info', modelInfoSchema, signal);
  const info = await client.get('/get_server_info', serverInfoSchema, signal);
  const text = await openScorerText(server.tokenizer, textRoutes(client, model), signal);

  const probeIds = await tokenize(client, model, PROBE, signal);
  const vocabulary = openVocabulary(client.name, probeIds[0] ?? 0, async (lists, stop) => {
    const body = { model, tokens: lists, skip_special_tokens: false };
    return (await client.post('/detokenize', body, textsSchema, stop)).text;
  });
  vocabulary.learn(probeIds);
  const span = probeSequence(probeIds);
  const [once, again] = [
    await askSglang(client, vocabulary, [span], crypto.randomUUID(), signal),
    await askSglang(client, vocabulary, [span], crypto.randomUUID(), signal),
  ].map(([scores]) => scores);
  checkSame(client.name, once?.logprobs ?? [], again?.logprobs ?? [], 'twice');

  const context = Math.min(max_model_len ?? Infinity, info.max_total_num_tokens ?? Infinity);
  const reuses = info.disable_radix_cache !== true;
  return {
    text,
    vocabulary,
    facts: {
      identity: {
        id: model,
        revision: info.revision ?? null,
        tokenizer_sha: text.tokenizerSha,
        template_sha: text.templateSha,
        backend: 'sglang',
        version: info.version ?? null,
      },
      capabilities: {
        reusesPrefix: reuses,
        deterministic: info.enable_deterministic_inference === true,
        countsTokens: once?.evaluated != null,
        concurrency: CONCURRENCY,
      },
      advice: [
        ...(reuses
          ? []
          : [
              'Start SGLang without --disable-radix-cache: as it is, each masked reply costs a pass over the whole conversation.',
            ]),
        ...((info.page_size ?? 1) > 1 && reuses
          ? [`Start SGLang with --page-size 1: its cache reuses whole pages of ${info.page_size} tokens only.`]
          : []),
        ...(info.speculative_algorithm == null
          ? []
          : [
              'Start SGLang without --speculative-algorithm for chats whose log-probs are exported; scores do not depend on it.',
            ]),
      ],
      template: text.template,
      render: text.render,
      contextSize:
        info.max_req_input_len != null
          ? info.max_req_input_len - 1
          : (Number.isFinite(context) ? context : MODEST_CONTEXT) - HEADROOM,
      notice: null,
      placebo: null,
      takesAgentPrompt: true,
    },
  };
}

function textRoutes(client: JsonClient, model: string): TextRoutes {
  return {
    name: client.name,
    tokenize: (text, signal) => tokenize(client, model, text, signal),
    detokenize: async (tokens, signal) =>
      (await client.post('/detokenize', { model, tokens, skip_special_tokens: false }, textSchema, signal)).text,
    tokenizeMessages: async (messages, { addGenerationPrompt, tools, signal }) => {
      const body = { model, messages, add_generation_prompt: addGenerationPrompt, ...toldOf(tools) };
      return (await client.post('/tokenize', body, tokensSchema, signal)).tokens;
    },
    template: null,
  };
}

async function tokenize(client: JsonClient, model: string, prompt: string, signal?: AbortSignal): Promise<number[]> {
  const body = { model, prompt, add_special_tokens: false };
  return (await client.post('/tokenize', body, tokensSchema, signal)).tokens;
}
