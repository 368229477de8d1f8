import type { Backend } from '../../core/backend.ts';
import { sessionOf } from '../score.ts';
import type { SampledProbe } from './probe-gains.ts';

/**
 * Differences in nats, a list per generation and a number per token, between the log-probs that a chat reported for its own
 * tokens and those that the scorer gives to the same ids behind the same prompt. Generations without ids or log-probs are left
 * out, as are tokens that the chat reports no finite number for.
 */
export async function rescoreDifferences(
  backend: Backend,
  sampled: readonly SampledProbe[],
  signal?: AbortSignal,
): Promise<number[][]> {
  const differences: number[][] = [];
  for (const { record, renderedIds } of sampled) {
    const { ids, logprobs } = record;
    if (ids === null || logprobs === null || ids.length === 0 || ids.length !== logprobs.length) continue;
    const prompt = record.prompt_ids ?? renderedIds;
    const sequence = { ids: [...prompt, ...ids], from: prompt.length, to: prompt.length + ids.length };
    const result = await backend.score([sequence], {
      signal,
      session: sessionOf(`doctor decode ${differences.length}`),
    });
    const row = result.logprobs[0] ?? [];
    differences.push(logprobs.flatMap((value, k) => (Number.isFinite(value) ? [(row[k] ?? NaN) - value] : [])));
  }
  return differences.filter((list) => list.length > 0);
}
