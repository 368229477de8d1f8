import type { LlamaContext, LlamaContextOptions, LlamaContextSequence, Token } from 'node-llama-cpp';
import type { DistributionsWanted, NextTokens } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';
import { askNext, evaluationFailed, readLogprobs, readNextTokens } from './next-logits.ts';
import { outOfMemory, type LoadedModel } from './load-model.ts';

/**
 * Fewest tokens in a batch, and fewest read off from one. llama.cpp computes batches of one and two tokens with other kernels, whose results differ (1e-3
 * nats and more, 0.1 on quantised weights); from three on they are the same to the last bit, however a text is cut.
 */
export const SMALLEST_BATCH = 3;

/** Logits of a whole batch lie in memory at once: vocabulary x batch x 4 bytes. */
const BATCH = 512;
const BATCH_LARGE_VOCABULARY = 256;
const LARGE_VOCABULARY = 65_536;

export interface AppendOptions {
  readonly signal?: AbortSignal | undefined;
  /** Awaited before each batch, so that something more urgent can go first. */
  readonly beforeBatch?: (() => Promise<void>) | undefined;
  readonly onBatch?: ((tokens: number) => void) | undefined;
  /** Most tokens of the batch that comes next, at least twice `SMALLEST_BATCH`; default: as many as fit. */
  readonly mostTokens?: (() => number) | undefined;
  /** What to tell of every position behind which a next token is wanted, besides the log-prob of that one. */
  readonly distributions?: DistributionsWanted | undefined;
}

/** Log-probs per appended id: the wanted next tokens behind it, in the order asked (nats). */
export interface Appended {
  readonly logprobs: readonly (readonly number[])[];
  /** Per appended id what may come next, where that was asked for and a next token was wanted; else null. */
  readonly distributions: readonly (NextTokens | null)[];
  /** Tokens run through the model, those redone to fill a batch included. */
  readonly evaluated: number;
}

/** One KV-cache sequence in a context of its own, whose kept cells were all written by batches of `SMALLEST_BATCH` or more. */
export interface Track {
  /** Longest sequence, in tokens. */
  readonly contextSize: number;
  readonly batchSize: number;
  /** Whether cells can be taken back; recurrent models cannot. */
  readonly canRollBack: boolean;
  /** Ids in the cache. */
  cached(): readonly number[];
  /** Takes back everything from depth `depth` on. A model that cannot roll back forgets everything. */
  rollBack(depth: number): Promise<void>;
  /** Rolls back to `start`, appends `ids`, and reads off the log-probs of `wanted[i]` behind `ids[i]`. */
  append(
    start: number,
    ids: readonly number[],
    wanted: (offset: number) => readonly number[],
    options?: AppendOptions,
  ): Promise<Appended>;
  /**
   * Evaluates a prompt's last batch with sampling, then yields sampled tokens, one-token batches. What it generates is
   * taken back in the end: only the prompt stays.
   */
  sample(tail: readonly number[], options: SampleOptions): AsyncGenerator<SampledToken, void, void>;
  dispose(): Promise<void>;
}

export interface SampleOptions {
  readonly temperature: number;
  readonly topP: number;
  /** 0: off. */
  readonly topK: number;
  readonly seed: number;
}

export interface SampledToken {
  readonly id: number;
  /** Probability under the distribution that was sampled from. */
  readonly probability: number;
}

