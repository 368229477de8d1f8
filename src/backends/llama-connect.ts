import { z } from 'zod';
import type { ScorerFacts } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';
import type { Message } from '../core/message.ts';
import { renderChat } from '../core/render-chat.ts';
import type { JsonClient } from './json-client.ts';
import { scoreForced, type ForcedServer } from './llama-request.ts';
import type { TokenKind } from './llama-segments.ts';
import { chooseModel } from './remote-model.ts';
import type { RemoteServer } from './remote-server.ts';
import { openScorerText, type ScorerText, type TextRoutes } from './scorer-text.ts';
import { checkSame, probeSequence } from './self-check.ts';

const modelsSchema = z.object({
  data: z
    .array(
      z.looseObject({
        id: z.string(),
        aliases: z.array(z.string()).nullish().catch(null),
        meta: z.looseObject({ n_vocab: z.int().positive().nullish() }).nullish().catch(null),
      }),
    )
    .min(1),
});
const propsSchema = z.looseObject({
  default_generation_settings: z.looseObject({
    n_ctx: z.int().positive(),
    params: z.looseObject({ 'speculative.types': z.string().nullish().catch(null) }).nullish(),
  }),
  total_slots: z.int().positive(),
  chat_template: z.string().nullish(),
  bos_token: z.string().nullish(),
  eos_token: z.string().nullish(),
  build_info: z.string().nullish(),
});
const tokensSchema = z.object({ tokens: z.array(z.int().nonnegative()) });
const contentSchema = z.object({ content: z.string() });
const promptSchema = z.object({ prompt: z.string() });

/** What was learned of a llama-server at connect. */
export interface LlamaConnection {
  readonly facts: ScorerFacts;
  readonly text: ScorerText;
  readonly forced: ForcedServer;
  /** Finds out how each of these tokens can be forced; to be called before it is scored. */
  readonly classify: (ids: Iterable<number>, signal?: AbortSignal) => Promise<void>;
}

/** What llama.cpp takes for the end of a generation, whatever a model's own settings name. */
const ENDINGS: ReadonlySet<string> = new Set([
  ...[
    '<|im_end|>',
    '<|endoftext|>',
    '<|eot_id|>',
    '<|eom_id|>',
    '<|end_of_text|>',
    '<|end|>',
    '<|return|>',
    '<|call|>',
  ],
  ...[
    '<end_of_turn>',
    '<eos>',
    '</s>',
    '<|EOT|>',
    '<EOT>',
    '_<EOT>',
    '[EOT]',
    '[EOS]',
    '< EOT >',
    '<|END_OF_TURN_TOKEN|>',
  ],
  ...['<|end▁of▁sentence|>', '<｜end▁of▁sentence｜>', '<end_of_utterance>', '<turn|>', '<|eom|>', '<|endofturn|>'],
]);
const PROBE = 'Which one? The second, said 7 of them.';
const PROBE_TALK: readonly Message[] = [
  { role: 'user', content: 'Round a list of prices, please.' },
  { role: 'assistant', content: 'To how many decimals?\nA) none\nB) two' },
  { role: 'user', content: 'two, 変数 and 👍' },
];
/** Texts of tokens asked for at once. */
const AT_ONCE = 16;

/**
 * Connects: model, slots, text side, and one made-up text scored twice. Throws what the client throws, `unknown_model`,
 * `no_template`, `tokenizer_mismatch`, `template_mismatch`, `unsteady_scores`, and what `scoreForced` throws.
 */
