import { expect, test, vi } from 'vitest';
import { Conversation } from '../../src/app/conversation.ts';
import { TurnwiseError } from '../../src/core/error.ts';
import { applyToView, viewUpdate } from '../../src/core/chat-view.ts';
import { openJournal } from '../../src/store/journal.ts';
import { purgeEpisode } from '../../src/store/purge.ts';
import { temporaryStore } from '../store/temporary-store.ts';
import { kinds, room } from './chat-room.ts';
import { ANSWER, QUESTION, sampling, scriptedChat } from './scripted-chat.ts';

test('a click on what is no longer open is refused and leaves no trace', async () => {
  const use = room([QUESTION, ANSWER]);
  await expect(use.session.choose(0, 0)).rejects.toThrow('no longer open');
  await use.session.send('Convert it.', null);
  await use.silent();
  await expect(use.session.choose(0, 7)).rejects.toThrow('no longer open');
  await expect(use.session.choose(1, 0)).rejects.toThrow('no longer open');
  await use.session.choose(0, 1);
  await use.silent();
  await expect(use.session.choose(0, 0)).rejects.toThrow('no longer open');
  expect(kinds(use).filter((type) => type === 'observed')).toHaveLength(1);
});

test('a conversation that another window deletes goes from the chat, and new words begin another', async () => {
  const use = room([QUESTION, QUESTION]);
  await use.session.send('Convert it.', null);
  await use.silent();
  const gone = use.session.episode ?? '';
  purgeEpisode(use.journal.path, gone);
  use.session.refresh();
  expect(use.views.at(-1)).toMatchObject({ episode: null, request: null, turns: [] });
  await use.session.send('Convert it.', null);
  await use.silent();
  expect(use.session.episode).not.toBe(gone);
  expect(use.journal.episodes()).toHaveLength(1);
});

test('request, question, option, answer: durable in order, streamed, and never offered twice', async () => {
  const use = room([QUESTION, ANSWER]);
  await use.session.send('Convert it.', null);
  await use.silent();
  expect(use.session.view().status.offer).toBe('reply');
  expect(use.deltas.join('')).toBe(QUESTION);
  await use.session.choose(0, 1);
  await use.silent();
  expect(use.session.state.turns[0]?.observations).toMatchObject([{ kind: 'option', text: 'feet', option: 'feet' }]);
  expect(use.session.view().turns[1]).toMatchObject({ kind: 'answer', code: 'x = 1\n' });
  expect(kinds(use)).toEqual([
    'episode_started',
    'request_accepted',
    'action_started',
    'action_asked',
    'observed',
    'action_started',
    'action_answered',
  ]);
  // Between the words and the agent's first token nothing offers to continue or to reply.
  const offers = use.views.map(({ status }) => status.offer);
  expect(offers.filter((offer, at) => offer !== offers[at - 1])).toEqual(['stop', 'reply', 'stop', 'reply']);
});

test('an option that was edited, a skip and own words are told apart, and the reply to a rejected proposal is a rejection', async () => {
  const use = room([QUESTION, QUESTION, QUESTION, ANSWER, ANSWER]);
  await use.session.send('Convert it.', null);
  await use.silent();
  await use.session.send('yards', 1);
  await use.silent();
  await use.session.skip(1);
  await use.silent();
  await use.session.send('metres', 0);
  await use.silent();
  const heard = use.session.state.turns.flatMap(({ observations }) =>
    observations.map(({ kind, option }) => [kind, option]),
  );
  expect(heard).toEqual([
    ['edited_option', 'feet'],
    ['skipped', null],
    ['option', 'metres'],
  ]);
  await use.session.decide(use.session.episode ?? '', 3, 'rejected');
  await expect(use.session.send('It must be feet.', null)).resolves.toBeUndefined();
  await use.silent();
  expect(use.session.state.turns[3]?.observations[0]?.kind).toBe('rejected');
});

test('two windows answer one question: the first answer counts, and the second window keeps its words and shows the first', async () => {
  const path = temporaryStore();
  const here = room([QUESTION, ANSWER], { journal: openJournal(path) });
  await here.session.send('Convert it.', null);
  await here.silent();
  const there = room([], { journal: openJournal(path) });
  await there.session.open(here.session.episode);
  // Between the words and the agent's start, when nothing but the answer itself says that it is taken.
  await Conversation.open(
    { journal: here.journal, chat: scriptedChat([]), sampling },
    here.session.episode ?? '',
  ).reply({ text: 'feet', kind: 'option' });
  await expect(there.session.choose(0, 1)).rejects.toMatchObject({ reason: 'answered_elsewhere' });
  await expect(there.session.send('metres', null)).rejects.toMatchObject({ reason: 'answered_elsewhere' });
  expect(there.views.at(-1)).toMatchObject({
    turns: [{ replies: [{ kind: 'option', text: 'feet' }] }],
    status: { offer: 'continue' },
  });
  expect(kinds(here).filter((type) => type === 'observed')).toHaveLength(1);
});

