import type { Backend } from '../core/backend.ts';
import type { Carrier } from '../core/plan/carriers.ts';
import { wavesOf } from '../core/plan/waves.ts';
import { openJsonClient, type JsonClient } from './json-client.ts';
import { openRemoteScorer, type ScoringRun } from './remote-scorer.ts';
import type { RemoteServer } from './remote-server.ts';
import { openSessions } from './sessions.ts';
import { connectSglang, type SglangConnection } from './sglang-connect.ts';
import { askSglang } from './sglang-request.ts';

/** Sequences in one request, and the scored tokens in them: each holds a row of logits as wide as the vocabulary. */
const BATCH = 8;
const BATCH_ROWS = 4096;

/**
 * SGLang as a scorer. It reuses cached prefixes while it scores, and its rows are right in every case that was tried; what the
 * client guards against is that a malformed request ends the whole server.
 */
export function openSglang(server: RemoteServer): Backend {
  const client = openJsonClient({ name: 'SGLang', url: server.url, key: server.apiKey, silenceMs: server.silenceMs });
  const keyOf = openSessions(() => crypto.randomUUID());
  return openRemoteScorer({
    kind: 'sglang',
    name: client.name,
    connect: (signal) => connectSglang(client, server, signal),
    score: (connection, run) => score(client, connection, keyOf(run.session), run),
  });
}

async function score(
  client: JsonClient,
  { vocabulary }: SglangConnection,
  key: string,
  { carriers, scored, signal }: ScoringRun,
): Promise<void> {
  await vocabulary.check(new Set(carriers.flatMap(({ ids }) => ids)), signal);
  for (const batch of wavesOf(carriers).flatMap((wave) => batchesOf(carriers, wave))) {
    const spans = batch.flatMap((at) => carriers[at] ?? []);
    const answers = await askSglang(client, vocabulary, spans, key, signal);
    batch.forEach((at, k) => {
      const answer = answers[k];
      if (answer) scored(at, answer);
    });
  }
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
