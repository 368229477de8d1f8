import type { LlamaContextSequence, Token } from 'node-llama-cpp';
import { errorText, TurnwiseError } from '../core/error.ts';
import type { LoadedModel } from './load-model.ts';
import { exactOptions, type Track } from './track.ts';

const PROBE_TOKENS = 10;
const PROBE_CONTEXT = 64;
/** Two float32 roads to one number. */
const TOLERANCE = 1e-3;

/**
 * Holds the scorer's way of reading log-probs (a few logits and one total) against the full distribution, on a probe of ten
 * tokens in a context of its own. Throws `unsupported`/`self_test_failed`: better no number than a wrong one.
 */
export async function selfTest(loaded: LoadedModel, track: Track): Promise<void> {
  try {
    const ids = probe(loaded);
    const expected = await fromDistribution(loaded, ids);
    const { logprobs } = await track.append(0, ids.slice(0, -1), (offset) => ids.slice(offset + 1, offset + 2));
    await track.rollBack(0);
    compareProbe(logprobs.flat(), expected);
  } catch (cause) {
    if (cause instanceof TurnwiseError && cause.reason === 'self_test_failed') throw cause;
    throw selfTestFailed(errorText(cause).split('\n')[0] ?? '', cause);
  }
}

/** Throws unless two lists of log-probs are the same numbers, to `TOLERANCE` nats. */
export function compareProbe(actual: readonly number[], expected: readonly number[]): void {
  const worst = Math.max(...expected.map((value, k) => Math.abs(value - (actual[k] ?? Number.NaN))));
  if (actual.length === expected.length && worst <= TOLERANCE) return;
  throw selfTestFailed(`log-probs differ by ${worst.toPrecision(2)} nats from the full distribution`);
}

/** Ten ordinary tokens spread over the vocabulary. */
function probe({ model, vocabularySize }: LoadedModel): number[] {
  const ids: number[] = [];
  for (let step = 1; ids.length < PROBE_TOKENS; step += 1) {
    const id = Math.floor((step * vocabularySize) / (PROBE_TOKENS + 3)) % vocabularySize;
    if (step > vocabularySize || !model.isSpecialToken(id as Token)) ids.push(id);
  }
  return ids;
}

async function fromDistribution(loaded: LoadedModel, ids: readonly number[]): Promise<number[]> {
  const context = await loaded.model.createContext({ contextSize: PROBE_CONTEXT, ...exactOptions(loaded) });
  try {
    const sequence: LlamaContextSequence = context.getSequence();
    const out = await sequence.controlledEvaluate(
      ids.slice(0, -1).map((id) => [id as Token, { generateNext: { probabilities: true } }]),
    );
    return ids.slice(1).map((id, k) => Math.log(out[k]?.next.probabilities?.get(id as Token) ?? Number.NaN));
  } finally {
    await context.dispose();
  }
}

function selfTestFailed(why: string, cause?: unknown): TurnwiseError {
  return new TurnwiseError(
    'unsupported',
    'self_test_failed',
    `The engine does not trust itself to score with this model (${why}); choose another scorer. Chatting with it works.`,
    { cause },
  );
}
