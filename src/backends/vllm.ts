import type { Backend, ScoreRequest, ScoreResult, ScoreSequence } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';
import { carriersOf, commonPrefix, spreadRows, type Carrier } from '../core/plan/carriers.ts';
import { wavesOf } from '../core/plan/waves.ts';
import { inParallel } from './in-parallel.ts';
import { openJsonClient, type JsonClient } from './json-client.ts';
import { learnOnce } from './learn-once.ts';
import { refuseUnfit } from './remote-model.ts';
import type { RemoteServer } from './remote-server.ts';
import { connectVllm, type VllmConnection } from './vllm-connect.ts';
import { scoreInPieces } from './vllm-pieces.ts';
import { askVllm, readVllm } from './vllm-request.ts';

/** What was sent under one salt; everything in it may be in the server's cache. */
interface Salt {
  readonly id: string;
  readonly sent: (readonly number[])[];
}

/** Requests in flight at once. */
const AT_ONCE = 8;
/**
 * Tokens in flight at once: vLLM holds the logits of a prompt, as wide as the vocabulary, while it takes their log-probs (#5907), and
 * does not tell how wide that is. At 152,000 words of 4 bytes this is 10 GB at worst.
 */
const TOKENS_AT_ONCE = 16_384;
/** Sessions whose salt is remembered. */
const SESSIONS = 64;

/**
 * vLLM as a scorer. The factual request goes first, then the masked ones read its prefix from the cache. V1's rows of cached
 * positions are uninitialised memory, so only rows behind everything that may be cached are read, and a sequence that was sent
 * before under a salt goes out as a full pass under a fresh one, or in pieces of which only rows behind the cache are read.
 */
export function openVllm(server: RemoteServer): Backend {
  const client = openJsonClient({ name: 'vLLM', url: server.url, key: server.apiKey, silenceMs: server.silenceMs });
  const sessions = new Map<string, Salt>();
  const connect = learnOnce((signal) => connectVllm(client, server, signal));
  return {
    name: 'vllm',
    facts: async (signal) => (await connect(signal)).facts,
    tokenize: async (texts, signal) => (await connect(signal)).text.tokenize(texts, signal),
    detokenize: async (ids, signal) => (await connect(signal)).text.detokenize(ids, signal),
    score: async (sequences, request = {}) => {
      if (sequences.length === 0) return { logprobs: [], tokensEvaluated: 0, tokensReused: 0 };
      try {
        const connection = await connect(request.signal);
        return await score(client, connection, sequences, saltOf(sessions, request.session), request);
      } catch (thrown) {
        connect.failed(thrown);
        throw thrown;
      }
    },
    close: () => Promise.resolve(),
  };
}

/** A session keeps its salt, so that a live conversation pays for its new turn only. */
function saltOf(sessions: Map<string, Salt>, session: string | undefined): Salt {
  const salt = (session === undefined ? undefined : sessions.get(session)) ?? { id: crypto.randomUUID(), sent: [] };
  if (session === undefined) return salt;
  sessions.delete(session);
  sessions.set(session, salt);
  const [oldest] = sessions.keys();
  if (sessions.size > SESSIONS && oldest !== undefined) sessions.delete(oldest);
  return salt;
}

async function score(
  client: JsonClient,
  connection: VllmConnection,
  sequences: readonly ScoreSequence[],
  salt: Salt,
  { signal, onProgress }: ScoreRequest,
): Promise<ScoreResult> {
  refuseUnfit(client.name, sequences, { contextSize: connection.facts.contextSize, vocabulary: null });
  const carriers = carriersOf(sequences);
  const scored: Scored[] = [];
  let done = 0;
  const send = async (at: number): Promise<void> => {
    const carrier = carriers[at];
    if (!carrier) return;
    scored[at] = await scoreCarrier(client, connection, carrier, salt, signal);
    done += carrier.ids.length;
    onProgress?.(done);
  };
  // What is shared with an earlier wave is in the cache by then; the first wave is the longest alone.
  const longest = Math.max(...carriers.map(({ ids }) => ids.length));
  const width = Math.min(AT_ONCE, Math.max(1, Math.floor(TOKENS_AT_ONCE / longest)));
  for (const wave of wavesOf(carriers)) await inParallel(width, wave, send);
  return {
    logprobs: spreadRows(sequences.length, carriers, (at, from, to) => {
      const first = carriers[at]?.from ?? 0;
      return scored[at]?.logprobs.slice(from - first, to - first) ?? [];
    }),
    tokensEvaluated: sumOrNull(scored.map(({ evaluated }) => evaluated)),
    tokensReused: sumOrNull(scored.map(({ reused }) => reused)),
  };
}

/** Log-probs of positions [from, to) of a carrier, and what they cost; null where vLLM does not say. */
interface Scored {
  readonly logprobs: readonly number[];
  readonly evaluated: number | null;
  readonly reused: number | null;
}

/** Reads the cache where every wanted row lies behind all that may be in it; else computes anew. An answer that the cache spoilt is asked for again in pieces. */
async function scoreCarrier(
  client: JsonClient,
  { model, route, forces }: VllmConnection,
  carrier: Carrier,
  salt: Salt,
  signal?: AbortSignal,
): Promise<Scored> {
  const { ids, from } = carrier;
  const ask = async (id: string, readCache: boolean): Promise<Scored> => {
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
  try {
    return await ask(salt.id, shared > 0);
  } catch (thrown) {
    if (shared === 0 || !mayBeOfTheCache(thrown)) throw thrown;
  }
  const pieces = forces
    ? await scoreInPieces(client.name, carrier, (part, next) =>
        askVllm(client, { model, ids: part, salt: salt.id, readCache: true, route, next }, signal),
      ).catch((thrown: unknown) => {
        if (mayBeOfTheCache(thrown)) return null;
        throw thrown;
      })
    : null;
  return pieces ?? ask(crypto.randomUUID(), false);
}

/** What another answer may mend that reads less from the cache. vLLM words a NaN among rows that nobody asked for as a 400 (`nan_row`). */
const OF_THE_CACHE = ['nan_row', 'impossible_logprob', 'wrong_token_row', 'stale_row', 'short_rows'];

function mayBeOfTheCache(thrown: unknown): boolean {
  return thrown instanceof TurnwiseError && OF_THE_CACHE.includes(thrown.reason);
}

function sumOrNull(counts: readonly (number | null)[]): number | null {
  return counts.reduce((sum: number | null, count) => (sum === null || count === null ? null : sum + count), 0);
}
