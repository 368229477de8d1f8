import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AgentEvent } from '../../src/app/agent.ts';
import { Conversation, type ConversationPorts } from '../../src/app/conversation.ts';
import { recover } from '../../src/app/recover.ts';
import type { ChatBackend } from '../../src/core/backend.ts';
import type { EpisodeState } from '../../src/core/episode-state.ts';
import { TurnwiseError } from '../../src/core/error.ts';
import type { EventBody, StoredEvent } from '../../src/core/event.ts';
import { reduce } from '../../src/core/reduce.ts';
import { connect } from '../../src/store/connection.ts';
import { openJournal, type Journal } from '../../src/store/journal.ts';
import { temporaryStore } from '../store/temporary-store.ts';
import { ANSWER, QUESTION, sampling, scriptedChat, type Line } from './scripted-chat.ts';

const FAILS: Line = [{ type: 'failed', reason: 'http_500', message: 'It broke.', partial: '' }];

function ports(lines: readonly Line[], extra: Partial<ConversationPorts> = {}): ConversationPorts {
  return { journal: openJournal(temporaryStore()), chat: scriptedChat(lines), sampling, ...extra };
}

async function drain(events: AsyncIterable<AgentEvent>): Promise<AgentEvent | undefined> {
  let last: AgentEvent | undefined;
  for await (const event of events) last = event;
  return last;
}

/** Reason of the error that some work ends in. */
async function reasonOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    return thrown instanceof TurnwiseError ? `${thrown.fault} ${thrown.reason}` : String(thrown);
  }
  return 'went through';
}

const types = (journal: Journal, id: string): string[] => journal.read(id).map(({ body }) => body.type);

test('a move that is not possible now is refused in words and leaves no trace', async () => {
  const use = ports([QUESTION, FAILS]);
  const talk = await Conversation.start(use, { source: 'simulated' });
  expect(await reasonOf(drain(talk.act()))).toBe('usage not_the_agents_turn');
  expect(await reasonOf(talk.reply({ text: 'metres' }))).toBe('usage not_the_developers_turn');
  expect(await reasonOf(talk.request(' \n'))).toBe('usage empty_text');
  await talk.request('Convert it.');
  expect(await reasonOf(talk.request('Again.'))).toBe('usage already_requested');
  await drain(talk.act());
  expect(await reasonOf(drain(talk.act()))).toBe('usage not_the_agents_turn');
  expect(await reasonOf(talk.reply({ text: '' }))).toBe('usage empty_text');
  expect(await reasonOf(talk.decide('accepted'))).toBe('usage not_a_proposal');
  expect(await reasonOf(talk.recordTests(1, 1, 0))).toBe('usage not_a_proposal');
  expect(await reasonOf(talk.rate(4, 1))).toBe('usage no_such_turn');
  await talk.close();
  expect(await reasonOf(talk.reply({ text: 'metres' }))).toBe('usage closed');
  expect(types(use.journal, talk.id)).toEqual([
    'episode_started',
    'request_accepted',
    'action_started',
    'action_asked',
    'episode_closed',
  ]);
  expect(() => Conversation.open(use, 'unknown')).toThrow(/no conversation unknown/);
  expect(await reasonOf(Conversation.start(use, { source: 'simulated', episodeId: talk.id }))).toMatch(/usage/);
});

test('a whole conversation: what was said, by whom, with what; the same after opening it again', async () => {
  const published: [StoredEvent, EpisodeState][] = [];
  const use = ports([QUESTION, ANSWER], {
    sampling: (state) => ({ ...sampling, seed: 100 + state.turns.length }),
    onEvent: (event, state) => published.push([event, state]),
  });
  const options = { source: 'real_developer', taskId: 'task', agentPrompt: 'Ask first.' };
  const talk = await Conversation.start(use, options);
  await talk.request('Convert it.');
  expect(await drain(talk.act())).toMatchObject({ type: 'asked' });
  await talk.reply({ text: 'metres', kind: 'option', latencyMs: 1200 });
  expect(await drain(talk.act())).toMatchObject({ type: 'answered', code: 'x = 1\n' });
  await talk.observe('test', '3 of 4 passed');
  await talk.recordTests(3, 4);
  await talk.decide('accepted');
  await talk.recordSurvival(0.5);
  await talk.rate(0, 1, 'good');
  await talk.rate(null, 1);
  await talk.setConsent('exportable');
  await talk.close();

  const { state } = talk;
  expect(state).toMatchObject({ phase: 'closed', groupId: 'task', source: 'real_developer', ignored: [] });
  expect(state.turns[0]).toMatchObject({
    observations: [
      { kind: 'option', text: 'metres', option: 'metres', optionsShown: ['metres', 'feet'], latencyMs: 1200 },
    ],
    generation: { ids: [4, 5], logprobs: [-0.25, -1.5], logprobs_mode: 'raw', sampling: { seed: 100 } },
  });
  expect(state.turns[1]).toMatchObject({
    tests: { passed: 3, total: 4 },
    survival: 0.5,
    generation: { sampling: { seed: 101 } },
  });
  expect((use.chat as ReturnType<typeof scriptedChat>).asked.map(({ messages }) => messages.length)).toEqual([2, 4]);
  const events = use.journal.read(talk.id);
  expect(published.map(([event]) => event)).toEqual(events);
  published.forEach(([, seen], index) => {
    expect(seen).toEqual(reduce(events.slice(0, index + 1)));
  });
  expect(Conversation.open(use, talk.id).state).toEqual(state);
});

