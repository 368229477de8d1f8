import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Refusal } from '../../src/core/episode-state.ts';
import type { EventBody, StoredEvent } from '../../src/core/event.ts';
import { fork } from '../../src/core/fork.ts';
import { NO_OVERRIDE } from '../../src/core/override.ts';
import { initialState, reduce, step } from '../../src/core/reduce.ts';
import { toTranscript } from '../../src/core/to-transcript.ts';
import { segment, transcriptSchema } from '../../src/core/transcript.ts';
import { eventBody, generationOf, started, stored } from './event-arbitrary.ts';

const request: EventBody = { type: 'request_accepted', text: 'Convert it.' };
const start = (turn: number): EventBody => ({ type: 'action_started', turn, pid: 1 });
const asked = (turn: number): EventBody => ({
  type: 'action_asked',
  turn,
  question: 'Which unit?',
  options: ['metres', 'feet'],
  generation: generationOf('Which unit?\nA) metres\nB) feet'),
});
const answered = (turn: number): EventBody => ({
  type: 'action_answered',
  turn,
  message: 'Sure.',
  code: 'x = 1\n',
  generation: generationOf('Sure.\nI WANT TO ANSWER:\nx = 1', { ids: [8, 9] }),
});
const replied = (turn: number, text = 'metres'): EventBody => ({
  type: 'observed',
  turn,
  kind: 'option',
  text,
  options_shown: ['metres', 'feet'],
  option: text,
  latency_ms: 900,
});
const closed: EventBody = { type: 'episode_closed' };
const asking = [started, request, start(0), asked(0)];
const whole = [...asking, replied(0), start(1), answered(1)];

test.each<[Refusal, EventBody[], EventBody]>([
  ['not_started', [], request],
  ['not_started', [], closed],
  ['already_started', [started], started],
  ['already_requested', [started, request], request],
  ['closed', [started, closed], request],
  ['closed', [...asking, closed], replied(0)],
  ['closed', [started, closed], closed],
  ['not_the_agents_turn', [started], start(0)],
  ['not_the_agents_turn', asking, start(1)],
  ['no_such_turn', [started, request], start(1)],
  ['action_running', [started, request, start(0)], start(0)],
  ['action_running', [started, request, start(0)], closed],
  ['action_running', [...asking, replied(0), start(1)], replied(0)],
  ['no_action_running', [started, request], asked(0)],
  ['no_action_running', [started, request, start(0)], asked(1)],
  ['no_action_running', whole, { type: 'action_interrupted', turn: 1 }],
  ['turn_limit', [{ ...started, max_turns: 1 }, request, start(0), asked(0), replied(0)], start(1)],
  ['not_the_developers_turn', [started, request], replied(0)],
  ['no_such_turn', [...asking, replied(0), start(1), asked(1)], replied(0)],
  ['no_such_turn', asking, { type: 'rated', turn: 1, thumb: 1, note: null }],
  ['not_a_proposal', asking, { type: 'proposal_decided', turn: 0, decision: 'accepted' }],
  ['not_a_proposal', asking, { type: 'tests_run', turn: 0, passed: 1, total: 1 }],
])('%s: ignored and listed, nothing else changes', (why, before, event) => {
  const events = stored([...before, event]);
  const state = events.slice(0, -1).reduce(step, initialState('e'));
  expect(state.ignored).toEqual([]);
  const seq = before.length;
  expect(reduce(events)).toEqual({ ...state, ignored: [{ seq, type: event.type, why }], lastSeq: seq });
});

