import type { Calibration } from './calibration.ts';
import type { Message } from './message.ts';

/** A token sequence of which positions [from, to) are to be scored; `from` >= 1, since nothing precedes token 0. */
export interface ScoreSequence {
  readonly ids: readonly number[];
  readonly from: number;
  readonly to: number;
}

/** What a scorer held possible at one position: token ids and their log-probs in nats, the likeliest first. */
export interface NextTokens {
  readonly ids: readonly number[];
  readonly logprobs: readonly number[];
}

/** How much of each distribution is asked for: the likeliest tokens, or the whole vocabulary. */
export type DistributionsWanted = { readonly top: number } | 'full';

/** What a scorer made of a list of sequences. */
export interface ScoreResult {
  /** One list per sequence, parallel to positions [from, to): natural log-probs (nats), temperature 1. */
  readonly logprobs: readonly (readonly number[])[];
  /** Where they were asked for: per sequence, parallel to positions [from, to). */
  readonly distributions?: readonly (readonly NextTokens[])[] | undefined;
  /** Tokens the server really ran through the model; null where the server does not say. */
  readonly tokensEvaluated: number | null;
  /** Tokens answered from a prefix cache; null where the server does not say. */
  readonly tokensReused: number | null;
}

/** How a list of sequences is to be scored. */
export interface ScoreRequest {
  readonly signal?: AbortSignal | undefined;
  /**
   * What the request belongs to, an episode for example. A server that keeps a prefix cache may profit from what an earlier
   * request of the same session left there, so that a live conversation pays for its new turn only; it starts anew for
   * another session, so that the cost of an episode does not depend on what was scored before it.
   */
  readonly session?: string | undefined;
  /** Distributions wanted beside the log-probs; only of a scorer whose capabilities name them. */
  readonly distributions?: DistributionsWanted | undefined;
  /** Gets the tokens done so far. */
  readonly onProgress?: ((tokensDone: number) => void) | undefined;
}

/** Which scorer made a number; recorded beside every number (spec, Hazards). Unknown is null. */
export interface ScorerIdentity {
  readonly id: string;
  readonly revision: string | null;
  readonly tokenizer_sha: string | null;
  readonly template_sha: string | null;
  readonly backend: string;
  readonly version: string | null;
}

/** What a server can do, as data learned at connect: code asks for a capability, never for a server's name. */
export interface Capabilities {
  /** Reuses a shared prefix between scored sequences. */
  readonly reusesPrefix: boolean;
  /** The same request twice gives the same bits. */
  readonly deterministic: boolean;
  /** Says how many tokens it ran through the model. */
  readonly countsTokens: boolean;
  /** Scoring requests that it may be asked side by side without harm. */
  readonly concurrency: number;
  /** Whether it tells what else it held possible: the likeliest tokens, or the whole vocabulary as well; absent: neither. */
  readonly distributions?: 'top' | 'full' | undefined;
}

/** The chat template of a model and what is needed to render it. */
export interface ChatTemplate {
  readonly source: string;
  /** Texts of tokens that end a turn, `<|im_end|>` for example; the longest match after an action is its end-of-turn token. */
  readonly endOfTurn: readonly string[];
  readonly bosToken: string | null;
  readonly eosToken: string | null;
}

/**
 * A conversation as the model sees it; with `addGenerationPrompt` it ends where the next action begins, with `tools` it is told of
 * these as its template does.
 */
export type RenderConversation = (
  messages: readonly Message[],
  options: {
    readonly addGenerationPrompt: boolean;
    readonly signal?: AbortSignal | undefined;
    readonly tools?: readonly ToolDefinition[] | undefined;
  },
) => Promise<string>;

