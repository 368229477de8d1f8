import { z } from 'zod';
import { TurnwiseError } from '../core/error.ts';
import { rowError } from './check-scores.ts';
import type { JsonClient } from './json-client.ts';
import { readPromptRows, wireNumberSchema } from './prompt-rows.ts';

/** How a server wants to be asked: some take no ids, some want at least one token to generate. */
export interface EchoMode {
  readonly prompt: 'ids' | 'text';
  readonly maxTokens: 0 | 1;
}
/** The best first: ids need no second tokenisation, and nothing is generated. */
export const ECHO_MODES: readonly EchoMode[] = [
  { prompt: 'ids', maxTokens: 0 },
  { prompt: 'ids', maxTokens: 1 },
  { prompt: 'text', maxTokens: 0 },
  { prompt: 'text', maxTokens: 1 },
];

const logprobsSchema = z.object({
  tokens: z.array(z.string()),
  token_logprobs: z.array(wireNumberSchema),
  token_ids: z.array(z.int()).nullish().catch(null),
});
const answerSchema = z.object({
  // Others than these are no echo: newer shapes tell of the generated tokens only.
  choices: z.array(z.object({ logprobs: logprobsSchema.nullish().catch(null) })),
  usage: z
    .object({
      prompt_tokens: z.int().nonnegative(),
      prompt_tokens_details: z.object({ cached_tokens: z.int().nonnegative().nullish() }).nullish(),
    })
    .nullish()
    .catch(null),
});

/** One answer, and how its prompt was tokenised. */
export interface Echo {
  readonly tokens: readonly string[];
  readonly logprobs: readonly (number | null)[];
  /** Null where the server tells texts alone. */
  readonly ids: readonly number[] | null;
  /** Tokens of the prompt that were computed, and that came from a cache; null where the server does not say. */
  readonly evaluated: number | null;
  readonly reused: number | null;
}

/** Asks for the prompt back with the log-prob of each token. Throws `unsupported`/`echo_ignored`, and what the client throws. */
export async function askEcho(
  client: JsonClient,
  model: string,
  prompt: string | readonly number[],
  maxTokens: EchoMode['maxTokens'],
  signal?: AbortSignal,
): Promise<Echo> {
  const body = { model, prompt, max_tokens: maxTokens, temperature: 0, echo: true, logprobs: 1 };
  const { choices, usage } = await client.post('/v1/completions', body, answerSchema, signal);
  const [choice] = choices;
  if (!choice || choices.length > 1) {
    throw rowError(client.name, 'wrong_count', `${choices.length} answers for one prompt`);
  }
  const { logprobs } = choice;
  const length = typeof prompt === 'string' ? null : prompt.length;
  if (!logprobs || (logprobs.tokens.length <= maxTokens && (length === null || length > maxTokens))) {
    throw new TurnwiseError(
      'unsupported',
      'echo_ignored',
      `${client.name} ignores "echo" and gives no log-probs of the prompt, so it can chat but not score; score with the local engine, vLLM or SGLang.`,
    );
  }
  if (logprobs.tokens.length !== logprobs.token_logprobs.length) {
    throw rowError(
      client.name,
      'wrong_count',
      `${logprobs.token_logprobs.length} log-probs for ${logprobs.tokens.length} tokens`,
    );
  }
  const cached = usage?.prompt_tokens_details?.cached_tokens ?? null;
  return {
    tokens: logprobs.tokens,
    logprobs: logprobs.token_logprobs,
    ids: logprobs.token_ids ?? idsInNames(logprobs.tokens),
    evaluated: usage && cached !== null ? usage.prompt_tokens - cached : null,
    reused: cached,
  };
}

/** Log-probs of positions [from, to); `texts` are those of the sequence's tokens. Throws what `readPromptRows` throws. */
export function readEcho(
  server: string,
  echo: Echo,
  span: {
    readonly ids: readonly number[];
    readonly from: number;
    readonly to: number;
    readonly texts: readonly string[];
  },
  maxTokens: EchoMode['maxTokens'],
): number[] {
  const { ids, texts } = span;
  // What was generated stands behind the prompt, unless it ended the text at once.
  const most = ids.length + maxTokens;
  if (echo.tokens.length > most) {
    throw rowError(server, 'wrong_count', `${echo.tokens.length} log-probs for ${ids.length} tokens`);
  }
  const rows = echo.logprobs.slice(0, ids.length).map((logprob, at) => ({
    logprob,
    id: echo.ids?.[at] ?? (sameText(echo.tokens[at] ?? '', texts[at] ?? '') ? (ids[at] ?? -1) : -1),
  }));
  return readPromptRows(server, span, { first: 0, rows, cached: echo.reused, firstIsEmpty: true });
}

/** Some servers name tokens by their ids. */
function idsInNames(tokens: readonly string[]): number[] | null {
  const ids = tokens.map((token) => /^token_id:(\d+)$/.exec(token)?.[1]);
  return ids.length > 0 && ids.every((id) => id !== undefined) ? ids.map(Number) : null;
}

/**
 * Whether two texts may be of one token: parts of characters are written in many ways (vLLM tells the whole character at its last
 * part, and nothing before), and spaces before words in three.
 */
export function sameText(told: string, ours: string): boolean {
  if (told === ours) return true;
  if (!ours.includes('\ufffd')) return plain(told) === plain(ours);
  if (told.includes('\ufffd') || told === '' || told.startsWith('bytes:')) return true;
  const [, behind = ''] = /^\ufffd+(.*)$/su.exec(ours) ?? [];
  return ours.startsWith('\ufffd') && told.endsWith(behind) && /\P{ASCII}/u.test(told);
}

function plain(text: string): string {
  return text.replace(/[▁Ġ]/g, ' ').replaceAll('Ċ', '\n').trimStart();
}
