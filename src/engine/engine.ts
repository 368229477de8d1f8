import type { Token } from 'node-llama-cpp';
import { TurnwiseError } from '../core/error.ts';
import type { Message } from '../core/message.ts';
import { renderChat } from '../core/render-chat.ts';
import { VERSION } from '../core/version.ts';
import { describeModel, type ModelDescription } from './describe-model.ts';
import { createGenerator, promptTooLong, type Generator } from './generate.ts';
import { loadModel, type LoadedModel, type LoadOptions } from './load-model.ts';
import { cannotRollBack, createScorer, type Scorer } from './scorer.ts';
import { selfTest } from './self-test.ts';
import { openTrack } from './track.ts';

/** Tokens of context unless --context says otherwise; never more than the model was trained on. */
const DEFAULT_CONTEXT = 8192;

/** A batch of scoring that has begun holds up an answer that is asked for meanwhile: about so long at most, ms. */
const SCORING_BATCH_MS = 10;

export interface EngineOptions extends LoadOptions {
  readonly contextSize?: number | undefined;
}

/** One model that chats and scores, each on a track of its own. */
export interface Engine {
  readonly description: ModelDescription;
  readonly sha: string;
  readonly gpu: string | null;
  readonly contextSize: number;
  /** Tokens in the vocabulary. */
  readonly vocabularySize: number;
  readonly generator: Generator;
  /** Throws `unsupported` where this model cannot be scored with. */
  scorer(): Scorer;
  /** Why it cannot score, or null. */
  readonly scoringProblem: TurnwiseError | null;
  /** Ids of a text, special tokens recognised, nothing added in front. */
  tokenize(text: string): number[];
  detokenize(ids: readonly number[]): string;
  /** Renders by the model's own template; throws `unsupported`/`no_template` without one. */
  render(messages: readonly Message[], addGenerationPrompt: boolean): string;
  /** Throws `input`/`unknown_token` for an id outside the vocabulary: it would crash native code. */
  checkIds(ids: readonly number[]): void;
  /** Throws `input`/`too_long` naming both lengths. */
  checkLength(ids: readonly number[]): void;
  dispose(): Promise<void>;
}

export const ENGINE_VERSION = VERSION;

/** Loads a model and opens its two tracks; the self-test decides whether it may score. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const loaded = await loadModel(options);
  try {
    return await engineOf(loaded, options.contextSize);
  } catch (thrown) {
    await loaded.dispose();
    throw thrown;
  }
}

async function engineOf(loaded: LoadedModel, asked?: number): Promise<Engine> {
  const { model, vocabularySize } = loaded;
  const contextSize = Math.min(asked ?? DEFAULT_CONTEXT, model.trainContextSize);
  const description = await describeModel(loaded);
  const chatTrack = await openTrack(loaded, contextSize);
  const generator = createGenerator(loaded, chatTrack);
  const scoreTrack = await openTrack(loaded, contextSize);
  const scoringProblem = scoreTrack.canRollBack ? await problemOf(selfTest(loaded, scoreTrack)) : cannotRollBack();
  const scorer = createScorer(scoreTrack, generator.lane, SCORING_BATCH_MS);
  return {
    description,
    sha: loaded.sha,
    gpu: loaded.gpu,
    contextSize,
    vocabularySize,
    generator,
    scoringProblem,
    scorer: () => {
      if (scoringProblem) throw scoringProblem;
      return scorer;
    },
    tokenize: (text) => model.tokenize(text, true),
    detokenize: (ids) => model.detokenize(ids as Token[], true),
    render(messages, addGenerationPrompt) {
      if (description.template) return renderChat(description.template, messages, { addGenerationPrompt });
      throw new TurnwiseError(
        'unsupported',
        'no_template',
        'This GGUF carries no chat template, so it cannot chat; choose an instruction-tuned model.',
      );
    },
    checkIds(ids) {
      const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize);
      if (wrong === undefined) return;
      throw new TurnwiseError(
        'input',
        'unknown_token',
        `Token ${wrong} is not in the vocabulary of ${vocabularySize}; tokenize with this engine.`,
      );
    },
    checkLength(ids) {
      if (ids.length > contextSize) throw promptTooLong(ids.length, contextSize);
    },
    async dispose() {
      // Contexts first: the library's own clean-up has been seen to wait for ones that nobody holds any more.
      await Promise.all([chatTrack.dispose(), scoreTrack.dispose()]);
      await loaded.dispose();
    },
  };
}

async function problemOf(test: Promise<void>): Promise<TurnwiseError | null> {
  try {
    await test;
    return null;
  } catch (thrown) {
    if (thrown instanceof TurnwiseError) return thrown;
    throw thrown;
  }
}
