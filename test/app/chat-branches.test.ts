import { expect, test } from 'vitest';
import { TurnwiseError } from '../../src/core/error.ts';
import { reduce } from '../../src/core/reduce.ts';
import { openJournal } from '../../src/store/journal.ts';
import { temporaryStore } from '../store/temporary-store.ts';
import { kinds, room, type Room } from './chat-room.ts';
import { ANSWER, QUESTION } from './scripted-chat.ts';

/** A conversation with a question, an option taken, and an answer. */
async function talked(use: Room): Promise<string> {
  await use.session.send('Convert it.', null);
  await use.silent();
  await use.session.choose(0, 0);
  await use.silent();
  return use.session.episode ?? expect.fail('no conversation');
}

const stateOf = ({ journal }: Room, id: string | null) => reduce(journal.read(id ?? ''));

test('another request, reply or answer goes on in a branch of the same group, and what was there stays', async () => {
  const use = room([QUESTION, ANSWER, 'Anew?', QUESTION, ANSWER]);
  const root = await talked(use);
  const before = use.journal.read(root);

  await use.session.branch({ at: 'action', turn: 1 });
  await use.silent();
  const again = use.session.episode;
  expect(use.session.view()).toMatchObject({
    request: 'Convert it.',
    turns: [
      { state: 'inherited', versions: null, replies: [{ kind: 'option', text: 'metres' }] },
      { prose: 'Anew?', versions: { shown: 2, count: 2, previous: root, next: null } },
    ],
  });

  await use.session.branch({ at: 'request', text: 'Convert it to feet.' });
  await use.silent();
  expect(kinds(use)).toEqual(['episode_started', 'request_accepted', 'action_started', 'action_asked']);
  expect(use.session.view()).toMatchObject({
    request: 'Convert it to feet.',
    status: { requestVersions: { shown: 2, count: 2, previous: again } },
  });

  await use.session.showVersion(root);
  await use.session.branch({ at: 'reply', turn: 0, text: 'metres, rounded' });
  await use.silent();
  expect(use.session.state.turns[0]?.observations).toMatchObject([
    { kind: 'edited_option', option: 'metres', text: 'metres, rounded', latencyMs: null },
  ]);
  expect(use.session.view().turns[0]?.replyVersions).toEqual({ shown: 2, count: 2, previous: again, next: null });

  expect(use.journal.read(root)).toEqual(before);
  const groups = use.journal.episodes().map(({ id }) => stateOf(use, id).groupId);
  expect(groups).toHaveLength(4);
  expect(new Set(groups).size).toBe(1);
  // Each leaves the episode whose words it replaces, also where that was seen through another branch.
  expect(use.journal.branches().map(({ parent }) => parent)).toEqual([root, root, root]);
});

test('an action that failed is tried again in a branch, the broken one stays to be looked at', async () => {
  const broke = { type: 'failed', reason: 'cut_off', message: 'It broke off; go on.', partial: 'Whi' } as const;
  const use = room([[broke], QUESTION]);
  await use.session.send('Convert it.', null);
  await use.silent();
  const root = use.session.episode ?? '';
  await use.session.branch({ at: 'action', turn: 0 });
  await use.silent();
  expect(use.session.view().turns[0]).toMatchObject({ kind: 'question', versions: { shown: 2, count: 2 } });
  await use.session.showVersion(root);
  expect(use.session.view()).toMatchObject({
    turns: [],
    status: { offer: 'continue', partial: 'Whi', nextVersions: { shown: 1, count: 2 } },
  });
});

test('what is said while the agent writes stops it, and the branch goes on', async () => {
  const use = room([QUESTION, QUESTION]);
  await use.session.send('Convert it.', null);
  const root = use.session.episode ?? '';
  expect(use.session.acting).toBe(true);
  await use.session.branch({ at: 'request', text: 'Convert this.' });
  await use.silent();
  expect(stateOf(use, root).phase).not.toBe('acting');
  expect(use.session.view()).toMatchObject({ request: 'Convert this.', turns: [{ kind: 'question' }] });
});

test('a reply to a rejected proposal stays a rejection, own words stay own words, a tool is nobody to answer for', async () => {
  const use = room([ANSWER, ANSWER, ANSWER, QUESTION, QUESTION]);
  await use.session.send('Convert it.', null);
  await use.silent();
  await use.session.decide(use.session.episode ?? '', 0, 'rejected');
  await use.session.send('Not so.', null);
  await use.silent();
  await use.session.branch({ at: 'reply', turn: 0, text: 'In feet.' });
  await use.silent();
  expect(use.session.state.turns[0]?.observations).toMatchObject([{ kind: 'rejected', text: 'In feet.' }]);
  await expect(use.session.branch({ at: 'reply', turn: 1, text: 'x' })).rejects.toMatchObject({
    reason: 'not_editable',
  });
  await expect(use.session.branch({ at: 'reply', turn: 0, text: ' \n' })).rejects.toMatchObject({
    reason: 'empty_text',
  });
  await expect(use.session.branch({ at: 'action', turn: 7 })).rejects.toMatchObject({ reason: 'no_such_turn' });
  expect(use.session.view().status.mayBranch).toBe(true);
});