test('a conversation to its end', () => {
  const later: EventBody[] = [
    { type: 'proposal_decided', turn: 1, decision: 'rejected' },
    { type: 'proposal_decided', turn: 1, decision: 'accepted' },
    closed,
    // What the developer does with the code may come after the close.
    { type: 'proposal_saved', turn: 1, survival: 0.5 },
    { type: 'tests_run', turn: 1, passed: 3, total: 4 },
    { type: 'rated', turn: 0, thumb: 1, note: 'good question' },
    { type: 'rated', turn: null, thumb: 0, note: null },
    { type: 'consent_set', scope: 'exportable' },
  ];
  const state = reduce(stored([{ ...started, task_id: 'task', agent_prompt: 'Ask.' }, ...whole.slice(1), ...later]));
  expect(state).toMatchObject({
    groupId: 'task',
    phase: 'closed',
    request: 'Convert it.',
    createdAt: 1000,
    consent: { scope: 'exportable', grantedAt: 1000 + whole.length + 7 },
    episodeThumb: 0,
    ignored: [],
    running: null,
    messages: [
      { role: 'system', content: 'Ask.' },
      { role: 'user', content: 'Convert it.' },
      { role: 'assistant', content: 'Which unit?\nA) metres\nB) feet' },
      { role: 'user', content: 'metres' },
      { role: 'assistant', content: 'Sure.\nI WANT TO ANSWER:\nx = 1' },
    ],
  });
  const { generation, ...question } = state.turns[0] ?? expect.fail('no turn');
  expect(generation?.logprobs).toEqual([-0.25, -1.5]);
  expect(question).toEqual({
    index: 0,
    kind: 'question',
    state: 'sampled',
    text: 'Which unit?\nA) metres\nB) feet',
    question: 'Which unit?',
    options: ['metres', 'feet'],
    message: null,
    code: null,
    ids: [4, 5],
    endedAt: 1003,
    observations: [
      { kind: 'option', text: 'metres', optionsShown: ['metres', 'feet'], option: 'metres', latencyMs: 900 },
    ],
    decision: null,
    survival: null,
    tests: null,
    thumb: 1,
    note: 'good question',
    override: NO_OVERRIDE,
  });
  expect(state.turns[1]).toMatchObject({ kind: 'answer', code: 'x = 1\n', decision: 'accepted', survival: 0.5 });
  expect(state.turns[1]?.tests).toEqual({ passed: 3, total: 4 });
  expect(toTranscript(state)).toEqual({
    episode_id: 'e',
    group_id: 'task',
    group_rule: 'task',
    outcome: null,
    source: 'simulated',
    messages: state.messages,
    action_ids: [
      [4, 5],
      [8, 9],
    ],
    action_states: ['sampled', 'sampled'],
  });
});

test('a failed, an interrupted and an unspoken action leave no turn, and the agent is due again', () => {
  const failed: EventBody = { type: 'action_failed', turn: 0, reason: 'timeout', message: 'Late.', partial: 'Wh' };
  const silent: EventBody = { type: 'action_stopped', turn: 0, generation: generationOf('', { finish: 'stopped' }) };
  const troubled = [started, request, start(0), failed, start(0), { type: 'action_interrupted', turn: 0 }] as const;
  const state = reduce(stored([...troubled, start(0), silent, start(0), asked(0)]));
  expect(reduce(stored(troubled)).phase).toBe('ready');
  expect(state.troubles.map(({ reason }) => reason)).toEqual(['timeout', 'interrupted', 'stopped']);
  expect(state).toMatchObject({ phase: 'waiting', ignored: [] });
  expect(state.messages).toHaveLength(2);
});

test('a stopped action stays as far as it came, marked', () => {
  const text = 'Sure.\nI WANT TO ANSWER:\nx =';
  const stop: EventBody = { type: 'action_stopped', turn: 0, generation: generationOf(text, { finish: 'stopped' }) };
  const state = reduce(stored([started, request, start(0), stop]));
  expect(state.turns[0]).toMatchObject({ kind: 'answer', state: 'stopped', code: 'x =\n', text });
  expect(state.phase).toBe('waiting');
  expect(toTranscript(state).action_states).toEqual(['stopped']);
});

