import { z } from 'zod';
import type { GenerationRecord } from '../core/backend.ts';
import type { JsonClient } from './json-client.ts';

const answerSchema = z.object({
  choices: z.tuple(
    [
      z.object({
        logprobs: z.object({
          content: z.tuple(
            [z.object({ top_logprobs: z.array(z.object({ token: z.string(), logprob: z.number() })) })],
            z.unknown(),
          ),
        }),
      }),
    ],
    z.unknown(),
  ),
});

/** Different enough for every likely token to move by more than rounding. */
const TEMPERATURES = [1, 0.5] as const;
const LISTED = 4;
const TOLERANCE = 1e-2;

/**
 * Whether a server's chat log-probs are the model's own (raw) or those of the distribution after temperature (processed): the
 * same first tokens are listed at two temperatures, and raw ones do not move. Null where too few tokens are in both lists.
 */
export async function findLogprobsMode(
  client: JsonClient,
  model: string,
  signal?: AbortSignal,
): Promise<GenerationRecord['logprobs_mode']> {
  const lists: Map<string, number>[] = [];
  for (const temperature of TEMPERATURES) {
    const { choices } = await client.post(
      '/v1/chat/completions',
      {
        model,
        messages: [{ role: 'user', content: 'Which one?' }],
        max_tokens: 1,
        temperature,
        top_p: 1,
        logprobs: true,
        top_logprobs: LISTED,
      },
      answerSchema,
      signal,
    );
    const [{ top_logprobs }] = choices[0].logprobs.content;
    lists.push(new Map(top_logprobs.map(({ token, logprob }) => [token, logprob])));
  }
  const [warm = new Map<string, number>(), cold = new Map<string, number>()] = lists;
  const moved = [...warm].flatMap(([token, logprob]) => {
    const other = cold.get(token);
    return other === undefined ? [] : [Math.abs(other - logprob)];
  });
  if (moved.length < 2) return null;
  return moved.every((distance) => distance < TOLERANCE) ? 'raw' : 'processed';
}
