import type { Backend, NextTokens, ScoreRequest, ScoreResult, ScorerFacts, ScoreSequence } from '../../core/backend.ts';
import { TurnwiseError } from '../../core/error.ts';
import { DEFAULT_TOP_K, gainOf, type Pair } from '../turn-gains.ts';

/** A placebo reply's gains in nats by the estimators that need distributions; null where they were not told. */
export interface Divergences {
  readonly topK: number | null;
  readonly full: number | null;
}

/** Scores a probe's sequences, with what they need of the distributions. */
export interface DivergenceScorer {
  readonly score: (sequences: readonly ScoreSequence[], request: ScoreRequest) => Promise<ScoreResult>;
  /** Of a pair out of such a result. */
  readonly of: (pair: Pair) => Divergences;
  /** Whether every answer held whole distributions; one that did not says so for all, or only short actions would count. */
  readonly allWhole: () => boolean;
}

/** Numbers in an answer beyond which whole distributions would take minutes over all probes; a vocabulary of 1,536 stays below. */
const MOST_NUMBERS = 2 ** 22;

/**
 * Asks for as much of every distribution as the scorer tells: whole ones where they are wanted and the vocabulary is small, else
 * the likeliest `DEFAULT_TOP_K` tokens, else nothing. Throws what the server throws.
 */
export function divergenceScorer(
  backend: Backend,
  { capabilities }: ScorerFacts,
  wholeWanted: boolean,
): DivergenceScorer {
  const told = capabilities.distributions;
  let whole = wholeWanted && told === 'full';
  const top = told === undefined ? undefined : { top: DEFAULT_TOP_K };
  return {
    score: async (sequences, request) => {
      if (!whole) return backend.score(sequences, { ...request, distributions: top });
      try {
        const result = await backend.score(sequences, { ...request, distributions: 'full' });
        const numbers = (result.distributions ?? []).flat().reduce((sum, { ids }) => sum + ids.length, 0);
        if (numbers > MOST_NUMBERS) whole = false;
        return result;
      } catch (thrown) {
        if (!(thrown instanceof TurnwiseError) || thrown.reason !== 'distributions_too_large') throw thrown;
        whole = false;
        return backend.score(sequences, { ...request, distributions: top });
      }
    },
    of: (pair) => ({
      topK: told === undefined ? null : gainOf(likeliest(pair), { estimator: 'kl_topk', clip: null }).gain,
      full: whole ? gainOf(pair, { estimator: 'kl_full', clip: null }).gain : null,
    }),
    allWhole: () => whole,
  };
}

/** The pair as it looks to who asked for the likeliest tokens alone. */
function likeliest(pair: Pair): Pair {
  const cut = ({ ids, logprobs }: NextTokens): NextTokens => ({
    ids: ids.slice(0, DEFAULT_TOP_K),
    logprobs: logprobs.slice(0, DEFAULT_TOP_K),
  });
  const { distributions } = pair.result;
  const both = new Set(pair.at);
  return {
    ...pair,
    result: {
      ...pair.result,
      distributions: distributions?.map((rows, at) => (both.has(at) ? rows.map(cut) : rows)),
    },
  };
}
