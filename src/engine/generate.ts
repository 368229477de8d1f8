import { randomInt } from 'node:crypto';
import type { Token } from 'node-llama-cpp';
import { TurnwiseError } from '../core/error.ts';
import { createLane, type Lane } from './lane.ts';
import type { LoadedModel } from './load-model.ts';
import { createTextStream } from './text-stream.ts';
import { batchSizes, SMALLEST_BATCH, type Track } from './track.ts';

export interface GenerateRequest {
  readonly promptIds: readonly number[];
  readonly temperature: number;
  readonly topP: number;
  /** 0: off. */
  readonly topK: number;
  /** Null: a random one. */
  readonly seed: number | null;
  /** Null: to the end of the context. */
  readonly maxTokens: number | null;
  readonly stop: readonly string[];
}

/** One generated token; `text` is what became readable with it, and is often empty. */
export interface GeneratedToken {
  readonly id: number;
  readonly text: string;
  readonly logprob: number | null;
}

export interface GenerationEnd {
  readonly finish: 'stop' | 'length';
  /** Text that was held back until the end. */
  readonly text: string;
  readonly cachedTokens: number;
}

export interface Generator {
  /** Who generates now; others can let it go first. */
  readonly lane: Lane;
  readonly contextSize: number;
  /** Generates, one request at a time. `onToken` sees every token, the end-of-turn token included. */
  generate(
    request: GenerateRequest,
    onToken: (token: GeneratedToken) => void,
    signal?: AbortSignal,
  ): Promise<GenerationEnd>;
}

/**
 * Whose log-probs a generation reports: at temperature 1 without truncation the model's own distribution is the one that is
 * sampled; greedy decoding reports the model's own as well. Otherwise they are those of the sampled distribution.
 */
export function logprobsMode(request: Pick<GenerateRequest, 'temperature' | 'topP' | 'topK'>): 'raw' | 'processed' {
  const { temperature, topP, topK } = request;
  return temperature === 0 || (temperature === 1 && topP === 1 && topK === 0) ? 'raw' : 'processed';
}

/**
 * Chats on a track of its own. A prompt reuses cells that earlier prompts wrote, and none that generation wrote: the same
 * seed gives the same tokens whatever came before.
 */
export function createGenerator({ model }: LoadedModel, track: Track): Generator {
  const lane = createLane();
  const detokenize = (ids: readonly number[]): string => model.detokenize(ids as Token[], true);

  async function generate(
    request: GenerateRequest,
    onToken: (token: GeneratedToken) => void,
    signal?: AbortSignal,
  ): Promise<GenerationEnd> {
    const { promptIds, temperature, topP, topK, maxTokens } = request;
    const room = track.contextSize - promptIds.length;
    if (room <= 0) throw promptTooLong(promptIds.length, track.contextSize);
    const cachedTokens = reusable(track, promptIds);
    const rest = promptIds.slice(cachedTokens);
    const last = batchSizes(rest.length, track.batchSize).at(-1) ?? 0;
    await track.append(cachedTokens, rest.slice(0, rest.length - last), () => [], { signal });
    const budget = Math.min(maxTokens ?? room, room);
    const text = createTextStream(detokenize, request.stop);
    if (budget === 0) return { finish: 'length', text: '', cachedTokens };
    const seed = request.seed ?? randomInt(2 ** 32);
    let count = 0;
    for await (const { id, probability } of track.sample(rest.slice(rest.length - last), {
      temperature,
      topP,
      topK,
      seed,
    })) {
      signal?.throwIfAborted();
      count += 1;
      const ended = model.isEogToken(id as Token);
      const logprob = probability > 0 ? Math.min(0, Math.log(probability)) : null;
      onToken({ id, text: ended ? '' : text.push(id), logprob });
      if (ended || text.stopped) return { finish: 'stop', text: text.flush(), cachedTokens };
      if (count === budget) return { finish: 'length', text: text.flush(), cachedTokens };
    }
    return { finish: 'length', text: text.flush(), cachedTokens };
  }

  return {
    lane,
    contextSize: track.contextSize,
    generate: (request, onToken, signal) => lane.run(() => generate(request, onToken, signal), signal),
  };
}

/** Cached prompt tokens to build on; the last batch is always run again, since sampling reads behind it. */
function reusable(track: Track, promptIds: readonly number[]): number {
  if (!track.canRollBack) return 0;
  const cached = track.cached();
  const most = Math.max(0, promptIds.length - SMALLEST_BATCH);
  let shared = 0;
  while (shared < most && cached[shared] === promptIds[shared]) shared += 1;
  return shared;
}

export function promptTooLong(tokens: number, contextSize: number): TurnwiseError {
  return new TurnwiseError(
    'input',
    'too_long',
    `${tokens} tokens do not fit into the context of ${contextSize}; shorten the conversation or start the engine with a larger --context.`,
  );
}