test('only what a tool said has the role of a tool; several observations belong to one turn', () => {
  const said = (kind: 'tool' | 'test' | 'rejected', text: string): EventBody => ({
    type: 'observed',
    turn: 1,
    kind,
    text,
    options_shown: [],
    option: null,
    latency_ms: null,
  });
  const state = reduce(stored([...whole, said('test', '1 failed'), said('tool', ''), said('rejected', 'No.')]));
  expect(state.messages.slice(-3).map(({ role }) => role)).toEqual(['user', 'tool', 'user']);
  expect(state.turns[1]?.observations.map(({ kind }) => kind)).toEqual(['test', 'tool', 'rejected']);
  expect(state.phase).toBe('ready');
});

test('an event of a newer version is counted, and keeps its place', () => {
  const events: StoredEvent[] = stored([started, request]);
  const newer: StoredEvent = {
    id: 'n',
    episode_id: 'e',
    seq: 2,
    at: 1,
    version: 9,
    body: { type: 'newer_event', json: {} },
  };
  expect(reduce([...events, newer])).toEqual({ ...reduce(events), skippedEvents: 1, lastSeq: 2 });
});

test('an event of another episode, or one seen before, changes nothing', () => {
  const events = stored(whole);
  const state = reduce(events);
  const again = events.reduce(step, state);
  expect({ ...again, ignored: [] }).toEqual(state);
  expect(again.ignored.map(({ why }) => why)).toEqual(events.map(() => 'out_of_order'));
  const [foreign] = stored([closed], 'other', 99);
  expect(step(state, foreign ?? expect.fail()).ignored).toMatchObject([{ why: 'other_episode' }]);
});

test('an import is a closed conversation with turns read from its text', () => {
  const messages = [
    { role: 'system', content: 'Ask.' },
    { role: 'user', content: 'Convert it.' },
    { role: 'assistant', content: 'Which?\nA) 1\nB) 2', name: 'kept' },
    { role: 'user', content: '1' },
    { role: 'tool', content: 'ok' },
    { role: 'assistant', content: 'I WANT TO ANSWER:\nx' },
  ] as const;
  const body: EventBody = {
    type: 'episode_imported',
    source: 'imported:messages',
    group_id: 'g',
    outcome: 0.5,
    messages,
    action_ids: [[1], [2, 3]],
    action_states: ['sampled', 'edited'],
    row: { rating: 4 },
  };
  const state = reduce(stored([body]));
  expect(state).toMatchObject({ phase: 'closed', groupId: 'g', agentPrompt: 'Ask.', request: 'Convert it.', messages });
  expect(state.turns.map(({ kind, state: made, ids }) => ({ kind, made, ids }))).toEqual([
    { kind: 'question', made: 'sampled', ids: [1] },
    { kind: 'answer', made: 'edited', ids: [2, 3] },
  ]);
  expect(state.turns[0]?.observations.map(({ kind }) => kind)).toEqual(['typed', 'tool']);
  expect(toTranscript(state)).toEqual({
    rating: 4,
    episode_id: 'e',
    group_id: 'g',
    group_rule: 'task',
    outcome: 0.5,
    source: 'imported:messages',
    messages,
    action_ids: [[1], [2, 3]],
    action_states: ['sampled', 'edited'],
  });
  expect(toTranscript(reduce(stored([{ ...body, action_ids: null }])))).not.toHaveProperty('action_ids');
});