test('words of a branch that cannot be written are refused, and nothing of the branch is there', async () => {
  const use = room([QUESTION, QUESTION]);
  await use.session.send('Convert it.', null);
  await use.silent();
  const { episode } = use.session;
  const append = use.journal.append.bind(use.journal);
  use.journal.append = () => {
    throw new TurnwiseError('environment', 'disk_full', 'The disk is full; free some space.');
  };
  await expect(use.session.branch({ at: 'request', text: 'Convert this.' })).rejects.toThrow('disk is full');
  use.journal.append = append;
  expect(use.session.episode).toBe(episode);
  expect(use.journal.episodes()).toHaveLength(1);
});

test('what may never leave stays so in a branch; what may, asks anew', async () => {
  const use = room([QUESTION, QUESTION, QUESTION, QUESTION]);
  await use.session.send('Convert it.', null);
  await use.silent();
  const root = use.session.episode ?? '';
  await use.session.setConsent(root, 'excluded');
  await use.session.branch({ at: 'action', turn: 0 });
  await use.silent();
  expect(use.session.state.consent.scope).toBe('excluded');
  await use.session.open(root);
  await use.session.setConsent(root, 'exportable');
  await use.session.branch({ at: 'action', turn: 0 });
  await use.silent();
  expect(use.session.state.consent.scope).toBe('local-only');
});

test('a conversation that is no relative is not shown as a version', async () => {
  const use = room([QUESTION, QUESTION]);
  await use.session.send('Convert it.', null);
  await use.silent();
  const first = use.session.episode ?? '';
  await use.session.open(null);
  await use.session.send('Another thing.', null);
  await use.silent();
  await expect(use.session.showVersion(first)).rejects.toThrow('no longer open');
});

test('versions that another window made are seen here, and survive the program', async () => {
  const path = temporaryStore();
  const here = room([QUESTION, ANSWER], { journal: openJournal(path) });
  const root = await talked(here);
  const there = room([QUESTION], { journal: openJournal(path) });
  await there.session.open(root);
  await there.session.branch({ at: 'action', turn: 1 });
  await there.silent();
  here.session.refresh();
  expect(here.session.view().turns[1]?.versions).toMatchObject({ shown: 1, count: 2, next: there.session.episode });
  const later = room([], { journal: openJournal(path) });
  await later.session.open(there.session.episode);
  expect(later.session.view().turns[1]?.versions).toMatchObject({ shown: 2, count: 2, previous: root });
});

test('a thumb and a note do not touch each other, and are taken back each by itself', async () => {
  const use = room([QUESTION, ANSWER]);
  const id = await talked(use);
  const { session } = use;
  await session.rate(id, 0, { thumb: 1 });
  await session.rate(id, 0, { note: 'worth asking' });
  await session.rate(id, null, { thumb: 0 });
  expect(session.view()).toMatchObject({
    turns: [{ rating: { thumb: 1, note: 'worth asking' } }, { rating: { thumb: null, note: null } }],
    status: { rating: { thumb: 0, note: null } },
  });
  await session.rate(id, 0, { thumb: null });
  expect(session.state.turns[0]).toMatchObject({ thumb: null, note: 'worth asking' });
  await session.branch({ at: 'action', turn: 1 });
  await use.silent();
  await expect(session.rate(session.episode ?? '', 0, { thumb: 1 })).rejects.toMatchObject({
    reason: 'inherited_turn',
  });
});

test('how long an answer took counts from the end of the question, whichever window asked it', async () => {
  const path = temporaryStore();
  let now = Date.now() - 60_000;
  const asking = room([QUESTION, QUESTION], { journal: openJournal(path, { now: () => now }) });
  await asking.session.send('Convert it.', null);
  await asking.silent();
  const answering = room([QUESTION], { journal: openJournal(path) });
  await answering.session.open(asking.session.episode);
  await answering.session.choose(0, 0);
  await answering.silent();
  const [heard] = answering.session.state.turns[0]?.observations ?? [];
  expect(heard?.latencyMs).toBeGreaterThanOrEqual(60_000);
  expect(heard?.latencyMs).toBeLessThan(120_000);
  // A clock that was set back tells nothing.
  now = Date.now() + 3_600_000;
  asking.session.refresh();
  await asking.session.choose(1, 0);
  await asking.silent();
  await answering.session.open(null);
  await answering.session.open(asking.session.episode);
  await answering.session.skip(2);
  await answering.silent();
  expect(answering.session.state.turns[2]?.observations[0]).toMatchObject({ kind: 'skipped', latencyMs: null });
});
