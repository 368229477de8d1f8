import { z } from 'zod';
import type { ScorerFacts } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';
import { rowError } from './check-scores.ts';
import { askEcho, ECHO_MODES, readEcho, sameText, type EchoMode } from './echo-request.ts';
import type { JsonClient } from './json-client.ts';
import { chooseModel } from './remote-model.ts';
import type { RemoteServer } from './remote-server.ts';
import { openScorerText, toldOf, type ScorerText, type TextRoutes } from './scorer-text.ts';
import { checkSame, probeSequence } from './self-check.ts';
import { readTokenizerFolder } from './tokenizer-folder.ts';

const length = z.int().positive().nullish().catch(null);
const modelsSchema = z.object({
  data: z.array(z.looseObject({ id: z.string(), max_model_len: length, context_length: length })),
});
const tokensSchema = z.object({ tokens: z.array(z.int().nonnegative()) });
const textSchema = z.union([
  z.object({ prompt: z.string() }).transform(({ prompt }) => prompt),
  z.object({ text: z.string() }).transform(({ text }) => text),
]);

/** What was learned of a server at connect. */
export interface EchoConnection {
  readonly facts: ScorerFacts;
  readonly text: ScorerText;
  readonly model: string;
  readonly mode: EchoMode;
  /** Texts of single tokens, by id. */
  readonly textsOf: (ids: readonly number[], signal?: AbortSignal) => Promise<string[]>;
}

const CONCURRENCY = 2;
const MODEST_CONTEXT = 4096;
const PROBE = 'Which one? The second, said 7 of them.';
/** Token texts asked for at once. */
const AT_ONCE = 8;

/**
 * Connects: model, text side, and one made-up text scored twice in the first way that the server takes. Throws what the client
 * throws, `unknown_model`, `echo_ignored`, `no_template`, `tokenizer_mismatch`, `template_mismatch`, `unsteady_scores`.
 */
export async function connectEcho(
  client: JsonClient,
  server: RemoteServer,
  signal?: AbortSignal,
): Promise<EchoConnection> {
  const listed = await client.get('/v1/models', modelsSchema, signal).catch((thrown: unknown) => {
    if (server.model !== null && isAbsent(thrown)) return { data: [{ id: server.model }] };
    throw thrown;
  });
  const model: z.infer<typeof modelsSchema>['data'][0] = chooseModel(client.name, listed.data, server.model);
  // Before anything else is asked of whoever gives it: where the echo is ignored nothing can be scored.
  await askEcho(client, model.id, PROBE, 1, signal);
  const routes = await textRoutes(client, model.id, server.tokenizer, signal);
  const text = await openScorerText(server.tokenizer, routes, signal);

  const shown = new Map<number, string>();
  const textsOf = async (ids: readonly number[], stop?: AbortSignal): Promise<string[]> => {
    const missing = [...new Set(ids)].filter((id) => !shown.has(id));
    for (let at = 0; at < missing.length; at += AT_ONCE) {
      const some = missing.slice(at, at + AT_ONCE);
      await Promise.all(some.map(async (id) => shown.set(id, await text.detokenize([id], stop))));
    }
    return ids.map((id) => shown.get(id) ?? '');
  };

  const [letters = []] = await text.tokenize([PROBE], signal);
  const { mode, logprobs, counts } = await findMode();

  async function findMode(): Promise<{ mode: EchoMode; logprobs: number[][]; counts: boolean }> {
    let refusal: unknown;
    for (const candidate of ECHO_MODES) {
      // As text the probe must come back as the same ids.
      const span = candidate.prompt === 'ids' ? probeSequence(letters) : { ids: letters, from: 1, to: letters.length };
      const texts = await textsOf(span.ids, signal);
      const prompt = candidate.prompt === 'ids' ? span.ids : PROBE;
      try {
        const echoes = [
          await askEcho(client, model.id, prompt, candidate.maxTokens, signal),
          await askEcho(client, model.id, prompt, candidate.maxTokens, signal),
        ];
        const strange = echoes[0]?.tokens.filter((token, at) => !sameText(token, texts[at] ?? '')).length ?? 0;
        if (echoes[0]?.ids === null && strange > span.ids.length / 2) throw otherTokenizer(client.name);
        return {
          mode: candidate,
          logprobs: echoes.map((echo) => readEcho(client.name, echo, { ...span, texts }, candidate.maxTokens)),
          counts: echoes.every(({ evaluated }) => evaluated !== null),
        };
      } catch (thrown) {
        if (!(thrown instanceof TurnwiseError) || thrown.reason !== 'refused_request') throw thrown;
        refusal ??= thrown;
      }
    }
    throw refusal;
  }
  checkSame(client.name, logprobs[0] ?? [], logprobs[1] ?? [], 'twice');

  const context = model.max_model_len ?? model.context_length ?? MODEST_CONTEXT;
  return {
    text,
    model: model.id,
    mode,
    textsOf,
    facts: {
      identity: {
        id: model.id,
        revision: null,
        tokenizer_sha: text.tokenizerSha,
        template_sha: text.templateSha,
        backend: 'openai-completions',
        version: null,
      },
      capabilities: { reusesPrefix: false, deterministic: false, countsTokens: counts, concurrency: CONCURRENCY },
      advice: [
        'Through "echo" each masked reply costs a pass over the whole conversation; where you can choose the server, vLLM with --enable-scale-out or SGLang reuse what is common.',
        ...(mode.prompt === 'ids'
          ? []
          : [
              'This server takes texts alone, so what it reads otherwise than it was masked cannot be scored; one that takes token ids as a prompt scores all of it.',
            ]),
      ],
      template: text.template,
      render: text.render,
      // vLLM counts a token to be generated also where none is asked for.
      contextSize: context - 1,
      notice: null,
      placebo: null,
      takesAgentPrompt: true,
    },
  };
}

