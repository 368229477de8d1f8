import type { Backend, ScoreRequest, ScoreResult, ScoreSequence } from '../core/backend.ts';
import { carriersOf, spreadRows, type Carrier } from '../core/plan/carriers.ts';
import { wavesOf } from '../core/plan/waves.ts';
import { openJsonClient, type JsonClient } from './json-client.ts';
import { learnOnce } from './learn-once.ts';
import { refuseUnfit } from './remote-model.ts';
import type { RemoteServer } from './remote-server.ts';
import { openSessionKeys } from './sessions.ts';
import { connectSglang, type SglangConnection } from './sglang-connect.ts';
import { askSglang, type SglangScores } from './sglang-request.ts';

/** Sequences in one request, and the scored tokens in them: each holds a row of logits as wide as the vocabulary. */
const BATCH = 8;
const BATCH_ROWS = 4096;

/**
 * SGLang as a scorer. It reuses cached prefixes while it scores, and its rows are right in every case that was tried; what the
 * client guards against is that a malformed request ends the whole server.
 */
export function openSglang(server: RemoteServer): Backend {
  const client = openJsonClient({ name: 'SGLang', url: server.url, key: server.apiKey, silenceMs: server.silenceMs });
  const connect = learnOnce((signal) => connectSglang(client, server, signal));
  const keyOf = openSessionKeys();

  return {
    name: 'sglang',
    facts: async (signal) => (await connect(signal)).facts,
    tokenize: async (texts, signal) => (await connect(signal)).text.tokenize(texts, signal),
    detokenize: async (ids, signal) => (await connect(signal)).text.detokenize(ids, signal),
    async score(sequences, request = {}) {
      if (sequences.length === 0) return { logprobs: [], tokensEvaluated: 0, tokensReused: 0 };
      try {
        return await score(client, await connect(request.signal), sequences, keyOf(request.session), request);
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
  { facts, vocabulary }: SglangConnection,
  sequences: readonly ScoreSequence[],
  key: string,
  { signal, onProgress }: ScoreRequest,
): Promise<ScoreResult> {
  refuseUnfit(client.name, sequences, { contextSize: facts.contextSize, vocabulary: null });
  await vocabulary.check(new Set(sequences.flatMap(({ ids }) => ids)), signal);
  const carriers = carriersOf(sequences);
  const scores = new Map<number, SglangScores>();
  let done = 0;
  for (const batch of wavesOf(carriers).flatMap((wave) => batchesOf(carriers, wave))) {
    const spans = batch.flatMap((at) => carriers[at] ?? []);
    const answers = await askSglang(client, vocabulary, spans, key, signal);
    batch.forEach((at, k) => {
      const answer = answers[k];
      if (answer) scores.set(at, answer);
    });
    done += spans.reduce((sum, { ids }) => sum + ids.length, 0);
    onProgress?.(done);
  }
  return {
    logprobs: spreadRows(sequences.length, carriers, (at, from, to) => {
      const first = carriers[at]?.from ?? 0;
      return scores.get(at)?.logprobs.slice(from - first, to - first) ?? [];
    }),
    tokensEvaluated: sumKnown([...scores.values()].map(({ evaluated }) => evaluated)),
    tokensReused: sumKnown([...scores.values()].map(({ reused }) => reused)),
  };
}

/** Parts of a wave that fit into one request each. */
function batchesOf(carriers: readonly Carrier[], wave: readonly number[]): number[][] {
  const batches: number[][] = [];
  let rows = 0;
  for (const at of wave) {
    const carrier = carriers[at];
    const own = carrier ? carrier.to - carrier.from : 0;
    const last = batches.at(-1);
    if (last && last.length < BATCH && rows + own <= BATCH_ROWS) {
      last.push(at);
      rows += own;
    } else {
      batches.push([at]);
      rows = own;
    }
  }
  return batches;
}

/** Null where one of them is: a sum of what is known would look like the whole. */
function sumKnown(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>((sum, value) => (sum === null || value === null ? null : sum + value), 0);
}
