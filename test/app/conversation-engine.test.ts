import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Conversation, type ConversationPorts } from '../../src/app/conversation.ts';
import { startEngine, type RunningEngine } from '../../src/app/engine-process.ts';
import { openChat } from '../../src/backends/chat.ts';
import { openEngineBackend } from '../../src/backends/engine.ts';
import { openJournal } from '../../src/store/journal.ts';
import { temporaryStore } from '../store/temporary-store.ts';
import { sampling } from './scripted-chat.ts';

const entry = fileURLToPath(new URL('../../src/engine.ts', import.meta.url));
const REQUEST = 'Write a function in Python that converts a length.';

let engine: RunningEngine;
beforeAll(async () => {
  engine = await startEngine({ entry, threads: 1 });
});
afterAll(async () => {
  await engine.close();
});

function portsOf({ url, token }: RunningEngine, seed = 1): ConversationPorts {
  const chat = openChat({ url, apiKey: token, model: null, name: 'engine' });
  return { journal: openJournal(temporaryStore()), chat, sampling: { ...sampling, seed } };
}

test('a real model asks or answers, and the journal keeps its exact tokens', async () => {
  const ports = portsOf(engine);
  const talk = await Conversation.start(ports, { source: 'simulated' });
  await talk.request(REQUEST);
  let shown = '';
  for await (const event of talk.act()) {
    if (event.type === 'delta') shown += event.text;
    else expect(event.type).toMatch(/^(asked|answered)$/);
  }
  const [turn] = Conversation.open(ports, talk.id).state.turns;
  const said = turn?.generation ?? expect.fail('no generation');
  expect(said.text).toBe(shown);
  expect(said.ids?.length).toBe(said.logprobs?.length);
  expect(said.logprobs_mode).not.toBeNull();
  expect([said.template_sha, said.tokenizer_sha, said.model_revision]).toEqual(
    Array.from({ length: 3 }, () => expect.stringMatching(/^[0-9a-f]{64}$/) as unknown),
  );
  const scorer = openEngineBackend(engine);
  expect(await scorer.detokenize(said.ids ?? [])).toContain(said.text);
  expect(await scorer.detokenize(said.prompt_ids ?? [])).toContain(REQUEST);
});

test('stopped at the first word: its words and ids are kept, and the conversation goes on', async () => {
  const talk = await Conversation.start(portsOf(engine), { source: 'simulated' });
  await talk.request(REQUEST);
  const stop = new AbortController();
  let last = '';
  for await (const event of talk.act(stop.signal)) {
    last = event.type;
    stop.abort();
  }
  expect(last).toBe('stopped');
  const [turn] = talk.state.turns;
  expect(turn).toMatchObject({ state: 'stopped', generation: { finish: 'stopped' } });
  await talk.reply({ text: 'Go on.' });
  for await (const event of talk.act()) last = event.type;
  expect(last).toMatch(/^(asked|answered)$/);
});

test('the engine dies under an action: said in words, and another engine goes on', async () => {
  const doomed = await startEngine({ entry, threads: 1 });
  const ports = portsOf(doomed);
  const onEvent: ConversationPorts['onEvent'] = ({ body }) => {
    // Before a fast model can be done.
    if (body.type === 'action_started') process.kill(doomed.pid, 'SIGKILL');
  };
  const talk = await Conversation.start({ ...ports, onEvent }, { source: 'simulated' });
  await talk.request(REQUEST);
  let last: unknown;
  try {
    for await (const event of talk.act()) last = event;
  } finally {
    await doomed.close();
  }
  expect(last).toMatchObject({ type: 'failed' });
  expect(talk.state).toMatchObject({ phase: 'ready', turns: [] });
  const again = Conversation.open({ ...portsOf(engine), journal: ports.journal }, talk.id);
  for await (const event of again.act()) last = event;
  expect(last).toMatchObject({ type: expect.stringMatching(/^(asked|answered)$/) as unknown });
});
