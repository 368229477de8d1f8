import type { Backend, ChatBackend } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';
import { openChat } from './chat.ts';
import { openEngineBackend } from './engine.ts';

/** Which server, as a person says it; see `ServerChoice` of the command line. */
export interface Choice {
  readonly backend: string;
  readonly url?: string | undefined;
  readonly model?: string | undefined;
  readonly apiKeyEnv?: string | undefined;
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
const SCORERS = ['engine'] as const;

/** Opens servers by name. Whoever opens closes; closing a backend ends the engine that was started for it. */
export function openServers(
  startEngine: StartEngine,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): {
  openScorer(choice: Choice): Promise<Backend>;
  openEngine(choice: Choice): Promise<{ scorer: Backend; chat: ChatBackend; close(): Promise<void> }>;
  openModel(choice: Choice): Promise<{ scorer: Backend; chat: ChatBackend; close(): Promise<void> }>;
} {
  async function connect(choice: Choice): Promise<StartedEngine> {
    checkScorer(choice.backend);
    if (choice.tokenizer !== undefined) throw ownTokenizer();
    if (choice.url === undefined) return startEngine({ modelPath: choice.model });
    const token = keyOf(choice, environment);
    return { url: choice.url, token, close: () => Promise.resolve() };
  }
  const servers: ReturnType<typeof openServers> = {
    async openScorer(choice) {
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
      const { backend: name, url = '', model = null, apiKeyEnv } = choice;
      const apiKey = apiKeyEnv === undefined ? null : (environment[apiKeyEnv]?.trim() ?? null);
      return { scorer, chat: openChat({ url, apiKey, model, name }), close: () => scorer.close() };
    },
  };
  return servers;
}

function checkScorer(name: string): void {
  if (SCORERS.some((known) => known === name)) return;
  if (CHAT_ONLY.some((known) => known === name)) {
    throw new TurnwiseError(
      'unsupported',
      'cannot_score',
      `${name} does not give log-probs of a text that one hands in, so it can chat but not score; score with --backend engine.`,
    );
  }
  throw new TurnwiseError(
    'usage',
    'unknown_backend',
    `There is no backend "${name}"; known: ${[...SCORERS].join(', ')} (and ${CHAT_ONLY.join(', ')}, which cannot score).`,
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
function keyOf({ apiKeyEnv }: Choice, environment: Readonly<Record<string, string | undefined>>): string {
  if (apiKeyEnv === undefined) {
    throw new TurnwiseError(
      'usage',
      'missing_key',
      'The engine at --url wants its token: put it into an environment variable, and name that with --api-key-env.',
    );
  }
  const key = environment[apiKeyEnv]?.trim();
  if (key) return key;
  throw new TurnwiseError(
    'usage',
    'missing_key',
    `The environment variable ${apiKeyEnv} is not set; put the engine's token into it (it stands in the token file).`,
  );
}