test('skip and edited options are replies of their own kind', async () => {
  const talk = await Conversation.start(ports([QUESTION, QUESTION]), { source: 'simulated' });
  await talk.request('Convert it.');
  await drain(talk.act());
  await talk.skip();
  await drain(talk.act());
  await talk.reply({ text: 'feet, please', kind: 'edited_option', option: 'feet' });
  expect(talk.state.turns.map(({ observations }) => observations[0])).toMatchObject([
    { kind: 'skipped', text: 'Use your judgement.', option: null },
    { kind: 'edited_option', text: 'feet, please', option: 'feet' },
  ]);
});

test('words are on the disk before the model sees them, and an action before the server is asked', async () => {
  const path = temporaryStore();
  const other = openJournal(path);
  const seen: string[][] = [];
  const chat: ChatBackend = {
    name: 'spy',
    stream: (...call) => {
      seen.push(types(other, talk.id));
      return scriptedChat([QUESTION]).stream(...call);
    },
  };
  const use = { journal: openJournal(path), chat, sampling };
  const talk = await Conversation.start(use, { source: 'simulated' });
  await talk.request('Convert it.');
  for await (const event of talk.act()) {
    // Shown is what is on the disk, for any reader.
    const ended = event.type === 'delta' ? 'action_started' : 'action_asked';
    expect(types(other, talk.id).at(-1)).toBe(ended);
  }
  expect(seen).toEqual([['episode_started', 'request_accepted', 'action_started']]);
});

test('after a failure the same call goes on', async () => {
  const talk = await Conversation.start(ports([FAILS, QUESTION]), { source: 'simulated' });
  await talk.request('Convert it.');
  expect(await drain(talk.act())).toMatchObject({ type: 'failed', reason: 'http_500' });
  expect(talk.state).toMatchObject({ phase: 'ready', troubles: [{ reason: 'http_500' }] });
  expect(await drain(talk.act())).toMatchObject({ type: 'asked' });
  expect(talk.state.turns).toHaveLength(1);
});

test('stopped is kept with its words; a caller that walks away leaves an interrupted action', async () => {
  const use = ports([QUESTION, QUESTION, QUESTION]);
  const talk = await Conversation.start(use, { source: 'simulated' });
  await talk.request('Convert it.');
  for await (const event of talk.act()) {
    expect(event.type).toBe('delta');
    break;
  }
  expect(types(use.journal, talk.id).slice(-2)).toEqual(['action_started', 'action_interrupted']);
  expect(talk.state.phase).toBe('ready');
  const stop = new AbortController();
  for await (const event of talk.act(stop.signal)) if (event.type === 'delta') stop.abort();
  expect(talk.state.turns).toMatchObject([{ state: 'stopped', text: 'Whi' }]);
  await talk.reply({ text: 'Go on.' });
  expect(await drain(talk.act())).toMatchObject({ type: 'asked' });
});

test('two calls at once: the second is told to wait', async () => {
  const talk = await Conversation.start(ports([QUESTION]), { source: 'simulated' });
  await talk.request('Convert it.');
  const running = talk.act();
  await running.next();
  expect(await reasonOf(drain(talk.act()))).toBe('usage action_running');
  expect(await reasonOf(talk.reply({ text: 'metres' }))).toBe('usage action_running');
  expect(await reasonOf(talk.close())).toBe('usage action_running');
  await talk.setConsent('exportable');
  expect(await drain(running)).toMatchObject({ type: 'asked' });
});

test('at the last turn the message is the answer, and then no turn is left', async () => {
  const talk = await Conversation.start(ports([QUESTION, 'x = 1']), { source: 'simulated', maxTurns: 2 });
  await talk.request('Convert it.');
  await drain(talk.act());
  await talk.reply({ text: 'metres' });
  expect(await drain(talk.act())).toMatchObject({ type: 'answered', code: 'x = 1\n' });
  await talk.reply({ text: 'Shorter.' });
  expect(await reasonOf(drain(talk.act()))).toBe('usage turn_limit');
});