test('a branch begins with what it inherits, which is never its own', () => {
  const parent = reduce(stored([{ ...started, task_id: null }, ...whole.slice(1), replied(1, 'Shorter.')], 'parent'));
  const branch = (point: Parameters<typeof fork>[1]): ReturnType<typeof reduce> =>
    reduce(stored([{ ...started, parent: fork(parent, point) ?? expect.fail('no fork') }], 'branch'));

  const again = branch({ at: 'action', turn: 1 });
  expect(again).toMatchObject({
    phase: 'ready',
    groupId: parent.groupId,
    groupRule: 'branch',
    parent: { episode_id: 'parent', turn: 1 },
  });
  expect(again.messages).toEqual(parent.messages.slice(0, 3));
  expect(again.turns).toMatchObject([{ state: 'inherited', ids: [4, 5], generation: null }]);

  const other = branch({ at: 'reply', turn: 1 });
  expect(other).toMatchObject({ phase: 'waiting', request: 'Convert it.' });
  expect(other.messages).toEqual(parent.messages.slice(0, 4));
  expect(toTranscript(other).action_states).toEqual(['inherited', 'inherited']);
  const [rating] = stored([{ type: 'rated', turn: 1, thumb: 1, note: null }], 'branch', 1);
  const rated = step(other, rating ?? expect.fail());
  expect(rated.ignored).toMatchObject([{ why: 'inherited_turn' }]);

  expect(branch({ at: 'request' })).toMatchObject({ phase: 'empty', request: null, messages: [], turns: [] });
  expect(fork(parent, { at: 'action', turn: 3 })).toBeNull();
  expect(fork(parent, { at: 'reply', turn: 2 })).toBeNull();
  expect(fork(initialState('x'), { at: 'request' })).toBeNull();
});

test('turns that are inherited without a request are left out, so that the request does not look like a reply', () => {
  const parent = reduce(stored([{ ...started, task_id: null }, ...whole.slice(1)], 'parent'));
  const inherited = fork(parent, { at: 'action', turn: 1 }) ?? expect.fail('no fork');
  expect(inherited.turns).not.toEqual([]);
  const branch = reduce(
    stored(
      [
        { ...started, parent: { ...inherited, request: null } },
        { type: 'request_accepted', text: 'Anew.' },
      ],
      'branch',
    ),
  );
  expect(branch).toMatchObject({ phase: 'ready', turns: [], messages: [{ role: 'user', content: 'Anew.' }] });
});

/** Events that mostly fit, so that walks get far: a legal move where one is drawn, any event otherwise. */
const walk = fc
  .array(fc.oneof({ weight: 3, arbitrary: fc.nat() }, { weight: 1, arbitrary: eventBody }), { maxLength: 30 })
  .map((choices) => {
    const bodies: EventBody[] = [];
    for (const choice of choices) bodies.push(typeof choice === 'number' ? usual(bodies, choice) : choice);
    return stored(bodies);
  });

function usual(bodies: readonly EventBody[], choice: number): EventBody {
  const state = reduce(stored(bodies));
  const turn = state.turns.length;
  switch (state.phase) {
    case 'absent':
    case 'closed':
      return started;
    case 'empty':
      return request;
    case 'ready':
      return start(turn);
    case 'acting':
      return choice % 4 === 0 ? { type: 'action_interrupted', turn } : choice % 2 === 0 ? answered(turn) : asked(turn);
    case 'waiting':
      return replied(turn - 1);
  }
}

test('any events reduce; every prefix is a state whose parts agree; the fold may be cut anywhere', () => {
  fc.assert(
    fc.property(walk, fc.nat(), (events, at) => {
      const cut = at % (events.length + 1);
      const state = reduce(events);
      expect(events.slice(cut).reduce(step, cut === 0 ? initialState('e') : reduce(events.slice(0, cut)))).toEqual(
        events.length === 0 ? initialState('e') : state,
      );
      const prefix = reduce(events.slice(0, cut));
      const actions = segment(prefix.messages);
      expect(prefix.lastSeq).toBe(cut - 1);
      expect(prefix.phase === 'acting').toBe(prefix.running !== null);
      expect(prefix.turns.map(({ index }) => index)).toEqual(prefix.turns.map((_, index) => index));
      expect(actions.map(({ action }) => prefix.messages[action]?.content)).toEqual(
        prefix.turns.map(({ text }) => text),
      );
      expect(actions.map(({ observations }) => observations.map((o) => prefix.messages[o]?.content))).toEqual(
        prefix.turns.map(({ observations }) => observations.map(({ text }) => text)),
      );
      if (prefix.messages.length > 0) expect(() => transcriptSchema.parse(toTranscript(prefix))).not.toThrow();
    }),
    { numRuns: 400 },
  );
});
