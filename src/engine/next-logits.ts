import type { ControlledEvaluateInputItem, Token } from 'node-llama-cpp';
import type { DistributionsWanted, NextTokens } from '../core/backend.ts';
import { errorText, TurnwiseError } from '../core/error.ts';

/** A token as the model is to evaluate it, and what to read off behind it: nothing, company, or the logits of what may come next. */
export function askNext(
  id: number,
  tokens: readonly number[],
  company: boolean,
  wanted: DistributionsWanted | undefined,
): ControlledEvaluateInputItem {
  if (company) return [id as Token, { generateNext: { confidence: true } }];
  if (tokens.length === 0) return id as Token;
  const filter = { tokens: tokens as readonly Token[], includeSelected: true };
  return [id as Token, { generateNext: { logits: wanted === undefined ? { filter } : true, totalLogitWeight: true } }];
}

/** What node-llama-cpp tells of the next token; logits the highest first. */
interface NextLogits {
  readonly logits?: ReadonlyMap<Token, number>;
  readonly totalLogitWeight?: number;
}

/**
 * log softmax of the wanted tokens. Nothing is sampled, so the selected token is the likeliest one: the maximum logit. Where
 * whole distributions are asked for, the same normaliser as theirs.
 */
export function readLogprobs(
  next: NextLogits | undefined,
  tokens: readonly number[],
  wanted?: DistributionsWanted,
): number[] {
  if (tokens.length === 0) return [];
  const logits = logitsOf(next);
  const normaliser = wanted === undefined ? toldNormaliser(next, logits) : summedNormaliser(logits);
  return tokens.map((token) => {
    const value = (logits.get(token as Token) ?? Number.NaN) - normaliser;
    if (!Number.isFinite(value)) throw evaluationFailed('a log-prob is not finite');
    return Math.min(value, 0); // float32 sums may leave 1e-8 above zero
  });
}

/** The likeliest next tokens or the whole vocabulary, the likeliest first, equal ones by id. A token that cannot come is left out. */
export function readNextTokens(next: NextLogits | undefined, wanted: DistributionsWanted): NextTokens {
  const logits = logitsOf(next);
  const normaliser = summedNormaliser(logits);
  const ordered = [...logits].filter(([, logit]) => Number.isFinite(logit)).sort(([a, x], [b, y]) => y - x || a - b);
  const told = wanted === 'full' ? ordered : ordered.slice(0, wanted.top);
  return { ids: told.map(([id]) => id), logprobs: told.map(([, logit]) => Math.min(logit - normaliser, 0)) };
}

type Logits = ReadonlyMap<Token, number>;

function logitsOf(next: NextLogits | undefined): Logits {
  if (next?.logits === undefined) throw evaluationFailed('no logits came back');
  return next.logits;
}

function toldNormaliser(next: NextLogits | undefined, logits: Logits): number {
  if (next?.totalLogitWeight === undefined) throw evaluationFailed('no logits came back');
  return highest(logits) + Math.log(next.totalLogitWeight);
}

/** The library's own sum is in 32 bits and in another order than without the other logits: up to 2e-5 off, too much for a tail. */
function summedNormaliser(logits: Logits): number {
  const max = highest(logits);
  let weight = 0;
  for (const logit of logits.values()) weight += Math.exp(logit - max);
  return max + Math.log(weight);
}

function highest(logits: Logits): number {
  let max = -Infinity;
  for (const logit of logits.values()) max = Math.max(max, logit);
  return max;
}

export function evaluationFailed(cause: unknown): TurnwiseError {
  return new TurnwiseError(
    'backend',
    'evaluation_failed',
    `The model could not be evaluated (${errorText(cause).split('\n')[0] ?? ''}); restart the engine, with a smaller --context if memory is short.`,
    { cause },
  );
}
