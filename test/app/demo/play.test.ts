import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { playEpisode, type PlayPorts } from '../../../src/app/demo/play.ts';
import { seededRandom } from '../../../src/app/demo/random.ts';
import { simulateDeveloper } from '../../../src/app/demo/simulated-developer.ts';
import type { Task, TaskFile } from '../../../src/app/demo/tasks.ts';
import { openSandbox, type Sandbox } from '../../../src/app/sandbox/sandbox.ts';
import type { ChatBackend, Sampling } from '../../../src/core/backend.ts';
import type { Message } from '../../../src/core/message.ts';
import { openJournal, type Journal } from '../../../src/store/journal.ts';

const task: Task = {
  id: 'sum',
  group: 'g',
  request: 'Sum the list. handle missing values.',
  kinds: [{ kind: 'missing', specified: false, replies: ['skip them'] }],
  function: 'solve',
  reference: 'def solve(xs): return sum(x for x in xs if x is not None)',
  calls: [
    { call: 'solve([1, None])', returns: '1' },
    { call: 'solve([2])', returns: '2' },
  ],
};
const tasks: TaskFile = {
  schema: 'turnwise-tasks/1',
  uninformative: ['not sure'],
  kinds: {
    missing: { questions: ['How should missing values be treated?'] },
    order: { questions: ['In which order?'] },
  },
  tasks: [task],
};
const right = `Done.\nI WANT TO ANSWER:\n${task.reference}\n`;
const wrong = 'Done.\nI WANT TO ANSWER:\ndef solve(xs): return sum(x or 7 for x in xs)\n';

let folder: string;
let journal: Journal;
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = openSandbox();
  await sandbox.warm();
});
afterAll(async () => {
  await sandbox.close();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnwise-play-'));
  journal = openJournal(join(folder, 'store.sqlite'));
});
afterEach(async () => {
  journal.close();
  await rm(folder, { recursive: true, force: true });
});

/** A policy that says these texts, whatever it hears, and keeps what it was asked with. */
function scripted(
  texts: readonly string[],
): ChatBackend & { readonly asked: { messages: readonly Message[]; sampling: Sampling }[] } {
  const asked: { messages: readonly Message[]; sampling: Sampling }[] = [];
  return {
    name: 'scripted',
    asked,
    async *stream(messages, { sampling }) {
      const text = await Promise.resolve(texts[asked.length]);
      asked.push({ messages, sampling });
      if (text === undefined) {
        yield { type: 'failed', reason: 'unreachable', message: 'The server is gone; start it.', partial: '' };
        return;
      }
      yield {
        type: 'finished',
        record: {
          text,
          finish: 'stop',
          prompt_ids: null,
          ids: null,
          logprobs: null,
          logprobs_mode: null,
          sampling,
          model: 'scripted',
          model_revision: null,
          server: 'test',
          server_version: null,
          template_sha: null,
          tokenizer_sha: null,
          latency_ms: 1,
          first_token_ms: null,
        },
      };
    },
  };
}

function ports(texts: readonly string[], signal?: AbortSignal): PlayPorts & { chat: ReturnType<typeof scripted> } {
  return { journal, sandbox, tasks, takesAgentPrompt: false, signal, chat: scripted(texts) };
}

/** A label whose developer argues about a wrong proposal, or does not. */
function label(argues: boolean): string {
  const found = Array.from({ length: 50 }, (_, at) => `l${at}`).find(
    (name) => (simulateDeveloper(task, tasks, seededRandom(`${name}/developer`)).complain() !== null) === argues,
  );
  if (found === undefined) throw new Error('no such label');
  return found;
}

test('a server that fails ends the demo with its sentence, and what was said is kept', async () => {
  await expect(playEpisode(ports(['How should missing values be treated?']), task, 'a')).rejects.toMatchObject({
    reason: 'action_failed',
    message: 'The server is gone; start it.',
  });
  const [episode] = journal.episodes();
  expect(journal.read(episode?.id ?? '').map(({ body }) => body.type)).toContain('observed');
});

test('an aborted conversation throws the reason of the abort', async () => {
  const stop = new AbortController();
  stop.abort(new Error('enough'));
  await expect(playEpisode(ports([right], stop.signal), task, 'a')).rejects.toThrow('enough');
});

test('ask, answer, propose: the outcome is what the calls gave', async () => {
  const state = await playEpisode(ports(['How should missing values be treated?', right]), task, 'a');
  expect(state).toMatchObject({ phase: 'closed', source: 'simulated', taskId: 'sum', request: task.request });
  expect(state.turns).toHaveLength(2);
  expect(state.turns[0]?.observations).toEqual([
    { kind: 'typed', text: 'skip them', optionsShown: [], option: null, latencyMs: null },
  ]);
  expect(state.turns[1]).toMatchObject({ tests: { passed: 2, total: 2 }, decision: 'accepted' });
});

test('an option that says what is wanted is clicked', async () => {
  const question = 'How should missing values be treated?\nA) count them as zero\nB) skip them';
  const state = await playEpisode(ports([question, right]), task, 'a');
  expect(state.turns[0]?.observations[0]).toMatchObject({
    kind: 'option',
    option: 'skip them',
    optionsShown: ['count them as zero', 'skip them'],
  });
});

test('a wrong proposal is argued with once; the second outcome stands', async () => {
  const state = await playEpisode(ports([wrong, wrong, right]), task, label(true));
  expect(state.turns).toHaveLength(2);
  expect(state.turns[0]).toMatchObject({
    tests: { passed: 1, total: 2 },
    decision: 'rejected',
    observations: [{ kind: 'rejected', text: 'That is not right: skip them' }],
  });
  expect(state.turns[1]).toMatchObject({ tests: { passed: 1, total: 2 }, decision: 'rejected', observations: [] });
});

test('the agent that listens then passes', async () => {
  const state = await playEpisode(ports([wrong, right]), task, label(true));
  expect(state.turns[1]).toMatchObject({ tests: { passed: 2, total: 2 }, decision: 'accepted' });
});

test('another developer says nothing about a wrong proposal', async () => {
  const state = await playEpisode(ports([wrong, right]), task, label(false));
  expect(state.turns).toHaveLength(1);
  expect(state.turns[0]).toMatchObject({ decision: 'rejected', observations: [] });
});

test('an agent that only asks is taken at its word at the last turn', async () => {
  const state = await playEpisode(ports(Array.from({ length: 12 }, () => 'In which order?')), task, 'a');
  expect(state.turns).toHaveLength(10);
  expect(state.turns[9]).toMatchObject({ kind: 'answer', tests: { passed: 0, total: 2 } });
});

test('sampling: temperature 1, a seed of its own for every turn and conversation, the same for the same label', async () => {
  const seeds = async (name: string): Promise<(number | null)[]> => {
    const own = ports(['In which order?', 'In which order?', right]);
    await playEpisode(own, task, name);
    expect(own.chat.asked.every(({ sampling }) => sampling.temperature === 1 && sampling.top_p === 1)).toBe(true);
    return own.chat.asked.map(({ sampling }) => sampling.seed);
  };
  const first = await seeds('7/0');
  expect(new Set([...first, ...(await seeds('7/1'))]).size).toBe(6);
  expect(await seeds('7/0')).toEqual(first);
});

test('the instructions go in front where the model takes them', async () => {
  const own = { ...ports([right]), takesAgentPrompt: true };
  await playEpisode(own, task, 'a');
  expect(own.chat.asked[0]?.messages.map(({ role }) => role)).toEqual(['system', 'user']);
});
