import type { Backend, ScorerFacts } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';
import { inParallel } from '../core/in-parallel.ts';
import { commonPrefix, type Carrier } from '../core/plan/carriers.ts';
import { wavesOf } from '../core/plan/waves.ts';
import { openJsonClient, type JsonClient } from './json-client.ts';
import { openRemoteScorer, type CarrierScores, type ScoringRun } from './remote-scorer.ts';
import type { RemoteServer } from './remote-server.ts';
import { openSessions } from './sessions.ts';
import { connectVllm, type VllmConnection } from './vllm-connect.ts';
import { scoreInPieces } from './vllm-pieces.ts';
import { askVllm, readVllm } from './vllm-request.ts';

/** What was sent under one salt; everything in it may be in the server's cache. */
interface Salt {
  readonly id: string;
  readonly sent: (readonly number[])[];
}

/** Answers that were asked for with a cached prefix, and those among them that garbage spoilt. */
interface Detours {
  asked: number;
  spoilt: number;
}

/** Requests in flight at once. */
const AT_ONCE = 8;
/**
 * Tokens in flight at once: vLLM holds the logits of a prompt, as wide as the vocabulary, while it takes their log-probs (#5907), and
 * does not tell how wide that is. At 152,000 words of 4 bytes this is 10 GB at worst.
 */
const TOKENS_AT_ONCE = 16_384;

/**
 * vLLM as a scorer. The factual request goes first, then the masked ones read its prefix from the cache. V1's rows of cached
 * positions are uninitialised memory, so only rows behind everything that may be cached are read, and a sequence that was sent
 * before under a salt goes out as a full pass under a fresh one, or in pieces of which only rows behind the cache are read.
 */
export function openVllm(server: RemoteServer): Backend {
  const client = openJsonClient({ name: 'vLLM', url: server.url, key: server.apiKey, silenceMs: server.silenceMs });
  const saltOf = openSessions((): Salt => ({ id: crypto.randomUUID(), sent: [] }));
  const detours: Detours = { asked: 0, spoilt: 0 };
  return openRemoteScorer({
    kind: 'vllm',
    name: client.name,
    connect: (signal) => connectVllm(client, server, signal),
    score: (connection, run) => score(client, connection, saltOf(run.session), run, detours),
    factsOf: ({ facts }) => withAdvice(facts, detours),
  });
}

async function score(
  client: JsonClient,
  connection: VllmConnection,
  salt: Salt,
  { carriers, scored, signal }: ScoringRun,
  detours: Detours,
): Promise<void> {
  const send = async (at: number, mine: AbortSignal): Promise<void> => {
    const carrier = carriers[at];
    if (carrier) scored(at, await scoreCarrier(client, connection, carrier, salt, detours, mine));
  };
  // What is shared with an earlier wave is in the cache by then; the first wave is the longest alone.
  const longest = Math.max(...carriers.map(({ ids }) => ids.length));
  const width = Math.min(AT_ONCE, Math.max(1, Math.floor(TOKENS_AT_ONCE / longest)));
  for (const wave of wavesOf(carriers)) await inParallel(wave, { width, signal }, send);
}

/** Reads the cache where every wanted row lies behind all that may be in it; else computes anew. An answer that the cache spoilt is asked for again in pieces. */
async function scoreCarrier(
  client: JsonClient,
  { model, route, forces }: VllmConnection,
  carrier: Carrier,
  salt: Salt,
  detours: Detours,
  signal?: AbortSignal,
): Promise<CarrierScores> {
  const { ids, from } = carrier;
  const ask = async (id: string, readCache: boolean): Promise<CarrierScores> => {
    const answer = await askVllm(client, { model, ids, salt: id, readCache, route }, signal);
    const { cached } = answer;
    return {
      logprobs: readVllm(client.name, answer, carrier),
      evaluated: cached === null ? null : ids.length - cached,
      reused: cached,
    };
  };
  // The row of a position is computed at the token before it.
  const shared = Math.max(0, ...salt.sent.map((sent) => commonPrefix(sent, ids)));
  if (route === 'completions' || shared >= from) return ask(crypto.randomUUID(), false);
  // Noted before it is sent: it may be in the cache, whatever becomes of the answer.
  salt.sent.push(ids);
  if (shared === 0) return ask(salt.id, false);
  detours.asked += 1;
  try {
    return await ask(salt.id, true);
  } catch (thrown) {
    if (!mayBeOfTheCache(thrown)) throw thrown;
    detours.spoilt += 1;
  }
  const pieces = forces
    ? await scoreInPieces(client.name, carrier, (part, next) =>
        askVllm(client, { model, ids: part, salt: salt.id, readCache: true, route, next }, signal),
      ).catch((thrown: unknown) => {
        if (mayBeOfTheCache(thrown)) return null;
        throw thrown;
      })
    : null;
  const scores = pieces ?? (await ask(crypto.randomUUID(), false));
  // What the spoilt answer cost, vLLM did not say.
  return { ...scores, evaluated: null };
}

/** What another answer may mend that reads less from the cache. vLLM words a NaN among rows that nobody asked for as a 400 (`nan_row`). */
const OF_THE_CACHE = ['nan_row', 'impossible_logprob', 'wrong_token_row', 'stale_row', 'short_rows'];

function mayBeOfTheCache(thrown: unknown): boolean {
  return thrown instanceof TurnwiseError && OF_THE_CACHE.includes(thrown.reason);
}

/**
 * Where memory comes zeroed, nothing in it is a NaN. glibc does that when told to (mallopt(3), M_PERTURB): of 1,200 masked replies
 * vLLM 0.32 then refused none, and 5 to 20 of 100 without.
 */
function withAdvice(facts: ScorerFacts, { asked, spoilt }: Detours): ScorerFacts {
  if (spoilt === 0) return facts;
  const sentence = `Start vLLM with MALLOC_PERTURB_=255 in its environment: it refused ${spoilt} of ${asked} answers because the rows that it leaves unwritten held a NaN, and each had to be computed again; with this setting they hold zeros.`;
  return { ...facts, advice: [...facts.advice, sentence] };
}