export async function connectLlamaServer(
  client: JsonClient,
  server: RemoteServer,
  signal?: AbortSignal,
): Promise<LlamaConnection> {
  const { data } = await client.get('/v1/models', modelsSchema, signal);
  const named = data.find(({ aliases }) => server.model !== null && aliases?.includes(server.model));
  const { id: model, meta } = named ?? chooseModel(client.name, data, server.model);
  const props = await client.get('/props', propsSchema, signal);
  const text = await openScorerText(server.tokenizer, textRoutes(client, props), signal);
  await checkTemplate(client, text, signal);

  const kinds = new Map<number, TokenKind>();
  const endings = new Set([...ENDINGS, ...text.template.endOfTurn, props.eos_token ?? '']);
  const forced: ForcedServer = {
    client,
    model,
    ending: await findEnding(client, text, props.eos_token ?? null, signal),
    vocabulary: meta?.n_vocab ?? null,
    kindOf: (id) => kinds.get(id) ?? 'plain',
    noteEnding: (id) => kinds.set(id, 'ending'),
  };
  const classify = async (ids: Iterable<number>, stop?: AbortSignal): Promise<void> => {
    const unknown = [...new Set(ids)].filter((id) => !kinds.has(id));
    for (let at = 0; at < unknown.length; at += AT_ONCE) {
      await Promise.all(
        unknown.slice(at, at + AT_ONCE).map(async (id) => {
          const shown = await detokenize(client, [id], stop);
          kinds.set(id, endings.has(shown.trim()) ? 'ending' : shown.includes('\ufffd') ? 'partial' : 'plain');
        }),
      );
    }
  };

  const span = probeSequence(await tokenize(client, PROBE, signal));
  await classify(span.ids, signal);
  const once = await scoreForced(forced, span.ids, span, { slot: 0, reuse: false }, signal);
  const again = await scoreForced(forced, span.ids, span, { slot: 0, reuse: false }, signal);
  checkSame(client.name, once.logprobs, again.logprobs, 'twice');

  const { n_ctx, params } = props.default_generation_settings;
  const drafts = params?.['speculative.types'] ?? 'none';
  return {
    text,
    forced,
    classify,
    facts: {
      identity: {
        id: model,
        revision: null,
        tokenizer_sha: text.tokenizerSha,
        template_sha: text.templateSha,
        backend: 'llama-server',
        version: props.build_info ?? null,
      },
      capabilities: {
        reusesPrefix: true,
        deterministic: false,
        countsTokens: once.evaluated !== null,
        // One slot stays free for a chat, where there are several.
        concurrency: Math.max(1, props.total_slots - 1),
      },
      advice: [
        'llama-server gives no log-probs of a prompt, so every scored token is generated anew; the local engine scores the same model file faster and exactly (--backend engine --model FILE).',
        ...(props.total_slots === 1
          ? ['Start llama-server with --parallel 2, so that scoring does not wait for a chat, nor a chat for scoring.']
          : []),
        ...(drafts === 'none' || drafts === ''
          ? []
          : ['Start llama-server without a draft model: with speculative decoding its log-probs are no numbers.']),
      ],
      template: text.template,
      render: text.render,
      contextSize: n_ctx - 1,
      notice: null,
      placebo: null,
      takesAgentPrompt: true,
    },
  };
}

function textRoutes(client: JsonClient, props: z.infer<typeof propsSchema>): TextRoutes {
  const { chat_template: source, bos_token, eos_token } = props;
  return {
    name: client.name,
    tokenize: (text, signal) => tokenize(client, text, signal),
    detokenize: (ids, signal) => detokenize(client, ids, signal),
    // Its own rendering leaves out the end of a conversation that an agent's message ends; see `checkTemplate`.
    tokenizeMessages: null,
    template:
      source == null || source === ''
        ? null
        : { source, endOfTurn: [], bosToken: bos_token ?? null, eosToken: eos_token ?? null },
  };
}

/** Holds what we render against what the server would have rendered for a chat. */
async function checkTemplate(client: JsonClient, text: ScorerText, signal?: AbortSignal): Promise<void> {
  const { prompt } = await client.post('/apply-template', { messages: PROBE_TALK }, promptSchema, signal);
  const rendered = renderChat(text.template, PROBE_TALK, { addGenerationPrompt: true });
  const [ours = [], theirs = []] = await Promise.all([rendered, prompt].map((one) => tokenize(client, one, signal)));
  if (ours.length === theirs.length && ours.every((id, at) => id === theirs[at])) return;
  throw new TurnwiseError(
    'unsupported',
    'template_mismatch',
    `${client.name} renders a conversation into other token ids than the chat template that was given for it; start it with --jinja, or name the folder of the model that it serves with --tokenizer, or in the profile.`,
  );
}

async function findEnding(
  client: JsonClient,
  text: ScorerText,
  eos: string | null,
  signal?: AbortSignal,
): Promise<number> {
  for (const candidate of [...text.template.endOfTurn, ...(eos === null ? [] : [eos]), '\n', ' ']) {
    const ids = await tokenize(client, candidate, signal);
    if (ids.length === 1 && ids[0] !== undefined) return ids[0];
  }
  throw client.protocolError('no_end_token', 'no token that ends a turn');
}

async function tokenize(client: JsonClient, content: string, signal?: AbortSignal): Promise<number[]> {
  const body = { content, add_special: false, parse_special: true };
  return (await client.post('/tokenize', body, tokensSchema, signal)).tokens;
}

async function detokenize(client: JsonClient, tokens: readonly number[], signal?: AbortSignal): Promise<string> {
  return (await client.post('/detokenize', { tokens }, contentSchema, signal)).content;
}
