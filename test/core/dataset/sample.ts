import { layContexts } from '../../../src/app/contexts.ts';
import type { PreparedAction } from '../../../src/app/prepare.ts';
import type { GenerationRecord } from '../../../src/core/backend.ts';
import { estimate, shifts } from '../../../src/core/credit/gain.ts';
import type { EpisodeState } from '../../../src/core/episode-state.ts';
import type { EventBody } from '../../../src/core/event.ts';
import type { Message } from '../../../src/core/message.ts';
import type { NullReason } from '../../../src/core/observation.ts';
import {
  isKlEstimator,
  SCORE_SCHEMA,
  type ScoredEpisode,
  type ScoredTurn,
  type ScoreOptions,
} from '../../../src/core/scored-episode.ts';
import { segment } from '../../../src/core/transcript.ts';

/** What a sample conversation is made of. */
export interface SampleSpec {
  readonly id: string;
  readonly task?: string | null;
  readonly source?: string;
  /** Questions before the answer. */
  readonly questions: number;
  /** Tests passed of four; null: never run. */
  readonly passed: number | null;
  /** Turns whose gain is unknown for this reason. */
  readonly unknown?: Readonly<Record<number, NullReason>>;
  /** The template drops the first word of every earlier action. */
  readonly rewrites?: boolean;
  /** The server told its token ids and log-probs. */
  readonly recorded?: boolean;
  readonly stoppedTurn?: number;
  readonly reply?: (turn: number) => string;
  readonly seed?: number;
}

