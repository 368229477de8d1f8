import type { Backend, ChatBackend } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';
import { SCORER_KINDS, type ScorerKind } from '../core/scorer-kind.ts';
import { openChat } from './chat.ts';
import { openEngineBackend } from './engine.ts';
import { fetchTokenizer, isTokenizerReference } from './fetch-tokenizer.ts';
import { openLlamaServer } from './llama-server.ts';
import { openCompletions } from './openai-completions.ts';
import type { RemoteServer } from './remote-server.ts';
import { openSglang } from './sglang.ts';
import { openVllm } from './vllm.ts';

/** Which server, as a person says it; see `ServerChoice` of the command line. */
export interface Choice {
  readonly backend: string;
  readonly url?: string | undefined;
  readonly model?: string | undefined;
  readonly apiKeyEnv?: string | undefined;
  /** A folder, or `hf:owner/name`, which is fetched: whoever names one has agreed to that. */
  readonly tokenizer?: string | undefined;
}

/** A local engine that runs, as far as this zone needs to know it. */
export interface StartedEngine {
  readonly url: string;
  readonly token: string;
  close(): Promise<void>;
}

/** Starts the local engine; without a path, on the bundled model. Given by the root: processes are not this zone's business. */
export type StartEngine = (options: { readonly modelPath?: string | undefined }) => Promise<StartedEngine>;

/** Servers that can only chat: they do not give log-probs of given tokens. */
const CHAT_ONLY = ['openai', 'ollama', 'lmstudio'] as const;
const REMOTE: Readonly<Record<Exclude<ScorerKind, 'engine'>, (server: RemoteServer) => Backend>> = {
  vllm: openVllm,
  sglang: openSglang,
  'llama-server': openLlamaServer,
  'openai-completions': openCompletions,
};

/** Opens servers by name. Whoever opens closes; closing a backend ends the engine that was started for it. */
export function openServers(
  startEngine: StartEngine,
  environment: Readonly<Record<string, string | undefined>>,
  tokenizerCache: string,
): {
  openScorer(choice: Choice): Promise<Backend>;
  openEngine(choice: Choice): Promise<{ scorer: Backend; chat: ChatBackend; close(): Promise<void> }>;
  openModel(choice: Choice): Promise<{ scorer: Backend; chat: ChatBackend; close(): Promise<void> }>;
} {
  async function connect(choice: Choice): Promise<StartedEngine> {
    if (scorerKind(choice.backend) !== 'engine') throw engineOnly(choice.backend);
    if (choice.tokenizer !== undefined) throw ownTokenizer();
    if (choice.url === undefined) return startEngine({ modelPath: choice.model });
    const token = keyOf(choice, environment);
    if (token === null) throw missingToken();
    return { url: choice.url, token, close: () => Promise.resolve() };
  }
  const servers: ReturnType<typeof openServers> = {
    async openScorer(choice) {
      const kind = scorerKind(choice.backend);
      if (kind !== 'engine') return REMOTE[kind](await remoteServer(kind, choice, environment, tokenizerCache));
      const engine = await connect(choice);
      return { ...openEngineBackend(engine), close: () => engine.close() };
    },
    async openEngine(choice) {
      const engine = await connect(choice);
      return {
        scorer: openEngineBackend(engine),
        chat: openChat({ url: engine.url, apiKey: engine.token, model: null, name: 'engine' }),
        close: () => engine.close(),
      };
    },
    async openModel(choice) {
      if (choice.backend === 'engine') return servers.openEngine(choice);
      const scorer = await servers.openScorer(choice);
      const { backend: name, url = '', model = null } = choice;
      const chat = openChat({ url, apiKey: keyOf(choice, environment), model, name });
      return { scorer, chat, close: () => scorer.close() };
    },
  };
  return servers;
}

/** What a remote kind needs to be opened; nothing is asked of the server yet. */
async function remoteServer(
  kind: string,
  choice: Choice,
  environment: Readonly<Record<string, string | undefined>>,
  tokenizerCache: string,
): Promise<RemoteServer> {
  const { url, model = null, tokenizer = null } = choice;
  if (url === undefined || !/^https?:\/\//.test(url)) {
    throw new TurnwiseError(
      'usage',
      'missing_url',
      `A ${kind} is not started here; say where it runs with --url http://HOST:PORT.`,
    );
  }
  const apiKey = keyOf(choice, environment);
  const fetched = tokenizer !== null && isTokenizerReference(tokenizer);
  const cache = { folder: tokenizerCache, baseUrl: environment['HF_ENDPOINT'] };
  return { url, model, apiKey, tokenizer: fetched ? await fetchTokenizer(tokenizer, cache) : tokenizer };
}

/** Throws `unsupported`/`cannot_score` for a server that only chats, `usage`/`unknown_backend` for a name that nothing has. */
function scorerKind(name: string): ScorerKind {
  const kind = SCORER_KINDS.find((known) => known === name);
  if (kind !== undefined) return kind;
  if (name === 'none' || CHAT_ONLY.some((known) => known === name)) {
    throw new TurnwiseError(
      'unsupported',
      'cannot_score',
      `${name === 'none' ? 'This server' : name} does not give log-probs of a text that one hands in, so it can chat but not score; score with the engine, or with one of ${remoteKinds()}.`,
    );
  }
  throw new TurnwiseError(
    'usage',
    'unknown_backend',
    `There is no backend "${name}"; known: ${SCORER_KINDS.join(', ')} (and ${CHAT_ONLY.join(', ')}, which cannot score).`,
  );
}

function remoteKinds(): string {
  return Object.keys(REMOTE).join(', ');
}

function engineOnly(name: string): TurnwiseError {
  return new TurnwiseError(
    'unsupported',
    'engine_only',
    `This is done on the local engine alone, not on ${name}; leave --backend out.`,
  );
}

/** A second tokenizer beside the model's own could only disagree. */
function ownTokenizer(): TurnwiseError {
  return new TurnwiseError(
    'usage',
    'tokenizer_not_wanted',
    'The engine takes the tokenizer from the model itself; leave --tokenizer out.',
  );
}

/** The engine lets nobody in without its token. */
function missingToken(): TurnwiseError {
  return new TurnwiseError(
    'usage',
    'missing_key',
    'The engine at --url wants its token: put it into an environment variable, and name that with --api-key-env.',
  );
}

/** Null where no key was named; one that was named must be there. */
function keyOf({ apiKeyEnv }: Choice, environment: Readonly<Record<string, string | undefined>>): string | null {
  if (apiKeyEnv === undefined) return null;
  const key = environment[apiKeyEnv]?.trim();
  if (key) return key;
  throw new TurnwiseError(
    'usage',
    'missing_key',
    `The environment variable ${apiKeyEnv} is not set; put the server's key into it (an engine's stands in its token file).`,
  );
}