test('what was said before a server broke off is shown until the agent goes on', async () => {
  const broke = {
    type: 'failed',
    reason: 'connection_lost',
    message: 'It went away; go on.',
    partial: 'Which',
  } as const;
  const use = room([[{ type: 'delta', text: 'Which' }, broke], QUESTION]);
  await use.session.send('Convert it.', null);
  await use.silent();
  expect(use.session.view().status).toMatchObject({
    offer: 'continue',
    trouble: 'It went away; go on.',
    partial: 'Which',
  });
  use.session.continue();
  expect(use.session.view().status).toMatchObject({ trouble: null, partial: '' });
  await use.silent();
  expect(use.session.view()).toMatchObject({ turns: [{ kind: 'question' }], status: { partial: '' } });
});

test('a draft goes only when its words are on the disk', async () => {
  const use = room([QUESTION]);
  const { session, drafts, journal } = use;
  session.setDraft(null, 'Convert it.');
  const append = vi.spyOn(journal, 'append').mockImplementation(() => {
    throw new TurnwiseError('environment', 'disk_full', 'The disk is full; free some space.');
  });
  await expect(session.send('Convert it.', null)).rejects.toThrow('disk is full');
  expect(drafts.get(null)).toBe('Convert it.');
  append.mockRestore();
  await session.send('Convert it.', null);
  expect(drafts.get(null)).toBe('');
  expect(drafts.get(session.episode)).toBe('');
  expect(session.state.request).toBe('Convert it.');
});

test('a server that cannot be had is a sentence in the chat, and Continue tries again', async () => {
  let down = true;
  const backend = scriptedChat([QUESTION]);
  const use = room([], {
    connect: () =>
      down
        ? Promise.reject(new TurnwiseError('backend', 'unreachable', 'It does not answer; check that it runs.'))
        : Promise.resolve({ backend, notice: null }),
  });
  await use.session.send('Convert it.', null);
  await use.silent();
  expect(use.session.view().status).toMatchObject({
    offer: 'continue',
    trouble: 'It does not answer; check that it runs.',
  });
  down = false;
  use.session.continue();
  await use.silent();
  expect(use.session.view()).toMatchObject({
    status: { offer: 'reply', trouble: null },
    turns: [{ options: ['metres', 'feet'] }],
  });
});

test('Stop keeps what was written, and the developer is due', async () => {
  const use = room([QUESTION]);
  await use.session.send('Convert it.', null);
  await use.session.stop();
  expect(use.session.acting).toBe(false);
  expect(kinds(use).at(-1)).toBe('action_stopped');
  expect(use.session.view().turns[0]).toMatchObject({ state: 'stopped' });
});

test('another window sees the same conversation, takes over where it stands, and the first one catches up', async () => {
  const path = temporaryStore();
  const first = room([QUESTION, ANSWER], { journal: openJournal(path) });
  await first.session.send('Convert it.', null);
  await first.silent();
  const second = room([ANSWER], { journal: openJournal(path) });
  await second.session.open(first.session.episode);
  expect(second.session.view().turns).toEqual(first.session.view().turns);
  await second.session.choose(0, 0);
  await second.silent();
  first.session.refresh();
  expect(first.session.view()).toEqual({ ...second.session.view() });
  await expect(first.session.choose(0, 0)).rejects.toThrow('no longer open');
});

test('messages made from the views rebuild the last view', async () => {
  const use = room([QUESTION, ANSWER]);
  const [first] = [use.session.view()];
  let page = applyToView(null, { type: 'snapshot', seq: 0, view: first });
  await use.session.send('Convert it.', null);
  await use.silent();
  let before = first;
  for (const view of use.views) {
    const update = viewUpdate(before, view);
    before = view;
    if (update?.type === 'snapshot') page = applyToView(page, { ...update, seq: 0 });
    if (update?.type === 'update') page = applyToView(page, { ...update, seq: (page?.seq ?? 0) + 1 });
  }
  expect(page?.view).toEqual(use.session.view());
});

test('a conversation that is not there is said, and the open one stays', async () => {
  const use = room([QUESTION]);
  await use.session.send('Convert it.', null);
  await use.silent();
  const { episode } = use.session;
  await expect(use.session.open('nowhere')).rejects.toThrow('no conversation nowhere');
  expect(use.session.episode).toBe(episode);
});
