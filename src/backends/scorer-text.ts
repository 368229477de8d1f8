import type { ChatTemplate, RenderConversation, ToolDefinition } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';
import type { Message } from '../core/message.ts';
import { rendererOf } from '../core/template.ts';
import { sha256Text } from '../core/sha.ts';
import { wireTool } from '../core/tools.ts';
import { readTokenizerFolder } from './tokenizer-folder.ts';

/** How a remote scorer turns texts into ids and back, and conversations into texts. */
export interface ScorerText {
  readonly template: ChatTemplate;
  /** Null where the template renders here; see `ScorerFacts.render`. */
  readonly render: RenderConversation | null;
  readonly tokenizerSha: string | null;
  readonly templateSha: string | null;
  /** Token ids of each text, special tokens recognised, nothing added in front or behind. */
  tokenize(texts: readonly string[], signal?: AbortSignal): Promise<number[][]>;
  detokenize(ids: readonly number[], signal?: AbortSignal): Promise<string>;
}

export type TokenizeMessages = (
  messages: readonly Message[],
  options: {
    readonly addGenerationPrompt: boolean;
    readonly signal?: AbortSignal | undefined;
    readonly tools?: readonly ToolDefinition[] | undefined;
  },
) => Promise<number[]>;

/** What a server itself offers about its tokenizer; a route that it lacks is null. */
export interface TextRoutes {
  /** What the server is called in sentences. */
  readonly name: string;
  tokenize(text: string, signal?: AbortSignal): Promise<number[]>;
  detokenize(ids: readonly number[], signal?: AbortSignal): Promise<string>;
  /** Ids of a conversation as its own chat route would render it. */
  readonly tokenizeMessages: TokenizeMessages | null;
  /** The chat template, where the server tells it. */
  readonly template: ChatTemplate | null;
}

/** The key of a request that tells a server of tools, where there are any. */
export function toldOf(tools: readonly ToolDefinition[] = []): { readonly tools?: readonly unknown[] } {
  return tools.length === 0 ? {} : { tools: tools.map(wireTool) };
}

/** Texts in flight at once while the server tokenises. */
const AT_ONCE = 8;

/**
 * The text side of a scorer: a folder's tokenizer and template, else the server's own routes. Either way its ids are compared
 * with what the server makes of the same texts. Throws `tokenizer_mismatch` and `template_mismatch` where they differ,
 * `no_template` where nobody can render a conversation, and what the routes throw.
 */
export async function openScorerText(
  folder: string | null,
  routes: TextRoutes,
  signal?: AbortSignal,
): Promise<ScorerText> {
  const text = folder === null ? ofServer(routes) : { ...(await readTokenizerFolder(folder)), render: null };
  await checkTokenizer(text, routes, signal);
  await checkTemplate(text, routes, signal);
  if (text.template.endOfTurn.length > 0) return text;
  return { ...text, template: { ...text.template, endOfTurn: await findEndOfTurn(text, signal) } };
}

function ofServer(routes: TextRoutes): ScorerText {
  const { tokenizeMessages } = routes;
  const known = new Map<string, number[]>();
  return {
    template: routes.template ?? { source: '', endOfTurn: [], bosToken: null, eosToken: null },
    render:
      routes.template !== null
        ? null
        : async (messages, options) => {
            if (tokenizeMessages === null) throw noTemplate(routes.name);
            return routes.detokenize(await tokenizeMessages(messages, options), options.signal);
          },
    tokenizerSha: null,
    templateSha: routes.template === null ? null : sha256Text(routes.template.source),
    tokenize: async (texts, signal) => {
      const missing = [...new Set(texts)].filter((one) => one !== '' && !known.has(one));
      // What is tokenised twice in a row are the pieces of one conversation; older ones need not be kept.
      if (known.size > 4096) known.clear();
      for (let at = 0; at < missing.length; at += AT_ONCE) {
        await Promise.all(
          missing.slice(at, at + AT_ONCE).map(async (one) => known.set(one, await routes.tokenize(one, signal))),
        );
      }
      return texts.map((one) => known.get(one) ?? []);
    },
    detokenize: async (ids, signal) => (ids.length === 0 ? '' : routes.detokenize(ids, signal)),
  };
}

/** Letters, digits, code, marks, scripts and signs that tokenizers disagree on. */
const PROBE_TEXT = 'def f(x):\n    return x ** 2  # größer, 変数 λ, 👩‍💻🏽\r\n\tprice = 1234.50 €';
const PROBE_TALK: readonly Message[] = [
  { role: 'user', content: 'Round a list of prices, please.' },
  { role: 'assistant', content: 'To how many decimals?\nA) none\nB) two' },
  { role: 'user', content: 'two, 変数 and 👍' },
];

async function checkTokenizer(text: ScorerText, routes: TextRoutes, signal?: AbortSignal): Promise<void> {
  const [ours = []] = await text.tokenize([PROBE_TEXT], signal);
  const theirs = await routes.tokenize(PROBE_TEXT, signal);
  // A tokenizer of another model may not even have the server's ids.
  if (sameIds(ours, theirs) && (await text.detokenize(theirs, signal)) === PROBE_TEXT) return;
  throw new TurnwiseError(
    'unsupported',
    'tokenizer_mismatch',
    `${routes.name} turns text into other token ids than the tokenizer that was given for it; name the folder of the model that it serves with --tokenizer (or in the profile), name none to use the server's own, or start the server with this one.`,
  );
}

async function checkTemplate(text: ScorerText, routes: TextRoutes, signal?: AbortSignal): Promise<void> {
  const { tokenizeMessages } = routes;
  if (tokenizeMessages === null) {
    if (text.render !== null) throw noTemplate(routes.name);
    return;
  }
  const render = rendererOf(text);
  for (const addGenerationPrompt of [true, false]) {
    const messages = addGenerationPrompt ? PROBE_TALK : PROBE_TALK.slice(0, 2);
    const rendered = await render(messages, { addGenerationPrompt, signal });
    const [ours = []] = await text.tokenize([rendered], signal);
    if (sameIds(ours, await tokenizeMessages(messages, { addGenerationPrompt, signal }))) continue;
    throw new TurnwiseError(
      'unsupported',
      'template_mismatch',
      `${routes.name} renders a conversation into other token ids than the chat template that was given for it; name the folder of the model that it serves with --tokenizer (or in the profile), name none to use the server's own, or start it with the same --chat-template.`,
    );
  }
}

/** The token that ends an agent's message, where no configuration names it: the first one behind its text. */
async function findEndOfTurn(text: ScorerText, signal?: AbortSignal): Promise<string[]> {
  const messages = PROBE_TALK.slice(0, 2);
  const rendered = await rendererOf(text)(messages, { addGenerationPrompt: false, signal });
  const said = messages[1]?.content ?? '';
  const at = rendered.lastIndexOf(said);
  const [tail = []] = await text.tokenize([at < 0 ? '' : rendered.slice(at + said.length).trimStart()], signal);
  const end = tail[0] === undefined ? '' : await text.detokenize([tail[0]], signal);
  return end.trim() === '' ? [] : [end];
}

function noTemplate(name: string): TurnwiseError {
  return new TurnwiseError(
    'unsupported',
    'no_template',
    `${name} does not say how it renders a conversation; name the folder of its tokenizer with --tokenizer, or in the profile.`,
  );
}

function sameIds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at]);
}