test('two windows: facts from both are kept, and a reply that comes too late is refused', async () => {
  const path = temporaryStore();
  const chat = scriptedChat([QUESTION]);
  const here = await Conversation.start({ journal: openJournal(path), chat, sampling }, { source: 'simulated' });
  await here.request('Convert it.');
  await drain(here.act());
  const there = Conversation.open({ journal: openJournal(path), chat, sampling }, here.id);
  await there.rate(0, 1);
  await here.setConsent('exportable');
  await there.reply({ text: 'metres' });
  expect(here.state.phase).toBe('waiting');
  await here.rate(0, 0, 'no');
  expect(here.state).toMatchObject({ phase: 'ready', turns: [{ thumb: 0, observations: [{ text: 'metres' }] }] });
  await there.close();
  expect(await reasonOf(here.reply({ text: 'feet' }))).toBe('usage closed');
  expect(here.state.ignored).toEqual([]);
});

test('a conversation begins with its request, or not at all', async () => {
  const own = ports([]);
  const talk = await Conversation.start(own, { source: 'real_developer', request: 'Convert it.' });
  expect(types(own.journal, talk.id)).toEqual(['episode_started', 'request_accepted']);
  expect(talk.state).toMatchObject({ phase: 'ready', request: 'Convert it.' });
  expect(await reasonOf(Conversation.start(own, { source: 'real_developer', request: ' ' }))).toBe('usage empty_text');
  const full = { ...own.journal, append: () => fail() };
  const fail = (): never => {
    throw new TurnwiseError('environment', 'disk_full', 'The disk is full.');
  };
  const failing = Conversation.start({ ...own, journal: full }, { source: 'real_developer', request: 'Again.' });
  expect(await reasonOf(failing)).toBe('environment disk_full');
  expect(own.journal.episodes().map(({ id }) => id)).toEqual([talk.id]);
});

test('a writer in the way is waited for; one that stays is named', async () => {
  const path = temporaryStore();
  const ports = { journal: openJournal(path), chat: scriptedChat([]), sampling };
  const talk = await Conversation.start(ports, { source: 'simulated' });
  const writer = connect(path, false);
  writer.db.exec('BEGIN IMMEDIATE');
  const waiting = talk.request('Convert it.');
  setTimeout(() => {
    writer.db.exec('COMMIT');
  }, 20);
  expect((await waiting).body).toMatchObject({ text: 'Convert it.' });
  writer.db.exec('BEGIN IMMEDIATE');
  const hasty = Conversation.open({ ...ports, patienceMs: 100 }, talk.id);
  expect(await reasonOf(hasty.close())).toBe('environment store_locked');
  writer.db.exec('ROLLBACK');
  writer.db.close();
  expect(talk.state.phase).toBe('ready');
});

test('what the model said is kept, however long others keep the store from being written', async () => {
  const path = temporaryStore();
  const writer = connect(path, false);
  const chat: ChatBackend = {
    name: 'behind a writer',
    async *stream(...call) {
      for await (const event of scriptedChat([QUESTION]).stream(...call)) {
        if (event.type === 'finished') {
          writer.db.exec('BEGIN IMMEDIATE');
          setTimeout(() => {
            writer.db.exec('COMMIT');
          }, 4000);
        }
        yield event;
      }
    },
  };
  const journal = openJournal(path);
  const talk = await Conversation.start({ journal, chat, sampling }, { source: 'simulated' });
  await talk.request('Convert it.');
  expect(await drain(talk.act())).toMatchObject({ type: 'asked' });
  expect(journal.read(talk.id).at(-1)?.body.type).toBe('action_asked');
  writer.db.close();
}, 30_000);

test('a store that fails at the end of an action: the error is told, and the action can be recovered', async () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  let full = false;
  const failing: Journal = {
    ...journal,
    append: (...call) => {
      if (full) throw new TurnwiseError('environment', 'disk_full', 'The disk is full.');
      return journal.append(...call);
    },
  };
  const talk = await Conversation.start(
    { journal: failing, chat: scriptedChat([QUESTION]), sampling },
    { source: 's' },
  );
  await talk.request('Convert it.');
  const running = talk.act();
  await running.next();
  full = true;
  expect(await reasonOf(drain(running))).toBe('environment disk_full');
  expect(journal.unfinished()).toEqual([talk.id]);
  expect(recover(journal, { isAlive: () => false }).interrupted).toEqual([talk.id]);
  const again = Conversation.open({ journal, chat: scriptedChat([QUESTION]), sampling }, talk.id);
  expect(await drain(again.act())).toMatchObject({ type: 'asked' });
});

