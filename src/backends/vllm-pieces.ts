import { TurnwiseError } from '../core/error.ts';
import { checkedLogprob, rowError } from './check-scores.ts';
import type { CarrierScores } from './remote-scorer.ts';
import { readVllm, type VllmAnswer } from './vllm-request.ts';

/** How often one piece is asked for again when garbage among its rows spoils the whole answer. */
const TRIES = 6;

/**
 * Scores a sequence that is in vLLM's cache already, because an answer about it was lost: V1 fills the rows of cached positions
 * with uninitialised memory, and refuses the whole answer where that holds a NaN. A full pass would compute everything again.
 * Instead the sequence is asked for again, shorter each time: of each answer only the rows behind what vLLM says that it took
 * from its cache are read, and the row at that edge is the one of a token that is made to come next. Null where vLLM does not say
 * how much it took. `ask` must read the cache under the salt that the sequence was sent with.
 */
export async function scoreInPieces(
  server: string,
  { ids, from, to }: { readonly ids: readonly number[]; readonly from: number; readonly to: number },
  ask: (ids: readonly number[], next: number | undefined) => Promise<VllmAnswer>,
): Promise<CarrierScores | null> {
  const logprobs = new Array<number>(to - from).fill(Number.NaN);
  let [evaluated, reused] = [0, 0];
  let end = to;
  let next: number | undefined;
  for (;;) {
    const prompt = ids.slice(0, end);
    const answer = await askPatiently(() => ask(prompt, next));
    const { cached } = answer;
    if (cached === null || cached >= end) return null;
    evaluated += end - cached;
    reused += cached;
    if (next !== undefined) logprobs[end - from] = forcedLogprob(server, answer, next);
    const first = Math.max(cached + 1, from);
    if (first < end) {
      readVllm(server, answer, { ids: prompt, from: first, to: end }).forEach((logprob, k) => {
        logprobs[first + k - from] = logprob;
      });
    }
    if (cached < from) break;
    end = cached;
    next = ids[end];
  }
  return { logprobs: logprobs.map((logprob) => checkedLogprob(server, logprob)), evaluated, reused };
}

function forcedLogprob(server: string, { next: row }: VllmAnswer, id: number): number {
  if (row === null) throw rowError(server, 'short_rows', 'no row for a token that was to come next');
  if (row.id !== id)
    throw rowError(server, 'wrong_token_row', `a row of token ${row.id} where token ${id} was to come`);
  return checkedLogprob(server, row.logprob);
}

async function askPatiently(ask: () => Promise<VllmAnswer>): Promise<VllmAnswer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (thrown) {
      if (tries === TRIES || !(thrown instanceof TurnwiseError) || thrown.reason !== 'nan_row') throw thrown;
    }
  }
}