/** Numbers in [0, 1) that a seed decides. */
export function random(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const START = 1;
const END = 2;
const roles = { system: 3, user: 4, assistant: 5, tool: 6 } as const;

function wordIds(text: string): number[] {
  return text
    .split(' ')
    .map((word) => 10 + (Buffer.from(word).reduce((sum, byte) => (sum * 31 + byte) % 65_521, 7) % 9000));
}

/** A toy template: start, role, words, end for every message; then start and role of the next action. */
export function promptIds(messages: readonly Message[], rewrites = false): number[] {
  const rendered = messages.flatMap(({ role, content }) => [
    START,
    roles[role],
    ...(rewrites && role === 'assistant' ? wordIds(content).slice(1) : wordIds(content)),
    END,
  ]);
  return [...rendered, START, roles.assistant];
}

export function actionIds(text: string): number[] {
  return [...wordIds(text), END];
}

/** The events of a sample conversation, as a journal would hold them. */
export function sampleEvents(spec: SampleSpec): EventBody[] {
  const { source = 'simulated', task = null, questions, passed, rewrites = false, recorded = true } = spec;
  const next = random(spec.seed ?? 1);
  const messages: Message[] = [{ role: 'user', content: `please write function ${spec.id}` }];
  const generation = (text: string): GenerationRecord => {
    const ids = actionIds(text);
    const record: GenerationRecord = {
      text,
      finish: 'stop',
      prompt_ids: recorded ? promptIds(messages, rewrites) : null,
      ids: recorded ? ids : null,
      logprobs: recorded ? ids.map(() => -3 * next()) : null,
      logprobs_mode: recorded ? 'raw' : null,
      sampling: { temperature: 1, top_p: 1, top_k: null, seed: 2 ** 33 + messages.length, max_tokens: 64 },
      model: 'toy',
      model_revision: null,
      server: 'engine',
      server_version: '0',
      template_sha: 't',
      tokenizer_sha: 'k',
      latency_ms: 5,
      first_token_ms: null,
    };
    messages.push({ role: 'assistant', content: text });
    return record;
  };
  const events: EventBody[] = [
    {
      type: 'episode_started',
      source,
      task_id: task,
      parent: null,
      agent_prompt: null,
      answer_marker: 'I WANT TO ANSWER:',
      max_turns: 10,
    },
    { type: 'request_accepted', text: messages[0]?.content ?? '' },
  ];
  for (let turn = 0; turn < questions; turn += 1) {
    const question = `which bound ${turn} do you want`;
    events.push({ type: 'action_started', turn, pid: 1 });
    const record = generation(question);
    events.push(
      spec.stoppedTurn === turn
        ? { type: 'action_stopped', turn, generation: { ...record, finish: 'stopped' } }
        : { type: 'action_asked', turn, question, options: [], generation: record },
    );
    const text = spec.reply?.(turn) ?? `use ${Math.floor(next() * 90)} inclusive`;
    messages.push({ role: 'user', content: text });
    events.push({
      type: 'observed',
      turn,
      kind: turn % 2 === 0 ? 'typed' : 'option',
      text,
      options_shown: [],
      option: null,
      latency_ms: 1000 + turn,
    });
  }
  events.push({ type: 'action_started', turn: questions, pid: 1 });
  const code = `return ${spec.id}`;
  events.push({
    type: 'action_answered',
    turn: questions,
    message: '',
    code,
    generation: generation(`I WANT TO ANSWER: ${code}`),
  });
  if (passed !== null) events.push({ type: 'tests_run', turn: questions, passed, total: 4 });
  return events;
}

export const sampleOptions: ScoreOptions = {
  estimator: 'shift_mean',
  clip: null,
  placeholder: 'No information found.',
  mask_mode: 'length_matched',
  seed: 0,
  noise: 0,
};

/** Scores of a sample conversation: spans and shapes as the scorer makes them, log-probs drawn from the seed. */
export function sampleScores(state: EpisodeState, spec: SampleSpec, options = sampleOptions): ScoredEpisode {
  const next = random((spec.seed ?? 1) + 77);
  const { messages } = state;
  const spans = segment(messages);
  const actions = spans.map((turn): PreparedAction => ({
    turn,
    state: state.turns[turn.index]?.state ?? 'sampled',
    ids: actionIds(messages[turn.action]?.content ?? ''),
    tokenSource: spec.recorded === false ? 'scorer' : 'policy',
    contextIds: promptIds(messages.slice(0, turn.action), spec.rewrites),
    cut: null,
    cutProblem: null,
  }));
  const { contexts, places } = layContexts(actions);
  const turns = spans.map(({ index, observations }): ScoredTurn => {
    const action = actions[index];
    const after = actions[index + 1];
    const sampled = action?.state === 'sampled';
    const reason = after === undefined ? 'no_next_action' : (spec.unknown?.[index] ?? null);
    const text = messages[observations[0] ?? -1]?.content ?? '';
    const end = (after?.contextIds.length ?? 0) - 3;
    const logps = (spread: number): number[] => (after?.ids ?? []).map(() => -spread * next() - 0.01);
    const [factual, masked] = [logps(1), logps(2)];
    const d = shifts(factual, masked);
    const known = reason === null;
    if (isKlEstimator(options.estimator)) throw new Error('a sample has no distributions');
    const { estimator } = options;
    return {
      index,
      tokens: sampled ? action.ids.length : 0,
      action_state: action?.state ?? 'sampled',
      gain: known ? estimate(estimator, d, options.clip) : null,
      gain_sum: known ? estimate('shift_sum', d, null) : null,
      null_reason: reason,
      flags: after?.state === 'stopped' ? ['next_action_stopped'] : [],
      action_ids: [...(action?.ids ?? [])],
      token_source: action?.tokenSource ?? 'scorer',
      context: places[index]?.context ?? null,
      action_start: places[index]?.start ?? null,
      action_end: places[index]?.end ?? null,
      obs_context: known ? (places[index + 1]?.context ?? null) : null,
      obs_start: known ? end - wordIds(text).length : null,
      obs_end: known ? end : null,
      gain_nocopy: null,
      mask_donor: null,
      next_from: known ? (after?.contextIds.length ?? null) : null,
      mask_ids: null,
      mask_truncated: false,
      factual_ids_sha: null,
      masked_ids_sha: null,
      logp_factual: known ? factual : null,
      logp_masked: known ? masked : null,
      noise: null,
    };
  });
  return {
    schema: SCORE_SCHEMA,
    episode_id: state.id,
    group_id: state.groupId,
    group_rule: state.groupRule,
    outcome: null,
    scorer: { id: 'toy', revision: 'r1', tokenizer_sha: 'k', template_sha: 't', backend: 'engine', version: '0' },
    placebo: null,
    options,
    tokens_evaluated: null,
    tokens_limit: 0,
    contexts,
    turns,
  };
}

/** Twelve conversations of several groups that meet every rung: known, unknown and lone outcomes, null gains, rewritten history. */
export const sampleSpecs: readonly SampleSpec[] = [
  { id: 'a1', task: 'alpha', questions: 2, passed: 4, seed: 1 },
  { id: 'a2', task: 'alpha', questions: 3, passed: 0, seed: 2 },
  { id: 'a3', task: 'alpha', questions: 1, passed: 2, seed: 3 },
  { id: 'b1', task: 'beta', questions: 2, passed: 1, seed: 4, unknown: { 0: 'straddle' } },
  { id: 'b2', task: 'beta', questions: 2, passed: 1, seed: 5, recorded: false },
  { id: 'c1', questions: 4, passed: 3, seed: 6 },
  { id: 'd1', questions: 2, passed: null, seed: 7 },
  { id: 'e1', task: 'eps', questions: 2, passed: 4, seed: 8, rewrites: true },
  { id: 'e2', task: 'eps', questions: 3, passed: 2, seed: 9, rewrites: true, recorded: false },
  { id: 'f1', task: 'phi', questions: 3, passed: 0, seed: 10, stoppedTurn: 1 },
  { id: 'g1', task: 'gam', questions: 0, passed: 4, seed: 11 },
  { id: 'h1', task: 'eta', questions: 1, passed: null, seed: 12, unknown: { 0: 'mask_equals_reply' } },
];