test('a conversation that a newer version went on with is only read', async () => {
  const use = ports([]);
  const talk = await Conversation.start(use, { source: 'simulated' });
  const events = use.journal.read(talk.id);
  const newer: StoredEvent = { ...events[0], seq: 1, body: { type: 'newer_event', json: {} } } as StoredEvent;
  const journal: Journal = { ...use.journal, read: () => [...events, newer] };
  const open = Conversation.open({ ...use, journal }, talk.id);
  expect(await reasonOf(open.request('Convert it.'))).toBe('unsupported newer_events');
});

test('a branch goes on from another action, another reply or another request, in the same group', async () => {
  const use = ports([QUESTION, ANSWER, QUESTION, ANSWER, QUESTION]);
  const parent = await Conversation.start(use, { source: 'simulated', agentPrompt: 'Ask first.' });
  await parent.request('Convert it.');
  await drain(parent.act());
  await parent.reply({ text: 'metres' });
  await drain(parent.act());

  const retried = await Conversation.branch(use, parent.state, { at: 'action', turn: 1 }, 'real_developer');
  expect(await drain(retried.act())).toMatchObject({ type: 'asked' });
  const edited = await Conversation.branch(use, parent.state, { at: 'reply', turn: 0 }, 'real_developer');
  await edited.reply({ text: 'feet' });
  expect(await drain(edited.act())).toMatchObject({ type: 'answered' });
  const anew = await Conversation.branch(use, parent.state, { at: 'request' }, 'real_developer');
  await anew.request('Convert it to feet.');
  expect(await drain(anew.act())).toMatchObject({ type: 'asked' });

  for (const { state } of [retried, edited, anew]) {
    expect(state).toMatchObject({
      groupId: parent.state.groupId,
      groupRule: 'branch',
      parent: { episode_id: parent.id },
      ignored: [],
    });
    expect(state.source).toBe('real_developer');
    expect(state.messages[0]).toEqual({ role: 'system', content: 'Ask first.' });
  }
  expect(edited.state.messages.map(({ content }) => content).slice(1, 4)).toEqual(['Convert it.', QUESTION, 'feet']);
  expect(edited.state.turns.map(({ state }) => state)).toEqual(['inherited', 'sampled']);
  expect(parent.state.turns).toHaveLength(2);
  expect(await reasonOf(Conversation.branch(use, parent.state, { at: 'action', turn: 9 }, 'simulated'))).toBe(
    'usage no_such_turn',
  );
});

/** A conversation that goes as the choices say, with its failures, stops and skips. */
async function wander(journal: Journal, choices: readonly number[]): Promise<string> {
  const lines = choices.map((choice): Line => (choice % 5 === 0 ? FAILS : choice % 3 === 0 ? ANSWER : QUESTION));
  const talk = await Conversation.start(
    { journal, chat: scriptedChat(lines), sampling },
    { source: 'simulated', maxTurns: 4 },
  );
  await talk.request('Convert it.');
  for (const choice of choices) {
    if (talk.state.phase === 'waiting')
      await (choice % 2 === 0 ? talk.skip() : talk.reply({ text: `reply ${choice}` }));
    if (choice % 7 === 0) await talk.rate(null, 1);
    if (talk.state.turns.length >= talk.state.maxTurns) break;
    await drain(talk.act(choice % 11 === 0 ? AbortSignal.abort() : undefined));
  }
  if (choices.length % 2 === 0) await talk.close();
  return talk.id;
}

test('after a crash at any event the conversation opens, and goes on where the developer left it', async () => {
  const journal = openJournal(temporaryStore());
  let crashes = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 100 }), { minLength: 1, maxLength: 6 }), async (choices) => {
      const events = journal.read(await wander(journal, choices));
      for (let length = 1; length <= events.length; length += 1) {
        crashes += 1;
        const id = `crash-${crashes}`;
        const bodies = events.slice(0, length).map(({ body }) => body as EventBody);
        journal.append(id, bodies);
        recover(journal, { isAlive: () => false });
        const before = reduce(journal.read(id));
        expect(before).toMatchObject({ ignored: [], running: null });
        const said = bodies.flatMap((body) => ('text' in body ? [body.text] : []));
        expect(before.messages.filter(({ role }) => role === 'user').map(({ content }) => content)).toEqual(said);

        const talk = Conversation.open({ journal, chat: scriptedChat([QUESTION]), sampling }, id);
        if (talk.state.phase === 'closed') continue;
        if (talk.state.phase === 'empty') await talk.request('Convert it.');
        if (talk.state.phase === 'waiting') await talk.reply({ text: 'metres' });
        if (talk.state.turns.length === talk.state.maxTurns) continue;
        expect((await drain(talk.act()))?.type).toMatch(/asked|answered/);
        expect(talk.state.turns).toHaveLength(before.turns.length + 1);
      }
    }),
    { numRuns: 12 },
  );
  expect(journal.unfinished()).toEqual([]);
  expect(crashes).toBeGreaterThan(50);
});
