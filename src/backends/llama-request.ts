import { z } from 'zod';
import { TurnwiseError } from '../core/error.ts';
import { checkedLogprob, rowError } from './check-scores.ts';
import type { JsonClient } from './json-client.ts';
import { segmentsOf, type Segment, type TokenKind } from './llama-segments.ts';
import { wireNumberSchema } from './prompt-rows.ts';

const entrySchema = z.object({ id: z.int(), logprob: wireNumberSchema });
const answerSchema = z.object({
  tokens: z.array(z.int()),
  completion_probabilities: z.array(entrySchema.extend({ top_logprobs: z.array(entrySchema) })).nullish(),
  truncated: z.boolean().nullish(),
  timings: z.object({ cache_n: z.int(), prompt_n: z.int(), predicted_n: z.int() }).nullish().catch(null),
});
type Answer = z.infer<typeof answerSchema>;

/** What a forced decoding needs to know of its server. */
export interface ForcedServer {
  readonly client: JsonClient;
  readonly model: string;
  /** A token that ends a generation; any will do. */
  readonly ending: number;
  readonly vocabulary: number | null;
  readonly kindOf: (id: number) => TokenKind;
  /** Notes that no grammar takes this token. */
  readonly noteEnding: (id: number) => void;
}

/** Log-probs of positions [from, to), and the work behind them; null where the server does not say. */
export interface ForcedScores {
  readonly logprobs: readonly number[];
  readonly evaluated: number | null;
  readonly reused: number | null;
}

/** Likely tokens to list at first: most of what a scorer reads is among them, and a whole vocabulary is megabytes. */
const LISTED = 512;
/** Stronger than any logit. */
const BIAS = 1000;
/** So many in a row that are certain to the last bit of a float32 are no model's doing. */
const CERTAIN = 4;

/**
 * Scores positions [from, to) of `ids` by letting the server generate nothing else. Throws what the client throws, and
 * `short_rows`, `wrong_token_row`, `nan_row`, `impossible_logprob`.
 */
export async function scoreForced(
  server: ForcedServer,
  ids: readonly number[],
  { from, to }: { readonly from: number; readonly to: number },
  { slot, reuse }: { readonly slot: number; readonly reuse: boolean },
  signal?: AbortSignal,
): Promise<ForcedScores> {
  const logprobs: number[] = [];
  let evaluated: number | null = 0;
  let reused: number | null = null;
  const pending = segmentsOf(ids, from, to, (id) => server.kindOf(id));
  let first = true;
  for (let segment = pending.shift(); segment; segment = pending.shift()) {
    let answer: Answer;
    try {
      answer = await ask(server, ids, segment, { slot, reuse: reuse || !first, listed: LISTED }, signal);
    } catch (thrown) {
      if (!isAboutGrammar(thrown)) throw thrown;
      pending.unshift(...halvesOf(server, ids, segment));
      continue;
    }
    let row = segment.kind === 'listed' ? listedRow(answer, ids[segment.from]) : null;
    if (segment.kind === 'listed' && row === null && server.vocabulary !== null) {
      answer = await ask(server, ids, segment, { slot, reuse: true, listed: server.vocabulary }, signal);
      row = listedRow(answer, ids[segment.from]);
    }
    logprobs.push(
      ...(segment.kind === 'forced' ? forcedRows(server, ids, segment, answer) : [listedLogprob(server, row, segment)]),
    );
    const { timings = null } = answer;
    if (first) reused = timings?.cache_n ?? null;
    // The last generated token is sampled, and not run.
    evaluated =
      timings === null || evaluated === null
        ? null
        : evaluated + timings.prompt_n + Math.max(0, timings.predicted_n - 1);
    first = false;
  }
  if (logprobs.length >= CERTAIN && logprobs.every((logprob) => logprob === 0)) {
    throw rowError(
      server.client.name,
      'impossible_logprob',
      'the log-prob 0 for every token, as it does with speculative decoding (start it without a draft model)',
    );
  }
  return { logprobs, evaluated, reused };
}

function ask(
  { client, model, ending, kindOf }: ForcedServer,
  ids: readonly number[],
  { kind, from, to }: Segment,
  { slot, reuse, listed }: { readonly slot: number; readonly reuse: boolean; readonly listed: number },
  signal?: AbortSignal,
): Promise<Answer> {
  const wanted = ids.slice(from, to);
  const plain = kind === 'listed' ? [] : wanted.filter((id) => kindOf(id) === 'plain');
  // Where the token itself is told of in no row, one that is whole text has to be generated in its place.
  const bias = kind === 'listed' ? ending : wanted.find((id) => kindOf(id) !== 'plain');
  return client.post(
    '/completion',
    {
      model,
      prompt: ids.slice(0, from),
      n_predict: wanted.length,
      ...(plain.length === 0 ? {} : { grammar: `root ::= ${plain.map((id) => `<[${id}]>`).join(' ')}` }),
      ...(bias === undefined ? {} : { logit_bias: [[bias, BIAS]] }),
      n_probs: kind === 'listed' ? listed : 1,
      // The model's own, and no sampler between.
      post_sampling_probs: false,
      temperature: -1,
      samplers: [],
      return_tokens: true,
      cache_prompt: reuse,
      id_slot: slot,
    },
    answerSchema,
    signal,
  );
}

function forcedRows(
  { client: { name } }: ForcedServer,
  ids: readonly number[],
  { from, to }: Segment,
  { tokens, completion_probabilities: rows }: Answer,
): number[] {
  if (rows == null || rows.length < to - from || tokens.length < to - from) {
    throw rowError(name, 'short_rows', `${rows?.length ?? 0} log-probs where ${to - from} were asked for`);
  }
  if (rows.length > to - from) {
    throw rowError(name, 'wrong_count', `${rows.length} log-probs where ${to - from} were asked for`);
  }
  return ids.slice(from, to).map((id, k) => {
    const row = rows[k];
    if (row?.id !== id || tokens[k] !== id) {
      throw rowError(name, 'wrong_token_row', `a row of token ${row?.id ?? 'unknown'} where token ${id} stands`);
    }
    return checkedLogprob(name, row.logprob);
  });
}

type Row = z.infer<typeof entrySchema>;

function listedRow({ completion_probabilities: rows }: Answer, id: number | undefined): Row | null {
  return rows?.[0]?.top_logprobs.find((row) => row.id === id) ?? null;
}

function listedLogprob({ client: { name } }: ForcedServer, row: Row | null, { from }: Segment): number {
  if (row === null) throw rowError(name, 'short_rows', `no log-prob for the token at position ${from}`);
  return checkedLogprob(name, row.logprob);
}

/** Which of a segment's tokens no grammar takes is found by halving; a single one is biased instead. */
function halvesOf({ noteEnding, kindOf }: ForcedServer, ids: readonly number[], { from, to }: Segment): Segment[] {
  const [only] = to - from === 1 ? ids.slice(from, to) : [];
  if (only !== undefined) {
    noteEnding(only);
    return [{ kind: 'forced', from, to }];
  }
  const middle = (from + to) >> 1;
  return [...segmentsOf(ids, from, middle, kindOf), ...segmentsOf(ids, middle, to, kindOf)];
}

function isAboutGrammar(thrown: unknown): boolean {
  return thrown instanceof TurnwiseError && thrown.reason === 'server_error' && /grammar/i.test(thrown.message);
}
