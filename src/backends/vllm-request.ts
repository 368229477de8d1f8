import { z } from 'zod';
import type { JsonClient } from './json-client.ts';
import { readPromptRows, wireNumberSchema, type PromptRow } from './prompt-rows.ts';

const rowSchema = z.record(
  z.string().regex(/^-?\d+$/),
  z.looseObject({ logprob: wireNumberSchema, rank: z.int().nullish() }),
);
const rowsSchema = z.array(rowSchema.nullable()).nullish();
const usageSchema = z
  .object({
    prompt_tokens: z.int().nonnegative(),
    prompt_tokens_details: z.object({ cached_tokens: z.int().nonnegative().nullish() }).nullish(),
  })
  .nullish();
const generatedSchema = z.object({
  prompt_logprobs: rowsSchema,
  usage: usageSchema,
  choices: z
    .array(
      z.object({
        logprobs: z
          .object({
            content: z.array(
              z.looseObject({ token_id: z.int().nullish(), logprob: wireNumberSchema, rank: z.int().nullish() }),
            ),
          })
          .nullish(),
      }),
    )
    .nullish(),
});
const completedSchema = z.object({
  choices: z.array(z.object({ prompt_logprobs: rowsSchema })).min(1),
  usage: usageSchema,
});

/** How given ids are asked for. */
export interface VllmQuestion {
  readonly model: string;
  readonly ids: readonly number[];
  /** Keeps what is cached apart from everybody else's. */
  readonly salt: string;
  /** Whether positions that are in the cache under this salt may be left out of the computation, and of the answer. */
  readonly readCache: boolean;
  /** The token-in route, which is off by default, or the one that is always there and never reads the cache. */
  readonly route: 'generate' | 'completions';
  /** A token that has to come next; its row is wanted too. The token-in route alone takes it. */
  readonly next?: number | undefined;
}

/** What came back: a row per prompt position, the last row belonging to the last position. */
export interface VllmAnswer {
  readonly rows: readonly (PromptRow | null)[];
  /** Index of the position that the first row is about. */
  readonly first: number;
  /** Tokens of the prompt that were taken from the cache; null where the server does not say. */
  readonly cached: number | null;
  /** The row of the token that was made to come next. */
  readonly next: PromptRow | null;
}

/** Asks for the log-probs of given ids. Throws what the client throws, and `missing_rows` where the answer has none. */
export async function askVllm(client: JsonClient, question: VllmQuestion, signal?: AbortSignal): Promise<VllmAnswer> {
  const { model, ids, salt, readCache, route, next } = question;
  const sampling = { max_tokens: 1, temperature: 0, prompt_logprobs: 0 };
  let rows: z.infer<typeof rowsSchema>;
  let usage: z.infer<typeof usageSchema>;
  let generated: z.infer<typeof generatedSchema>['choices'] = null;
  if (route === 'generate') {
    const body = {
      model,
      token_ids: ids,
      cache_salt: salt,
      sampling_params: {
        ...sampling,
        detokenize: false,
        ...(readCache ? { skip_reading_prefix_cache: false } : {}),
        ...(next === undefined ? {} : { allowed_token_ids: [next], logprobs: 0 }),
      },
    };
    ({
      prompt_logprobs: rows,
      usage,
      choices: generated,
    } = await client.post('/inference/v1/generate', body, generatedSchema, signal));
  } else {
    const body = { model, prompt: ids, cache_salt: salt, ...sampling };
    const answer = await client.post('/v1/completions', body, completedSchema, signal);
    rows = answer.choices[0]?.prompt_logprobs;
    usage = answer.usage;
  }
  if (!rows) throw client.protocolError('short_rows', 'no log-probs of the prompt');
  // The newer runner leaves out what it did not compute, so that only the end of the list is sure.
  const first = ids.length - rows.length;
  return {
    first,
    rows: rows.map((row, k) => rowAt(row, ids[first + k])),
    cached: usage?.prompt_tokens_details?.cached_tokens ?? null,
    next: generatedRow(generated?.[0]?.logprobs?.content[0], next),
  };
}

function generatedRow(
  told:
    | {
        readonly token_id?: number | null | undefined;
        readonly logprob: number | null;
        readonly rank?: number | null | undefined;
      }
    | undefined,
  next: number | undefined,
): PromptRow | null {
  if (told === undefined || next === undefined) return null;
  return { id: told.token_id ?? next, logprob: told.logprob, rank: told.rank ?? null };
}

/** The entry of the position's own token, else whichever is there, so that the check can name it. */
function rowAt(row: z.infer<typeof rowSchema> | null, id: number | undefined): PromptRow | null {
  if (row === null) return null;
  const own = row[String(id)];
  if (id !== undefined && own) return { id, logprob: own.logprob, rank: own.rank ?? null };
  const [other] = Object.entries(row);
  return other ? { id: Number(other[0]), logprob: other[1].logprob, rank: other[1].rank ?? null } : null;
}

/** Log-probs (nats) of positions [from, to), each checked; throws what `readPromptRows` throws. */
export function readVllm(
  server: string,
  { rows, first, cached }: VllmAnswer,
  span: { readonly ids: readonly number[]; readonly from: number; readonly to: number },
): number[] {
  if (first < 0) {
    // More rows than tokens: nothing in the list can be placed.
    return readPromptRows(server, span, { first: 0, rows, cached });
  }
  return readPromptRows(server, span, { first, rows, cached, firstIsEmpty: first === 0 });
}
