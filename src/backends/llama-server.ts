import type { Backend, ScoreRequest, ScoreResult, ScoreSequence } from '../core/backend.ts';
import { carriersOf, spreadRows } from '../core/plan/carriers.ts';
import { nearestOrder } from '../core/plan/waves.ts';
import { openJsonClient } from './json-client.ts';
import { openLanes, type Lane } from './lanes.ts';
import { learnOnce } from './learn-once.ts';
import { connectLlamaServer, type LlamaConnection } from './llama-connect.ts';
import { scoreForced } from './llama-request.ts';
import { mergeRanges } from './llama-segments.ts';
import { refuseUnfit } from './remote-model.ts';
import type { RemoteServer } from './remote-server.ts';

/**
 * llama.cpp's server as a scorer. It gives no log-probs of a prompt (`echo` is ignored in silence), so it is made to generate
 * exactly the tokens to be scored, at the speed of generation; each slot keeps the sequence that it ran last.
 */
export function openLlamaServer(server: RemoteServer): Backend {
  const client = openJsonClient({
    name: 'llama-server',
    url: server.url,
    key: server.apiKey,
    silenceMs: server.silenceMs,
  });
  const connect = learnOnce(async (signal) => {
    const connection = await connectLlamaServer(client, server, signal);
    return { ...connection, inLane: openLanes(connection.facts.capabilities.concurrency) };
  });

  return {
    name: 'llama-server',
    facts: async (signal) => (await connect(signal)).facts,
    tokenize: async (texts, signal) => (await connect(signal)).text.tokenize(texts, signal),
    detokenize: async (ids, signal) => (await connect(signal)).text.detokenize(ids, signal),
    async score(sequences, request = {}) {
      if (sequences.length === 0) return { logprobs: [], tokensEvaluated: 0, tokensReused: 0 };
      try {
        const { inLane, ...connection } = await connect(request.signal);
        return await inLane(request.session, (lane) => score(connection, sequences, lane, request));
      } catch (thrown) {
        connect.failed(thrown);
        throw thrown;
      }
    },
    close: () => Promise.resolve(),
  };
}

async function score(
  { facts, forced, classify }: LlamaConnection,
  sequences: readonly ScoreSequence[],
  lane: Lane,
  { signal, session, onProgress }: ScoreRequest,
): Promise<ScoreResult> {
  const { vocabulary, client } = forced;
  refuseUnfit(client.name, sequences, { contextSize: facts.contextSize, vocabulary });
  await classify(new Set(sequences.flatMap(({ ids, from, to }) => ids.slice(from, to))), signal);
  const carriers = carriersOf(sequences);
  const known = new Map<number, Map<number, number>>();
  // What others left in the slot must not make this run cheaper than it is.
  let reuse = session !== undefined && lane.session === session;
  lane.session = null;
  let tokensEvaluated: number | null = 0;
  let tokensReused: number | null = 0;
  let done = 0;
  for (const at of nearestOrder(carriers)) {
    const { ids, spans } = carriers[at] ?? { ids: [], spans: [] };
    const rows = new Map<number, number>();
    let first = true;
    for (const range of mergeRanges(spans)) {
      const scores = await scoreForced(forced, ids, range, { slot: lane.slot, reuse }, signal);
      scores.logprobs.forEach((logprob, k) => rows.set(range.from + k, logprob));
      tokensEvaluated = plus(tokensEvaluated, scores.evaluated);
      if (first) tokensReused = plus(tokensReused, scores.reused);
      first = false;
      reuse = true;
    }
    known.set(at, rows);
    done += ids.length;
    onProgress?.(done);
  }
  lane.session = session ?? null;
  return {
    logprobs: spreadRows(sequences.length, carriers, (at, from, to) =>
      Array.from({ length: to - from }, (_, k) => known.get(at)?.get(from + k) ?? Number.NaN),
    ),
    tokensEvaluated,
    tokensReused,
  };
}

function plus(sum: number | null, more: number | null): number | null {
  return sum === null || more === null ? null : sum + more;
}
