import { randomUUID } from 'node:crypto';
import { TurnwiseError } from '../core/error.ts';
import type { Engine } from './engine.ts';
import { logprobsMode, type GeneratedToken } from './generate.ts';
import { parseBody, type Exchange } from './http.ts';
import { checkModel } from './model-route.ts';
import { completionRequestSchema, type CompletionRequest } from './requests.ts';

/** OpenAI's default for completions. */
const DEFAULT_MAX_TOKENS = 16;

/**
 * `POST /v1/completions`: goes on from a text or from token ids. `echo` with `logprobs`, or `prompt_logprobs`, scores the
 * prompt itself, exactly as `/score` does; then `max_tokens` may be 0.
 */
export async function answerCompletion(engine: Engine, { body, signal }: Exchange): Promise<object> {
  const request = parseBody(completionRequestSchema, body);
  checkModel(engine, request.model);
  const promptIds = idsOf(engine, request.prompt);
  const echo = request.echo ?? false;
  const maxTokens = request.max_tokens ?? DEFAULT_MAX_TOKENS;
  const wantsLogprobs = typeof request.logprobs === 'number' || request.logprobs === true;
  const scoresPrompt = request.prompt_logprobs != null || (echo && wantsLogprobs);
  if (promptIds.length === 0) throw refused('prompt: is empty; give it at least one token.');
  if (maxTokens === 0 && !echo && !scoresPrompt) throw refused('max_tokens: 0 needs echo or prompt_logprobs.');
  engine.checkIds(promptIds);
  engine.checkLength(promptIds);

  const promptLogprobs = scoresPrompt ? await scorePrompt(engine, promptIds, signal) : [];
  const tokens: GeneratedToken[] = [];
  const generation = {
    promptIds,
    temperature: request.temperature,
    topP: request.top_p,
    topK: request.top_k,
    seed: request.seed,
    maxTokens,
    stop: request.stop,
  };
  const end =
    maxTokens === 0
      ? { finish: 'length', text: '' }
      : await engine.generator.generate(generation, (token) => tokens.push(token), signal);
  const generated = tokens.map(({ text }) => text).join('') + end.text;
  const ids = [...(echo ? promptIds : []), ...tokens.map(({ id }) => id)];
  const logprobs = [...(echo ? promptLogprobs : []), ...tokens.map(({ logprob }) => logprob)];
  return {
    id: `cmpl-${randomUUID()}`,
    object: 'text_completion',
    created: Math.floor(Date.now() / 1000),
    model: engine.description.id,
    ...(wantsLogprobs ? { logprobs_mode: logprobsMode(generation) } : {}),
    choices: [
      {
        index: 0,
        text: (echo ? engine.detokenize(promptIds) : '') + generated,
        finish_reason: end.finish,
        logprobs: wantsLogprobs ? logprobRows(engine, ids, logprobs) : null,
        ...(request.prompt_logprobs == null ? {} : { prompt_logprobs: promptRows(engine, promptIds, promptLogprobs) }),
        ...(request.return_token_ids ? { prompt_token_ids: promptIds, token_ids: tokens.map(({ id }) => id) } : {}),
      },
    ],
    usage: {
      prompt_tokens: promptIds.length,
      completion_tokens: tokens.length,
      total_tokens: promptIds.length + tokens.length,
    },
  };
}

function idsOf(engine: Engine, prompt: CompletionRequest['prompt']): readonly number[] {
  if (typeof prompt === 'string') return engine.tokenize(prompt);
  const [only] = prompt;
  if (typeof only === 'string') return engine.tokenize(only);
  return Array.isArray(only) ? only : (prompt as readonly number[]);
}

/** Null for the first token: nothing stands before it. */
async function scorePrompt(engine: Engine, ids: readonly number[], signal: AbortSignal): Promise<(number | null)[]> {
  const sequence = { ids, from: 1, to: ids.length };
  const { logprobs } = await engine.scorer().score(ids.length > 1 ? [sequence] : [], { signal });
  return [null, ...(logprobs[0] ?? [])];
}

function logprobRows(engine: Engine, ids: readonly number[], logprobs: readonly (number | null)[]): object {
  const tokens = ids.map((id) => engine.detokenize([id]));
  let offset = 0;
  const offsets = tokens.map((token) => (offset += token.length) - token.length);
  return { tokens, token_logprobs: logprobs, top_logprobs: null, text_offset: offsets };
}

function promptRows(engine: Engine, ids: readonly number[], logprobs: readonly (number | null)[]): (object | null)[] {
  return ids.map((id, position) => {
    const logprob = logprobs[position] ?? null;
    return logprob === null ? null : { [id]: { logprob, decoded_token: engine.detokenize([id]) } };
  });
}

function refused(message: string): TurnwiseError {
  return new TurnwiseError('input', 'invalid_request', message);
}
