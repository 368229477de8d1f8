import { z } from 'zod';
import type { ScorerFacts } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';
import type { JsonClient } from './json-client.ts';
import { chooseModel } from './remote-model.ts';
import type { RemoteServer } from './remote-server.ts';
import { openScorerText, toldOf, type ScorerText, type TextRoutes } from './scorer-text.ts';
import { checkSame, probeSequence } from './self-check.ts';
import { adviceOnLogprobsMode } from './vllm-logprobs-mode.ts';
import { askVllm, readVllm, type VllmAnswer } from './vllm-request.ts';

const modelsSchema = z.object({
  data: z.array(z.looseObject({ id: z.string(), max_model_len: z.int().positive().nullish() })).min(1),
});
const tokensSchema = z.object({ tokens: z.array(z.int().nonnegative()) });
const promptSchema = z.object({ prompt: z.string() });
const versionSchema = z.object({ version: z.string() });

/** What was learned of a vLLM at connect. */
export interface VllmConnection {
  readonly facts: ScorerFacts;
  readonly text: ScorerText;
  readonly model: string;
  /** The token-in route may read the cache; the other never does. */
  readonly route: 'generate' | 'completions';
  /** Whether the log-prob of a token that is made to come next is the model's own. */
  readonly forces: boolean;
}

/** Episodes side by side; vLLM batches what is asked of it at once. */
const CONCURRENCY = 4;
/** Where a server keeps its longest sequence to itself. */
const MODEST_CONTEXT = 4096;

/**
 * Connects: model, text side, routes, and one made-up text scored under two salts and through both routes. Throws what the
 * client throws, `unknown_model`, `tokenizer_mismatch`, `template_mismatch`, `logits`, `unsteady_scores`.
 */
export async function connectVllm(
  client: JsonClient,
  server: RemoteServer,
  signal?: AbortSignal,
): Promise<VllmConnection> {
  const { data } = await client.get('/v1/models', modelsSchema, signal);
  const { id: model, max_model_len } = chooseModel(client.name, data, server.model);
  const version = await client
    .get('/version', versionSchema, signal)
    .then((told) => told.version)
    .catch((thrown: unknown) => (isAbsent(thrown) ? null : rethrow(thrown)));
  const text = await openScorerText(server.tokenizer, textRoutes(client, model), signal);
  const [letters = []] = await text.tokenize(['Which one? The second, said 7 of them.'], signal);
  const onMode = await adviceOnLogprobsMode(client, model, probeSequence(letters).ids, signal);
  const { route, counts, forces } = await probe(client, model, letters, signal);
  return {
    model,
    text,
    route,
    forces,
    facts: {
      identity: {
        id: model,
        revision: null,
        tokenizer_sha: text.tokenizerSha,
        template_sha: text.templateSha,
        backend: 'vllm',
        version,
      },
      capabilities: {
        reusesPrefix: route === 'generate',
        deterministic: false,
        countsTokens: counts,
        concurrency: CONCURRENCY,
      },
      advice: [
        ...onMode,
        ...(route === 'generate'
          ? []
          : [
              'Start vLLM with --enable-scale-out: without it each masked reply costs a pass over the whole conversation, with it only what follows that reply.',
            ]),
        ...(counts
          ? []
          : [
              'Start vLLM with --enable-prompt-tokens-details, so that it tells how many tokens it took from its cache.',
            ]),
      ],
      template: text.template,
      render: text.render,
      // One more token is generated, since vLLM insists on one.
      contextSize: (max_model_len ?? MODEST_CONTEXT) - 1,
      notice: null,
      placebo: null,
      takesAgentPrompt: true,
    },
  };
}

function textRoutes(client: JsonClient, model: string): TextRoutes {
  const plain = { model, add_special_tokens: false };
  return {
    name: client.name,
    tokenize: async (prompt, signal) =>
      (await client.post('/tokenize', { ...plain, prompt }, tokensSchema, signal)).tokens,
    detokenize: async (tokens, signal) =>
      (await client.post('/detokenize', { model, tokens }, promptSchema, signal)).prompt,
    tokenizeMessages: async (messages, { addGenerationPrompt, tools, signal }) => {
      const body = { ...plain, messages, add_generation_prompt: addGenerationPrompt, ...toldOf(tools) };
      return (await client.post('/tokenize', body, tokensSchema, signal)).tokens;
    },
    template: null,
  };
}

async function probe(
  client: JsonClient,
  model: string,
  letters: readonly number[],
  signal?: AbortSignal,
): Promise<Pick<VllmConnection, 'route' | 'forces'> & { readonly counts: boolean }> {
  const span = probeSequence(letters);
  const ask = (route: VllmConnection['route']): Promise<VllmAnswer> =>
    askVllm(client, { model, ids: span.ids, salt: crypto.randomUUID(), readCache: false, route }, signal);
  const completed = await ask('completions');
  const once = readVllm(client.name, completed, span);
  const counts = completed.cached !== null;
  try {
    const generated = await ask('generate');
    checkSame(client.name, once, readVllm(client.name, generated, span), 'through two routes');
    checkSame(client.name, once, readVllm(client.name, await ask('generate'), span), 'twice');
    return { route: 'generate', counts, forces: counts && (await forcesNext(client, model, span.ids, once, signal)) };
  } catch (thrown) {
    if (!isAbsent(thrown)) throw thrown;
    checkSame(client.name, once, readVllm(client.name, await ask('completions'), span), 'twice');
    return { route: 'completions', counts, forces: false };
  }
}

/** Not so where the server was told to give log-probs after its masks, which make a forced token certain. */
async function forcesNext(
  client: JsonClient,
  model: string,
  ids: readonly number[],
  rows: readonly number[],
  signal?: AbortSignal,
): Promise<boolean> {
  const at = ids.length - 1;
  const question = { model, ids: ids.slice(0, at), salt: crypto.randomUUID(), readCache: false } as const;
  try {
    const { next } = await askVllm(client, { ...question, route: 'generate', next: ids[at] }, signal);
    return next?.id === ids[at] && Math.abs((next?.logprob ?? Number.NaN) - (rows[at - 1] ?? Number.NaN)) < 1e-3;
  } catch (thrown) {
    if (thrown instanceof TurnwiseError && thrown.reason === 'refused_request') return false;
    throw thrown;
  }
}

function isAbsent(thrown: unknown): boolean {
  return thrown instanceof TurnwiseError && thrown.reason === 'route_missing';
}

function rethrow(thrown: unknown): never {
  throw thrown;
}
