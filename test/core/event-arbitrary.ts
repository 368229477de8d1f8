import fc from 'fast-check';
import type { GenerationRecord } from '../../src/core/backend.ts';
import type { EventBody, Fork, StoredEvent } from '../../src/core/event.ts';
import { observationKinds } from '../../src/core/observation.ts';
import { REVIEW_LABELS, type OverrideChange } from '../../src/core/override.ts';

/** A generation with nothing unknown, saying `text`. */
export function generationOf(text: string, extra: Partial<GenerationRecord> = {}): GenerationRecord {
  return {
    text,
    finish: 'stop',
    prompt_ids: [1, 2, 3],
    ids: [4, 5],
    logprobs: [-0.25, -1.5],
    logprobs_mode: 'raw',
    sampling: { temperature: 1, top_p: 1, top_k: null, seed: 7, max_tokens: 256 },
    model: 'm',
    model_revision: null,
    server: 's',
    server_version: null,
    template_sha: null,
    tokenizer_sha: null,
    latency_ms: 12,
    first_token_ms: 3,
    ...extra,
  };
}

/** Bodies as stored events of one episode, in order. */
export function stored(bodies: readonly EventBody[], episodeId = 'e', from = 0): StoredEvent[] {
  return bodies.map((body, index) => ({
    id: `event-${from + index}`,
    episode_id: episodeId,
    seq: from + index,
    at: 1000 + from + index,
    version: 1,
    body,
  }));
}

export const started: Extract<EventBody, { type: 'episode_started' }> = {
  type: 'episode_started',
  source: 'simulated',
  task_id: null,
  parent: null,
  agent_prompt: null,
  answer_marker: 'I WANT TO ANSWER:',
  max_turns: 3,
};

const turn = fc.nat({ max: 3 });
const text = fc.constantFrom(
  '',
  'metres',
  'Which?\nA) 1\nB) 2',
  'Sure.\nI WANT TO ANSWER:\nx = 1',
  'éclair 🍰',
  '\u0000\ud800',
);
const generation = fc
  .tuple(
    text,
    fc.option(fc.record({ prompt: fc.nat(), completion: fc.nat() }), { nil: undefined }),
    fc.option(fc.constantFrom<readonly string[]>([], ['read_file']), { nil: undefined }),
  )
  .map(([said, usage, tools]) =>
    generationOf(said, {
      ...(usage === undefined ? {} : { usage }),
      ...(tools === undefined ? {} : { offered_tools: tools }),
    }),
  );
const observation = {
  kind: fc.constantFrom(...observationKinds),
  text,
  options_shown: fc.array(text, { maxLength: 2 }),
  option: fc.option(text),
  latency_ms: fc.option(fc.nat()),
};
const fork: fc.Arbitrary<Fork> = fc.record({
  episode_id: fc.constant('parent'),
  turn,
  group_id: fc.constant('group'),
  request: fc.option(text),
  turns: fc.array(
    fc.record({
      kind: fc.constantFrom('question', 'answer', 'tool_call'),
      text,
      question: fc.option(text),
      options: fc.array(text, { maxLength: 2 }),
      message: fc.option(text),
      code: fc.option(text),
      ids: fc.option(fc.array(fc.nat(), { maxLength: 3 })),
      observations: fc.array(fc.record(observation), { maxLength: 2 }),
    }),
    { maxLength: 3 },
  ),
});
const messages = fc.array(fc.record({ role: fc.constantFrom('system', 'user', 'assistant', 'tool'), content: text }), {
  maxLength: 6,
});

/** Any change of a reviewer's. */
export const overrideChange: fc.Arbitrary<OverrideChange> = fc.oneof(
  fc.record({ field: fc.constant('label' as const), value: fc.option(fc.constantFrom(...REVIEW_LABELS)) }),
  fc.record({ field: fc.constant('note' as const), value: fc.option(fc.constantFrom('a note', 'éclair 🍰')) }),
  fc.record({ field: fc.constantFrom('excluded' as const, 'reviewed' as const), value: fc.boolean() }),
);

/** Any valid event, legal at its place or not. */
export const eventBody: fc.Arbitrary<EventBody> = fc.oneof(
  fc.record({
    type: fc.constant('episode_started' as const),
    source: fc.constant('simulated'),
    task_id: fc.option(fc.constant('task')),
    parent: fc.option(fork),
    agent_prompt: fc.option(text),
    answer_marker: fc.constant('I WANT TO ANSWER:'),
    max_turns: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({
    type: fc.constant('episode_imported' as const),
    source: fc.constant('imported:messages'),
    group_id: fc.option(fc.constant('group')),
    outcome: fc.option(fc.constantFrom(0, 0.5, 1)),
    messages,
    action_ids: fc.option(fc.array(fc.array(fc.nat(), { maxLength: 2 }), { maxLength: 2 })),
    action_states: fc.constant(null),
    row: fc.constantFrom<Record<string, unknown>>({}, { note: 'kept' }),
  }),
  fc.record({ type: fc.constant('request_accepted' as const), text: text.filter((said) => said !== '') }),
  fc.record({ type: fc.constant('action_started' as const), turn, pid: fc.option(fc.integer({ min: 1, max: 99 })) }),
  fc.record({ type: fc.constant('action_asked' as const), turn, question: text, options: fc.array(text), generation }),
  fc.record({ type: fc.constant('action_called' as const), turn, generation }),
  fc.record({ type: fc.constant('action_answered' as const), turn, message: text, code: text, generation }),
  fc.record({ type: fc.constant('action_stopped' as const), turn, generation }),
  fc.record({ type: fc.constant('action_failed' as const), turn, reason: text, message: text, partial: text }),
  fc.record({ type: fc.constant('action_interrupted' as const), turn }),
  fc.record({ type: fc.constant('observed' as const), turn, ...observation }),
  fc.record({
    type: fc.constant('proposal_decided' as const),
    turn,
    decision: fc.constantFrom('accepted', 'rejected'),
  }),
  fc.record({ type: fc.constant('proposal_saved' as const), turn, survival: fc.option(fc.constantFrom(0, 0.5, 1)) }),
  fc.record({ type: fc.constant('tests_run' as const), turn, passed: fc.nat({ max: 5 }), total: fc.constant(5) }),
  fc.record({
    type: fc.constant('rated' as const),
    turn: fc.option(turn),
    thumb: fc.constantFrom<0 | 1 | null>(0, 1, null),
    note: fc.option(text),
  }),
  fc.record({ type: fc.constant('override_set' as const), turn: fc.option(turn), change: overrideChange }),
  fc.record({ type: fc.constant('override_undone' as const), seq: fc.nat({ max: 12 }) }),
  fc.record({
    type: fc.constant('consent_set' as const),
    scope: fc.constantFrom('local-only', 'exportable', 'excluded'),
  }),
  fc.record({ type: fc.constant('titled' as const), title: fc.option(fc.constantFrom('Prices', 'éclair 🍰')) }),
  fc.constant<EventBody>({ type: 'episode_closed' }),
);
