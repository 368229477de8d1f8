import type { Backend, ScoreRequest, ScoreResult, ScoreSequence } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';
import { carriersOf, spreadRows } from '../core/plan/carriers.ts';
import { connectEcho, type EchoConnection } from './echo-connect.ts';
import { askEcho, readEcho, type Echo } from './echo-request.ts';
import { inParallel } from './in-parallel.ts';
import { openJsonClient, type JsonClient } from './json-client.ts';
import { learnOnce } from './learn-once.ts';
import { refuseUnfit } from './remote-model.ts';
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
  const connect = learnOnce((signal) => connectEcho(client, server, signal));

  return {
    name: 'openai-completions',
    facts: async (signal) => (await connect(signal)).facts,
    tokenize: async (texts, signal) => (await connect(signal)).text.tokenize(texts, signal),
    detokenize: async (ids, signal) => (await connect(signal)).text.detokenize(ids, signal),
    async score(sequences, request = {}) {
      if (sequences.length === 0) return { logprobs: [], tokensEvaluated: 0, tokensReused: 0 };
      try {
        return await score(client, await connect(request.signal), sequences, request);
      } catch (thrown) {
        connect.failed(thrown);
        throw thrown;
      }
    },
    close: () => Promise.resolve(),
  };
}

async function score(
  client: JsonClient,
  { facts, mode, model, text, textsOf }: EchoConnection,
  sequences: readonly ScoreSequence[],
  { signal, onProgress }: ScoreRequest,
): Promise<ScoreResult> {
  refuseUnfit(client.name, sequences, { contextSize: facts.contextSize, vocabulary: null });
  const carriers = carriersOf(sequences);
  const answers = new Map<number, { readonly logprobs: readonly number[]; readonly echo: Echo }>();
  let done = 0;
  const width = carriers.some(({ ids }) => ids.length > LONG_PROMPT) ? 1 : AT_ONCE;
  await inParallel(width, [...carriers.entries()], async ([at, carrier]) => {
    const prompt = mode.prompt === 'ids' ? carrier.ids : await asText(text, carrier.ids, signal);
    const echo = await askEcho(client, model, prompt, mode.maxTokens, signal);
    const texts = echo.ids ? [] : await textsOf(carrier.ids, signal);
    answers.set(at, { echo, logprobs: readEcho(client.name, echo, { ...carrier, texts }, mode.maxTokens) });
    done += carrier.ids.length;
    onProgress?.(done);
  });
  return {
    logprobs: spreadRows(sequences.length, carriers, (at, from, to) => {
      const first = carriers[at]?.from ?? 0;
      return answers.get(at)?.logprobs.slice(from - first, to - first) ?? [];
    }),
    tokensEvaluated: sumKnown([...answers.values()].map(({ echo }) => echo.evaluated)),
    tokensReused: sumKnown([...answers.values()].map(({ echo }) => echo.reused)),
  };
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

/** Null where one of them is: a sum of what is known would look like the whole. */
function sumKnown(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>((sum, value) => (sum === null || value === null ? null : sum + value), 0);
}