/** Bounds and facts of a scorer, learned at connect. */
export interface ScorerFacts {
  /**
   * Renders a conversation where only the server can, since it keeps its template to itself (`template.source` is empty then);
   * null where the template does it here.
   */
  readonly render: RenderConversation | null;
  readonly identity: ScorerIdentity;
  readonly capabilities: Capabilities;
  /** What would make it score better or cheaper, one sentence each, with the flag to set; empty where nothing would. */
  readonly advice: readonly string[];
  readonly template: ChatTemplate;
  /** Longest sequence it takes, in tokens. */
  readonly contextSize: number;
  /** Sentence to show with every number of a toy model, else null. */
  readonly notice: string | null;
  /** Mean and sd of this scorer's placebo gains (spec S1) under the default options, where its card knows them. */
  readonly placebo: { readonly mean: number; readonly sd: number; readonly n: number } | null;
  /** What its card or a measurement knows under other options, and which placeholders are fit for it. */
  readonly calibration?: Calibration | undefined;
  /** Whether the agent's instructions go in front of a conversation with this model; a toy was trained without. */
  readonly takesAgentPrompt: boolean;
}

/**
 * A server that scores given tokens. Every implementation runs the same contract suite. All methods throw `TurnwiseError`
 * (fault `backend`, `protocol` or `unsupported`) with a stable reason; an aborted signal rejects promptly with `aborted`.
 */
export interface Backend {
  readonly name: string;
  /** Connects, checks that scoring works, and reports what it learned; cached by the implementation. */
  facts(signal?: AbortSignal): Promise<ScorerFacts>;
  /** Token ids of each text, special tokens recognised, nothing added in front or behind. */
  tokenize(texts: readonly string[], signal?: AbortSignal): Promise<number[][]>;
  detokenize(ids: readonly number[], signal?: AbortSignal): Promise<string>;
  /** Scores every sequence; every returned number is finite and <= 1e-6. */
  score(sequences: readonly ScoreSequence[], request?: ScoreRequest): Promise<ScoreResult>;
  close(): Promise<void>;
}

/** Sampling parameters that a server was asked to use. */
export interface Sampling {
  readonly temperature: number;
  readonly top_p: number;
  readonly top_k: number | null;
  readonly seed: number | null;
  readonly max_tokens: number | null;
}

/** Everything a chat server told about one finished generation; unknown is null. */
export interface GenerationRecord {
  readonly text: string;
  readonly finish: 'stop' | 'length' | 'stopped';
  /** Exact ids of the rendered prompt, as the server saw it. */
  readonly prompt_ids: readonly number[] | null;
  /** Exact generated ids, end-of-turn token included where one was emitted. */
  readonly ids: readonly number[] | null;
  /** Behaviour log-probs parallel to `ids`. */
  readonly logprobs: readonly number[] | null;
  /** Whether they are the model's own (raw) or those of the distribution that was sampled (processed). */
  readonly logprobs_mode: 'raw' | 'processed' | null;
  readonly sampling: Sampling;
  readonly model: string;
  readonly model_revision: string | null;
  readonly server: string;
  readonly server_version: string | null;
  readonly template_sha: string | null;
  readonly tokenizer_sha: string | null;
  readonly latency_ms: number;
  readonly first_token_ms: number | null;
  /** Tokens of prompt and answer as the server counts them, also where it tells no ids; null or absent: it did not say. */
  readonly usage?: { readonly prompt: number; readonly completion: number } | null | undefined;
  /** Names of the tools that the server was told of, as far as it took them; absent: none. */
  readonly offered_tools?: readonly string[] | undefined;
}

/** A tool as a server is told of it. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of an object. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Tools that the model may call in its next action; with `none` it is told of them and may not. */
export interface ToolOffer {
  readonly definitions: readonly ToolDefinition[];
  readonly choice: 'auto' | 'none';
}

/** What a generation reports while it runs; exactly one of the last three ends it. It never throws for a model's failure. */
export type ChatEvent =
  | { readonly type: 'delta'; readonly text: string }
  | { readonly type: 'finished'; readonly record: GenerationRecord }
  | { readonly type: 'stopped'; readonly record: GenerationRecord }
  | { readonly type: 'failed'; readonly reason: string; readonly message: string; readonly partial: string };

/** A server that chats. */
export interface ChatBackend {
  readonly name: string;
  stream(
    messages: readonly Message[],
    options: { readonly sampling: Sampling; readonly signal?: AbortSignal; readonly tools?: ToolOffer | undefined },
  ): AsyncGenerator<ChatEvent, void, void>;
}