/** Its own routes for tokens, as vLLM and SGLang have them; else what its echo shows of its tokenizer. */
async function textRoutes(
  client: JsonClient,
  model: string,
  folder: string | null,
  signal?: AbortSignal,
): Promise<TextRoutes> {
  const tokenize = async (prompt: string, stop?: AbortSignal): Promise<number[]> =>
    (await client.post('/tokenize', { model, prompt, add_special_tokens: false }, tokensSchema, stop)).tokens;
  try {
    // Others have a route of that name, and overlook what they do not know.
    if ((await tokenize('x', signal)).length === 0) throw client.protocolError('malformed_answer', 'no tokens');
    return {
      name: client.name,
      tokenize,
      detokenize: (tokens, stop) =>
        client.post('/detokenize', { model, tokens, skip_special_tokens: false }, textSchema, stop),
      tokenizeMessages: async (messages, { addGenerationPrompt, tools, signal: stop }) => {
        const talk = { messages, add_generation_prompt: addGenerationPrompt, ...toldOf(tools) };
        const body = { model, ...talk, add_special_tokens: false };
        return (await client.post('/tokenize', body, tokensSchema, stop)).tokens;
      },
      template: null,
    };
  } catch (thrown) {
    if (!isAbsent(thrown) && !(thrown instanceof TurnwiseError && thrown.reason === 'malformed_answer')) throw thrown;
  }
  if (folder === null) {
    throw new TurnwiseError(
      'unsupported',
      'no_template',
      `${client.name} says neither how it tokenises nor how it renders a conversation; name the folder of its tokenizer with --tokenizer, or in the profile.`,
    );
  }
  const ours = await readTokenizerFolder(folder);
  return {
    name: client.name,
    async tokenize(text, stop) {
      const echo = await askEcho(client, model, text, 1, stop);
      if (echo.ids) return echo.ids.slice(0, -1);
      const [ids = []] = await ours.tokenize([text]);
      const pieces = await Promise.all(ids.map((id) => ours.detokenize([id])));
      if (echo.logprobs[0] !== null) {
        throw rowError(client.name, 'missing_first_row', 'a log-prob for a token that nothing precedes');
      }
      // The generated token stands behind, unless it ended the text at once.
      const wrong = pieces.filter((piece, at) => !sameText(echo.tokens[at] ?? '', piece)).length;
      const surplus = echo.tokens.length - pieces.length;
      if (wrong === 0 && (surplus === 0 || surplus === 1)) return ids;
      // Another tokenizer cuts everywhere; a single odd token is a fault.
      if (wrong <= 2 && surplus >= 0 && surplus <= 1) {
        throw rowError(client.name, 'wrong_token_row', 'another token than the one that stands there');
      }
      return [];
    },
    detokenize: (ids) => ours.detokenize(ids),
    tokenizeMessages: null,
    template: ours.template,
  };
}

function otherTokenizer(name: string): TurnwiseError {
  return new TurnwiseError(
    'unsupported',
    'tokenizer_mismatch',
    `${name} reads token ids as other texts than the tokenizer that was given for it; name the folder of the model that it serves with --tokenizer, or in the profile.`,
  );
}

function isAbsent(thrown: unknown): boolean {
  return thrown instanceof TurnwiseError && thrown.reason === 'route_missing';
}
