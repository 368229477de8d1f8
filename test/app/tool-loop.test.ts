import { expect, test } from 'vitest';
import { ChatSession } from '../../src/app/chat-session.ts';
import type { Toolbox, ToolResult } from '../../src/app/tools/toolbox.ts';
import type { ToolOffer } from '../../src/core/backend.ts';
import { toTranscript } from '../../src/core/to-transcript.ts';
import { segment } from '../../src/core/transcript.ts';
import { toolCallText } from '../../src/core/tool-call.ts';
import type { ChatView } from '../../src/core/webview-protocol.ts';
import { openJournal } from '../../src/store/journal.ts';
import { temporaryStore } from '../store/temporary-store.ts';
import { eventually } from '../eventually.ts';
import { ANSWER, QUESTION, sampling, scriptedChat, type Line } from './scripted-chat.ts';
import { calm } from '../core/calm.ts';

const read = (path: string): string => toolCallText('', [{ name: 'read_file', arguments: JSON.stringify({ path }) }]);
const TESTS = toolCallText('Let me see.', [{ name: 'run_tests', arguments: '{}' }]);

interface Box extends Toolbox {
  readonly ran: string[];
}

/** Tools that say what they were asked. */
function box(limit = 8, run?: (signal: AbortSignal) => Promise<ToolResult>): Box {
  const ran: string[] = [];
  return {
    ran,
    limit,
    definitions: [{ name: 'read_file', description: 'reads', parameters: {} }],
    async run({ arguments: handed }, signal) {
      ran.push(handed);
      return run === undefined ? { kind: 'tool', text: `text of ${handed}`, tests: null } : run(signal);
    },
  };
}

function room(lines: readonly Line[], tools: Toolbox | null) {
  const journal = openJournal(temporaryStore());
  const backend = scriptedChat(lines);
  const offers: (ToolOffer | undefined)[] = [];
  const views: ChatView[] = [];
  const session = new ChatSession({
    journal,
    connect: () =>
      Promise.resolve({
        notice: null,
        backend: {
          name: 'script',
          stream: (messages, options) => {
            offers.push(options.tools);
            return backend.stream(messages, options);
          },
        },
      }),
    options: () => ({
      marker: 'I WANT TO ANSWER:',
      maxTurns: 2,
      skipSentence: 'You.',
      sampling,
      takesAgentPrompt: false,
    }),
    surroundings: () => ({ ...calm, testCommand: 'npm test' }),
    tools: () => tools,
    drafts: { get: () => '', set: () => undefined, edit: () => null, setEdit: () => undefined },
    onView: (view) => void views.push(structuredClone(view)),
    onDelta: () => undefined,
    onState: () => undefined,
  });
  const silent = (): Promise<void> =>
    eventually(() => {
      expect(session.acting).toBe(false);
    });
  const events = () => journal.read(session.episode ?? '').map(({ body }) => body);
  return { session, backend, offers, views, silent, events };
}

test('calls are run, their results are observations, and the agent goes on until it speaks', async () => {
  const tools = box();
  const both = toolCallText('Looking.', [
    { name: 'read_file', arguments: '{"path": "a.py"}' },
    { name: 'read_file', arguments: '{"path": "b.py"}' },
  ]);
  const { session, backend, silent, events } = room([both, read('c.py'), QUESTION], tools);
  await session.send('Convert it.', null);
  await silent();
  expect(tools.ran).toEqual(['{"path": "a.py"}', '{"path": "b.py"}', '{"path": "c.py"}']);
  expect(events().map(({ type }) => type)).toEqual([
    'episode_started',
    'request_accepted',
    ...['action_started', 'action_called', 'observed', 'observed'],
    ...['action_started', 'action_called', 'observed'],
    ...['action_started', 'action_asked'],
  ]);
  // What the model read is what is kept, word by word.
  expect(backend.asked.at(-1)?.messages).toEqual(session.state.messages.slice(0, -1));
  expect(session.state.messages.map(({ role }) => role)).toEqual([
    'user',
    'assistant',
    'tool',
    'tool',
    'assistant',
    'tool',
    'assistant',
  ]);
  expect(session.view().status.offer).toBe('reply');
  expect(session.view().turns[0]).toMatchObject({
    kind: 'tool_call',
    prose: 'Looking.',
    calls: [
      { name: 'read_file', detail: 'a.py' },
      { name: 'read_file', detail: 'b.py' },
    ],
    replies: [{ kind: 'tool' }, { kind: 'tool' }],
  });
  // Each result is a reply of its turn for whoever scores.
  expect(segment(toTranscript(session.state).messages).map(({ observations }) => observations.length)).toEqual([
    2, 1, 0,
  ]);
});

