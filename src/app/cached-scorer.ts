import { z } from 'zod';
import type { Backend, ScoreResult, ScorerIdentity, ScoreSequence } from '../core/backend.ts';
import type { ScoreOptions } from '../core/scored-episode.ts';
import { sha256Ids, sha256Text } from '../core/sha.ts';
import { patiently } from './patiently.ts';
import { scoreKeys } from './score-store.ts';
import type { ScoreCache } from '../store/score-cache.ts';

/** Names a set of scoring options in the store, whoever scores. */
export function scoreOptionsKey(options: ScoreOptions): string {
  return scoreKeys(NOBODY, options).optionsKey;
}

const NOBODY: ScorerIdentity = {
  id: '',
  revision: null,
  tokenizer_sha: null,
  template_sha: null,
  backend: '',
  version: null,
};

const logprobsSchema = z.array(z.number());

/**
 * A scorer that remembers: a sequence that this very scorer has scored before is not sent again, so that scoring an episode
 * after each turn sends each turn once. Tokens evaluated are those of what was really sent.
 */
export function cachedScorer(backend: Backend, cache: ScoreCache): Backend {
  return {
    name: backend.name,
    facts: (signal) => backend.facts(signal),
    tokenize: (texts, signal) => backend.tokenize(texts, signal),
    detokenize: (ids, signal) => backend.detokenize(ids, signal),
    close: () => backend.close(),
    score: async (sequences, options = {}) => {
      // Distributions are too large to keep; what is made of them is kept with the episode.
      if (options.distributions !== undefined) return backend.score(sequences, options);
      const scorer = JSON.stringify((await backend.facts(options.signal)).identity);
      const keys = sequences.map((sequence) => sequenceKey(scorer, sequence));
      const known = keys.map((key, at) => remembered(cache, key, sequences[at]));
      const missing = sequences.flatMap((sequence, at) => (known[at] === null ? [{ sequence, key: keys[at] }] : []));
      if (missing.length === 0) return { logprobs: known.map((row) => row ?? []), tokensEvaluated: 0, tokensReused: 0 };
      const result: ScoreResult = await backend.score(
        missing.map(({ sequence }) => sequence),
        options,
      );
      for (const [at, { key }] of missing.entries()) {
        const row = result.logprobs[at];
        if (key !== undefined && row !== undefined)
          await patiently(() => {
            cache.putScore(key, row);
          });
      }
      const fresh = result.logprobs.values();
      return { ...result, logprobs: known.map((row) => row ?? fresh.next().value ?? []) };
    },
  };
}

function sequenceKey(scorer: string, { ids, from, to }: ScoreSequence): string {
  return sha256Text(`logprobs ${scorer} ${sha256Ids(ids)} ${from} ${to}`);
}

/** What stands in the cache, if it has the right shape. */
function remembered(cache: ScoreCache, key: string, sequence: ScoreSequence | undefined): readonly number[] | null {
  const parsed = logprobsSchema.safeParse(cache.getScore(key));
  const fits = parsed.success && sequence !== undefined && parsed.data.length === sequence.to - sequence.from;
  return fits ? parsed.data : null;
}
