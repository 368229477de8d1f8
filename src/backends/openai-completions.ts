import type { Backend } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';
import { inParallel } from '../core/in-parallel.ts';
import { connectEcho, type EchoConnection } from './echo-connect.ts';
import { askEcho, readEcho } from './echo-request.ts';
import { openJsonClient, type JsonClient } from './json-client.ts';
import { openRemoteScorer, type ScoringRun } from './remote-scorer.ts';
import type { RemoteServer } from './remote-server.ts';

/** Requests in flight at once; each holds its prompt's logits while they are sorted, so long prompts go alone. */
const AT_ONCE = 4;
const LONG_PROMPT = 16_384;

/**
 * Any server whose `/v1/completions` knows `echo` with `logprobs`. It computes every sequence from its first token; one that is the
 * beginning of another needs no request of its own.
 */
export function openCompletions(server: RemoteServer): Backend {
  const client = openJsonClient({
    name: 'The completions server',
    url: server.url,
    key: server.apiKey,
    silenceMs: server.silenceMs,
  });
  return openRemoteScorer({
    kind: 'openai-completions',
    name: client.name,
    connect: (signal) => connectEcho(client, server, signal),
    score: (connection, run) => score(client, connection, run),
  });
}

async function score(
  client: JsonClient,
  { mode, model, text, textsOf }: EchoConnection,
  { carriers, scored, signal }: ScoringRun,
): Promise<void> {
  const width = carriers.some(({ ids }) => ids.length > LONG_PROMPT) ? 1 : AT_ONCE;
  await inParallel(carriers, { width, signal }, async (carrier, mine, at) => {
    const prompt = mode.prompt === 'ids' ? carrier.ids : await asText(text, carrier.ids, mine);
    const echo = await askEcho(client, model, prompt, mode.maxTokens, mine);
    const texts = echo.ids ? [] : await textsOf(carrier.ids, mine);
    const logprobs = readEcho(client.name, echo, { ...carrier, texts }, mode.maxTokens);
    scored(at, { logprobs, evaluated: echo.evaluated, reused: echo.reused });
  });
}

/** A server that takes texts alone tokenises them again; where that gives other ids, a score would be about another history. */
async function asText(text: EchoConnection['text'], ids: readonly number[], signal?: AbortSignal): Promise<string> {
  const prompt = await text.detokenize(ids, signal);
  const [again = []] = await text.tokenize([prompt], signal);
  if (again.length === ids.length && again.every((id, at) => id === ids[at])) return prompt;
  throw new TurnwiseError(
    'unsupported',
    'tokenizer_mismatch',
    'The completions server takes texts alone, and this history comes back from its tokenizer as other token ids; use a server that takes token ids, or the natural mask.',
  );
}