/** Flash attention stays off: with it, single tokens differ by up to 8e-3 nats. */
export function exactOptions({ threads, float32 }: LoadedModel): LlamaContextOptions {
  const cache = float32 ? ({ experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32' } as const) : {};
  return { flashAttention: false, threads, ...cache };
}

/** Opens a context with one sequence. */
export async function openTrack(loaded: LoadedModel, contextSize: number): Promise<Track> {
  const { model, vocabularySize } = loaded;
  let context: LlamaContext;
  try {
    context = await model.createContext({
      contextSize,
      batchSize: Math.min(contextSize, vocabularySize > LARGE_VOCABULARY ? BATCH_LARGE_VOCABULARY : BATCH),
      sequences: 1,
      ...exactOptions(loaded),
      // A sliding window that forgets cells could not be rolled back.
      swaFullCache: true,
      failedCreationRemedy: false,
    });
  } catch (cause) {
    throw outOfMemory(cause);
  }
  const sequence = context.getSequence({
    contextShift: {
      strategy: () => {
        throw new TurnwiseError('input', 'too_long', `The context of ${contextSize} tokens is full; say less.`);
      },
    },
  });
  return trackOf(context, sequence, contextSize);
}

/** Sizes of the batches that `count` tokens are cut into: at most `batch` each, and none below `SMALLEST_BATCH` unless `count` is. */
export function batchSizes(count: number, batch: number): number[] {
  const sizes: number[] = [];
  for (let left = count; left > 0; left -= sizes.at(-1) ?? left) sizes.push(nextBatch(left, batch));
  return sizes;
}

function nextBatch(left: number, batch: number): number {
  if (left <= batch) return left;
  return left - batch < SMALLEST_BATCH ? batch - SMALLEST_BATCH : batch;
}

function trackOf(context: LlamaContext, sequence: LlamaContextSequence, contextSize: number): Track {
  const cells: number[] = [];
  const canRollBack = !sequence.needsCheckpoints;

  async function rollBack(depth: number): Promise<void> {
    const keep = canRollBack || depth >= sequence.nextTokenIndex ? depth : 0;
    cells.length = Math.min(cells.length, keep);
    if (sequence.nextTokenIndex <= keep) return;
    if (keep === 0) await sequence.clearHistory();
    else await sequence.eraseContextTokenRanges([{ start: keep, end: sequence.nextTokenIndex }]);
    if (sequence.nextTokenIndex !== keep) throw rollbackFailed();
  }

  /** After a failure nobody knows what the cache holds. */
  async function forget(): Promise<void> {
    cells.length = 0;
    await sequence.clearHistory().catch(() => undefined);
  }

  async function append(
    start: number,
    ids: readonly number[],
    wanted: (offset: number) => readonly number[],
    { signal, beforeBatch, onBatch, mostTokens, distributions: wantedTokens }: AppendOptions = {},
  ): Promise<Appended> {
    if (ids.length === 0) {
      await rollBack(start);
      return { logprobs: [], distributions: [], evaluated: 0 };
    }
    // A stretch too short for a batch is filled from behind: the tokens before it are run again. At the very beginning there
    // are none, so it is filled in front: attention is causal, and what a later token computes touches no earlier one.
    const redone = Math.min(Math.max(0, SMALLEST_BATCH - ids.length), start);
    const head = start - redone;
    const filler = Math.max(0, SMALLEST_BATCH - ids.length - redone);
    const line = [...cells.slice(head, start), ...ids, ...Array.from({ length: filler }, () => ids.at(-1) ?? 0)];
    const logprobs: number[][] = [];
    const distributions: (NextTokens | null)[] = [];
    await rollBack(head);
    let done = 0;
    while (done < line.length) {
      signal?.throwIfAborted();
      await beforeBatch?.();
      signal?.throwIfAborted();
      const most = Math.min(context.batchSize, mostTokens?.() ?? context.batchSize);
      const size = nextBatch(line.length - done, most);
      const wants = line.slice(done, done + size).map((_, at) => {
        const offset = done + at - redone;
        return offset >= 0 && offset < ids.length ? wanted(offset) : [];
      });
      const also = companions(wants);
      const input = wants.map((tokens, at) => askNext(line[done + at] ?? 0, tokens, also.has(at), wantedTokens));
      try {
        const out = await sequence.controlledEvaluate(input);
        for (let at = 0; at < size; at += 1) {
          const offset = done + at - redone;
          if (offset < 0 || offset >= ids.length) continue;
          logprobs.push(readLogprobs(out[at]?.next, wants[at] ?? [], wantedTokens));
          const some = wantedTokens !== undefined && (wants[at]?.length ?? 0) > 0;
          distributions.push(some ? readNextTokens(out[at]?.next, wantedTokens) : null);
        }
      } catch (thrown) {
        await forget();
        throw thrown instanceof TurnwiseError ? thrown : evaluationFailed(thrown);
      }
      cells.push(...line.slice(done, done + size));
      done += size;
      onBatch?.(size);
    }
    if (filler > 0) await rollBack(start + ids.length);
    return { logprobs, distributions, evaluated: line.length };
  }

  async function* sample(
    tail: readonly number[],
    { temperature, topP, topK, seed }: SampleOptions,
  ): AsyncGenerator<SampledToken, void, void> {
    const stream = sequence.evaluateWithMetadata(
      tail as Token[],
      { confidence: true },
      { temperature, topP, topK, seed, yieldEogToken: true },
    );
    let first = true;
    try {
      for await (const { token, confidence } of stream) {
        // A prompt of one or two tokens ran on the other kernels, and must not be built on.
        if (first && tail.length >= SMALLEST_BATCH) cells.push(...tail);
        first = false;
        yield { id: token, probability: confidence };
      }
    } catch (thrown) {
      await forget();
      throw thrown instanceof TurnwiseError ? thrown : evaluationFailed(thrown);
    } finally {
      await rollBack(cells.length);
    }
  }

  return {
    contextSize,
    batchSize: context.batchSize,
    canRollBack,
    cached: () => cells,
    rollBack,
    append,
    sample,
    dispose: () => context.dispose(),
  };
}

/**
 * Positions to read off for company. The last layer and the logits are computed for the positions that are read alone, so
 * that one or two of them would be a batch below `SMALLEST_BATCH` again (3e-7 nats on F16 weights, more on quantised ones).
 */
function companions(wants: readonly (readonly number[])[]): ReadonlySet<number> {
  const read = wants.filter((tokens) => tokens.length > 0).length;
  if (read === 0) return new Set();
  const idle = wants.flatMap((tokens, at) => (tokens.length === 0 ? [at] : []));
  return new Set(idle.slice(0, Math.max(0, SMALLEST_BATCH - read)));
}

function rollbackFailed(): TurnwiseError {
  return new TurnwiseError(
    'unsupported',
    'cannot_roll_back',
    'This model cannot roll back its context, which exact scoring needs; choose another scorer.',
  );
}
