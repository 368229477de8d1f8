import { z } from 'zod';
import { TurnwiseError } from '../core/error.ts';
import { findLogprobsMode } from './chat-logprobs-mode.ts';
import type { JsonClient } from './json-client.ts';

const rowSchema = z.record(z.string(), z.object({ logprob: z.number(), rank: z.int().nullish() }));
const answerSchema = z.object({
  choices: z.array(z.object({ prompt_logprobs: z.array(rowSchema.nullable()).nullish() })).min(1),
});

/** As many of the likeliest tokens as vLLM tells unless it is started otherwise. */
const LISTED = 20;
/** Shares of the vocabulary: more than all of it is no distribution, and of a text some token is always likelier than this. */
const MOST = 1.001;
const LEAST = 0.05;

const FLAG = '--logprobs-mode raw_logprobs';

/**
 * What vLLM's `--logprobs-mode` means for its scores, learned by asking it, `ids` being a text of several tokens: what to change, a
 * sentence each. Log-probs of a chat after temperature are such; throws `unsupported`/`logits` where it gives no log-probs at
 * all, of a prompt neither. What it does not tell is no advice.
 */
export async function adviceOnLogprobsMode(
  client: JsonClient,
  model: string,
  ids: readonly number[],
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const shares = await likeliestShares(client, model, ids, signal);
  if (shares.length > 0 && (Math.max(...shares) > MOST || Math.max(...shares) < LEAST)) {
    throw new TurnwiseError(
      'unsupported',
      'logits',
      `vLLM gives logits where log-probs belong, so none of its numbers could be a score; start it with ${FLAG}.`,
    );
  }
  const mode = await findLogprobsMode(client, model, signal).catch(unlessRefused(null));
  if (mode !== 'processed') return [];
  return [
    `Start vLLM with ${FLAG}: as it is, log-probs of its chat are not the model's own but those after temperature and masks, and what its cache spoils has to be scored anew from the first token.`,
  ];
}

/** Of each position of the text the share of the vocabulary that the likeliest tokens have; empty where vLLM lists fewer of them. */
async function likeliestShares(
  client: JsonClient,
  model: string,
  ids: readonly number[],
  signal?: AbortSignal,
): Promise<number[]> {
  const body = { model, prompt: ids, max_tokens: 1, temperature: 0, prompt_logprobs: LISTED };
  const answer = await client.post('/v1/completions', body, answerSchema, signal).catch(unlessRefused({ choices: [] }));
  const rows = answer.choices[0]?.prompt_logprobs ?? [];
  return rows.flatMap((row) => {
    const listed = Object.values(row ?? {});
    if (!listed.some(({ rank }) => rank === 1)) return [];
    return [listed.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0)];
  });
}

/** What a server that lives says to a question that it does not take; anything else is a failure like any other. */
const NOT_TOLD = ['refused_request', 'route_missing', 'malformed_answer'];

function unlessRefused<T>(otherwise: T): (thrown: unknown) => T {
  return (thrown) => {
    if (thrown instanceof TurnwiseError && NOT_TOLD.includes(thrown.reason)) return otherwise;
    throw thrown;
  };
}