test('looking up costs no turn, and the last turn is still the answer', async () => {
  const { session, silent } = room([read('a'), QUESTION, read('b'), read('c'), 'x = 1'], box());
  await session.send('Convert it.', null);
  await silent();
  await session.send('metres', null);
  await silent();
  expect(session.state.turns.map(({ kind }) => kind)).toEqual([
    'tool_call',
    'question',
    'tool_call',
    'tool_call',
    'answer',
  ]);
  expect(session.view().status.offer).toBe('new');
});

test('an agent that has looked up enough is offered no more, told so, and stopped in the end', async () => {
  const tools = box(2);
  const { session, offers, silent } = room(
    Array.from({ length: 9 }, (_, at) => read(`${at}`)),
    tools,
  );
  await session.send('Convert it.', null);
  await silent();
  expect(offers.map((offer) => offer?.choice)).toEqual(['auto', 'auto', 'none', 'none', 'none']);
  expect(tools.ran).toHaveLength(2);
  expect(session.state.turns.at(-1)?.observations[0]?.text).toContain('looked up enough');
  expect(session.view().status.offer).toBe('continue');
  expect(session.view().status.warning).toContain('only looks things up');
});

test('Stop ends a tool that runs; its result says so, and Continue lets the agent go on', async () => {
  let begun = (): void => undefined;
  const running = new Promise<void>((resolve) => (begun = resolve));
  const hanging = box(8, (signal) => {
    begun();
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        resolve({ kind: 'tool', text: 'The developer stopped this.', tests: null });
      });
    });
  });
  const { session, silent } = room([read('a'), QUESTION], hanging);
  await session.send('Convert it.', null);
  await running;
  expect(session.view().status).toMatchObject({ offer: 'stop', running: { turn: 1 } });
  await session.stop();
  expect(session.state.turns[0]?.observations).toMatchObject([{ kind: 'tool', text: 'The developer stopped this.' }]);
  expect(session.view().status.offer).toBe('continue');
  session.continue();
  await silent();
  expect(session.state.turns.at(-1)?.kind).toBe('question');
});

test('calls that a dead window left open are answered by Continue', async () => {
  const first = room(
    [read('a')],
    box(8, () => Promise.reject(new Error('the window died'))),
  );
  await first.session.send('Convert it.', null);
  await first.silent();
  expect(first.session.view().status).toMatchObject({ offer: 'continue' });
  expect(first.session.view().status.trouble).toContain('was not looked up');
});

test('without tools nothing is offered, and what looks like a call is words', async () => {
  const { session, offers, silent } = room([read('a')], null);
  await session.send('Convert it.', null);
  await silent();
  expect(offers).toEqual([undefined]);
  expect(session.state.turns[0]?.kind).toBe('question');
});

test('tests that the agent runs are the outcome of the proposal that was accepted before, and of no other', async () => {
  const tests = (): Promise<ToolResult> =>
    Promise.resolve({ kind: 'test', text: 'The tests failed: 1 of 2.', tests: { passed: 1, total: 2 } });
  const before = room([TESTS, ANSWER], box(8, tests));
  await before.session.send('Convert it.', null);
  await before.silent();
  expect(before.events().map(({ type }) => type)).not.toContain('tests_run');

  const after = room([ANSWER, TESTS, ANSWER], box(8, tests));
  await after.session.send('Convert it.', null);
  await after.silent();
  await after.session.decide(after.session.episode ?? '', 0, 'accepted');
  await after.session.send('Is it right?', null);
  await after.silent();
  expect(after.session.state.turns[0]?.tests).toEqual({ passed: 1, total: 2 });
  expect(after.session.state.messages.at(-2)).toMatchObject({ role: 'tool', content: 'The tests failed: 1 of 2.' });
});

test('an edit while accepting and a test run leave the developer due, whose words come after them', async () => {
  const { session, backend, silent } = room([ANSWER, ANSWER], null);
  await session.send('Convert it.', null);
  await silent();
  const episode = session.episode ?? '';
  await session.decide(episode, 0, 'accepted');
  expect(session.view().turns[0]).toMatchObject({ testCommand: 'npm test' });
  await session.recordEdit(episode, 0, 'I accepted the code with these changes:');
  await session.recordTests(episode, 0, { passed: 0, total: 1 }, 'The tests failed.');
  expect(session.view().status).toMatchObject({ offer: 'reply', trouble: null });
  await session.send('Make it feet.', null);
  await silent();
  expect(session.state.turns[0]?.observations.map(({ kind }) => kind)).toEqual(['edit', 'test', 'typed']);
  expect(backend.asked[1]?.messages.slice(-3).map(({ role }) => role)).toEqual(['user', 'user', 'user']);
  expect(session.state.turns[0]?.tests).toEqual({ passed: 0, total: 1 });
  // The agent has gone on; what comes now is a fact about the proposal, and no word in between.
  await session.recordEdit(episode, 0, 'late');
  expect(session.state.turns[0]?.observations).toHaveLength(3);
});
