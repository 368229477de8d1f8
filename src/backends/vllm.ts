import type { Backend, ScoreRequest, ScoreResult, ScoreSequence } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';
import { carriersOf, commonPrefix, spreadRows, type Carrier } from '../core/plan/carriers.ts';
import { inParallel } from './in-parallel.ts';
import { openJsonClient, type JsonClient } from './json-client.ts';
import { refuseUnfit } from './remote-model.ts';
import type { RemoteServer } from './remote-server.ts';
import { connectVllm, type VllmConnection } from './vllm-connect.ts';
import { askVllm, readVllm } from './vllm-request.ts';

/** What was sent under one salt; everything in it may be in the server's cache. */
interface Salt {
  readonly id: string;
  readonly sent: (readonly number[])[];
}

/** Requests in flight at once; each holds its prompt's logits while they are sorted, so long prompts go alone (vLLM #5907). */
const AT_ONCE = 8;
const LONG_PROMPT = 16_384;
/** Sessions whose salt is remembered. */
const SESSIONS = 64;

/**
 * vLLM as a scorer. The factual request goes first, then the masked ones read its prefix from the cache. V1's rows of cached
 * positions are uninitialised memory, so only rows behind everything that may be cached are read, and a sequence that was sent
 * before under a salt goes out as a full pass under a fresh one.
 */
export function openVllm(server: RemoteServer): Backend {
  const client = openJsonClient({ name: 'vLLM', url: server.url, key: server.apiKey, silenceMs: server.silenceMs });
  const sessions = new Map<string, Salt>();
  let known: Promise<VllmConnection> | null = null;

  const connect = (signal?: AbortSignal): Promise<VllmConnection> => {
    known ??= connectVllm(client, server, signal).catch((thrown: unknown) => {
      known = null; // the next call may find it running
      throw thrown;
    });
    return known;
  };
  return {
    name: 'vllm',
    facts: async (signal) => (await connect(signal)).facts,
    tokenize: async (texts, signal) => (await connect(signal)).text.tokenize(texts, signal),
    detokenize: async (ids, signal) => (await connect(signal)).text.detokenize(ids, signal),
    score: async (sequences, request = {}) => {
      if (sequences.length === 0) return { logprobs: [], tokensEvaluated: 0, tokensReused: 0 };
      const connection = await connect(request.signal);
      return score(client, connection, sequences, saltOf(sessions, request.session), request);
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
  // The longest first, alone: what the others share with it is in the cache then.
  await send(0);
  const width = carriers.some(({ ids }) => ids.length > LONG_PROMPT) ? 1 : AT_ONCE;
  await inParallel(width, [...carriers.keys()].slice(1), send);
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

/** Reads the cache where every wanted row lies behind all that may be in it; else, or when that failed, computes anew. */
async function scoreCarrier(
  client: JsonClient,
  { model, route }: VllmConnection,
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
    return ask(crypto.randomUUID(), false);
  }
}

/** Rows that a full pass under a fresh salt may mend. vLLM words a NaN among rows that nobody asked for as a 400 (`nan_row`). */
const OF_THE_CACHE = ['nan_row', 'impossible_logprob', 'wrong_token_row', 'stale_row', 'short_rows'];

function mayBeOfTheCache(thrown: unknown): boolean {
  return thrown instanceof TurnwiseError && OF_THE_CACHE.includes(thrown.reason);
}

function sumOrNull(counts: readonly (number | null)[]): number | null {
  return counts.reduce((sum: number | null, count) => (sum === null || count === null ? null : sum + count), 0);
}
