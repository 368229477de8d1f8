import { z } from 'zod';
import type { Carrier } from '../core/plan/carriers.ts';
import { rowError } from './check-scores.ts';
import type { JsonClient } from './json-client.ts';
import { readPromptRows, wireNumberSchema } from './prompt-rows.ts';
import type { CarrierScores } from './remote-scorer.ts';
import type { Vocabulary } from './sglang-vocabulary.ts';

const answersSchema = z.array(
  z.object({
    meta_info: z.object({
      prompt_tokens: z.int().nonnegative(),
      cached_tokens: z.int().nonnegative().nullish(),
      input_token_logprobs: z.array(z.tuple([wireNumberSchema, z.int()], z.unknown())),
    }),
  }),
);

/** What is asked for one sequence: positions [from, to), where `to` is its end. */
export type Span = Pick<Carrier, 'ids' | 'from' | 'to'>;

/**
 * Asks for the log-probs of several sequences in one request. `key` isolates: only requests of one key share cached prefixes.
 * Every id must be known to the vocabulary, and no sequence longer than the server takes. Throws what the client and
 * `readPromptRows` throw.
 */
export async function askSglang(
  client: JsonClient,
  vocabulary: Vocabulary,
  spans: readonly Span[],
  key: string,
  signal?: AbortSignal,
): Promise<CarrierScores[]> {
  const answers = await client.post(
    '/generate',
    {
      input_ids: spans.map(({ ids }) => ids),
      sampling_params: { max_new_tokens: 0, temperature: 0 },
      return_logprob: true,
      // Positions before it stay cacheable; a negative one would kill the server.
      logprob_start_len: spans.map(({ from }) => Math.max(0, from - 1)),
      return_text_in_logprobs: false,
      extra_key: spans.map(() => key),
    },
    answersSchema,
    signal,
  );
  if (answers.length !== spans.length) {
    throw rowError(client.name, 'wrong_count', `${answers.length} answers for ${spans.length} sequences`);
  }
  return Promise.all(
    answers.map(async ({ meta_info: told }, at) => {
      const { ids, from, to } = spans[at] ?? { ids: [], from: 1, to: 1 };
      if (told.prompt_tokens !== ids.length) {
        throw rowError(
          client.name,
          'wrong_count',
          `rows for ${told.prompt_tokens} tokens where ${ids.length} were sent`,
        );
      }
      const first = from - 1;
      const rows = await Promise.all(
        told.input_token_logprobs.map(async ([logprob, id], k) => ({
          logprob,
          id: await meantId(vocabulary, id, ids[first + k], signal),
        })),
      );
      const cached = told.cached_tokens ?? null;
      return {
        logprobs: readPromptRows(client.name, { ids, from, to }, { first, rows, cached, firstIsEmpty: true }),
        evaluated: cached === null ? null : ids.length - cached,
        reused: cached,
      };
    }),
  );
}

/** SGLang calls the last id of its vocabulary 0; the log-prob beside it is right. */
async function meantId(
  vocabulary: Vocabulary,
  told: number,
  sent: number | undefined,
  signal?: AbortSignal,
): Promise<number> {
  if (told !== 0 || sent === undefined || sent === 0) return told;
  return (await vocabulary.isLast(sent, signal)) ? sent : told;
}
