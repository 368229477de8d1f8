import type { Backend, ScoreRequest, ScorerFacts } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';
import { carriersOf, spreadRows, type Carrier } from '../core/plan/carriers.ts';
import { abortedError } from './json-client.ts';
import { learnOnce } from './learn-once.ts';
import { refuseUnfit } from './remote-model.ts';
import type { ScorerText } from './scorer-text.ts';

/** What connecting to any server tells. */
export interface Connected {
  readonly facts: ScorerFacts;
  readonly text: ScorerText;
}

/** Log-probs (nats) of positions [from, to) of a carrier, and the tokens they cost; null where the server does not say. */
export interface CarrierScores {
  readonly logprobs: readonly number[];
  readonly evaluated: number | null;
  readonly reused: number | null;
}

/** One call of `score`, as a server's own file carries it out. */
export interface ScoringRun extends Pick<ScoreRequest, 'signal' | 'session'> {
  /** What has to be sent, longest first. */
  readonly carriers: readonly Carrier[];
  /** To be called once for each carrier, in any order. */
  readonly scored: (carrier: number, scores: CarrierScores) => void;
}

/** In what one kind of server differs from another. */
export interface RemoteScorer<C extends Connected> {
  /** The kind, as settings and scores call it. */
  readonly kind: string;
  /** What the server is called in sentences. */
  readonly name: string;
  readonly connect: (signal?: AbortSignal) => Promise<C>;
  readonly score: (connection: C, run: ScoringRun) => Promise<void>;
  /** Words it has; null or absent where it does not tell. */
  readonly vocabularyOf?: (connection: C) => number | null;
  /** What it told at connect, and what was learned of it since. */
  readonly factsOf?: (connection: C) => ScorerFacts;
}

/**
 * A scorer behind a server: connects once, sends no sequence that is the beginning of another, and learns the server anew after a
 * failure that may mean that another one stands there now. Throws what the server's own file does, `too_long` and `bad_token`.
 */
export function openRemoteScorer<C extends Connected>(server: RemoteScorer<C>): Backend {
  const connect = learnOnce(server.connect);
  return {
    name: server.kind,
    facts: async (signal) => {
      const connection = await connect(signal);
      return server.factsOf?.(connection) ?? connection.facts;
    },
    tokenize: async (texts, signal) => (await connect(signal)).text.tokenize(texts, signal),
    detokenize: async (ids, signal) => (await connect(signal)).text.detokenize(ids, signal),
    score: async (sequences, { signal, session, onProgress } = {}) => {
      if (sequences.length === 0) return { logprobs: [], tokensEvaluated: 0, tokensReused: 0 };
      const carriers = carriersOf(sequences);
      const scores: CarrierScores[] = [];
      let done = 0;
      const scored: ScoringRun['scored'] = (at, own) => {
        scores[at] = own;
        done += carriers[at]?.ids.length ?? 0;
        onProgress?.(done);
      };
      try {
        const connection = await connect(signal);
        const { contextSize } = connection.facts;
        refuseUnfit(server.name, sequences, { contextSize, vocabulary: server.vocabularyOf?.(connection) ?? null });
        await server.score(connection, { carriers, scored, signal, session });
      } catch (thrown) {
        connect.failed(thrown);
        // Left between two requests, so that no client has worded it.
        if (signal?.aborted && !(thrown instanceof TurnwiseError)) throw abortedError(signal);
        throw thrown;
      }
      return {
        logprobs: spreadRows(sequences.length, carriers, (at, from, to) => {
          const first = carriers[at]?.from ?? 0;
          return scores[at]?.logprobs.slice(from - first, to - first) ?? [];
        }),
        tokensEvaluated: sumKnown(scores.map(({ evaluated }) => evaluated)),
        tokensReused: sumKnown(scores.map(({ reused }) => reused)),
      };
    },
    close: () => Promise.resolve(),
  };
}

/** Null where one of them is: a sum of what is known would look like the whole. */
export function sumKnown(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>((sum, value) => (sum === null || value === null ? null : sum + value), 0);
}
