import type { Backend } from '../core/backend.ts';
import { nearestOrder } from '../core/plan/waves.ts';
import { openJsonClient } from './json-client.ts';
import { openLanes, type Lane } from './lanes.ts';
import { connectLlamaServer, type LlamaConnection } from './llama-connect.ts';
import { scoreForced } from './llama-request.ts';
import { mergeRanges } from './llama-segments.ts';
import { openRemoteScorer, sumKnown, type ScoringRun } from './remote-scorer.ts';
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
  return openRemoteScorer({
    kind: 'llama-server',
    name: client.name,
    connect: async (signal) => {
      const connection = await connectLlamaServer(client, server, signal);
      return { ...connection, inLane: openLanes(connection.facts.capabilities.concurrency) };
    },
    score: (connection, run) => connection.inLane(run.session, (lane) => score(connection, run, lane)),
    vocabularyOf: ({ forced }) => forced.vocabulary,
  });
}

async function score(
  { forced, classify }: LlamaConnection,
  { carriers, scored, signal, session }: ScoringRun,
  lane: Lane,
): Promise<void> {
  const wanted = carriers.flatMap(({ ids, spans }) => spans.flatMap(({ from, to }) => ids.slice(from, to)));
  await classify(new Set(wanted), signal);
  // What others left in the slot must not make this run cheaper than it is.
  let reuse = session !== undefined && lane.session === session;
  lane.session = null;
  for (const at of nearestOrder(carriers)) {
    const carrier = carriers[at];
    if (!carrier) continue;
    const { ids, from, to, spans } = carrier;
    // Positions between two spans are run, but nobody asked for their rows.
    const logprobs = new Array<number>(to - from).fill(Number.NaN);
    const evaluated: (number | null)[] = [];
    let reused: number | null = 0;
    for (const [part, range] of mergeRanges(spans).entries()) {
      const scores = await scoreForced(forced, ids, range, { slot: lane.slot, reuse }, signal);
      logprobs.splice(range.from - from, scores.logprobs.length, ...scores.logprobs);
      evaluated.push(scores.evaluated);
      if (part === 0) reused = scores.reused;
      reuse = true;
    }
    scored(at, { logprobs, evaluated: sumKnown(evaluated), reused });
  }
  lane.session = session ?? null;
}
