import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Conversation } from '../../src/app/conversation.ts';
import { exportDataset } from '../../src/app/export.ts';
import { eventBodySchema, type EventBody } from '../../src/core/event.ts';
import { reduce } from '../../src/core/reduce.ts';
import { openJournal, type Journal } from '../../src/store/journal.ts';
import { generationOf, started } from '../core/event-arbitrary.ts';

let folder = '';
let journal: Journal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnwise-history-'));
  journal = openJournal(join(folder, 'turnwise.sqlite'));
});
afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true, force: true });
});

const asked = (text: string): EventBody[] => [
  { ...started, source: 'simulated' },
  { type: 'request_accepted', text },
  { type: 'action_started', turn: 0, pid: null },
  { type: 'action_answered', turn: 0, message: 'Done.', code: 'x = 1', generation: generationOf('Done.') },
];

function open(id: string): Conversation {
  const connect = (): never => {
    throw new Error('Nobody speaks here.');
  };
  return Conversation.open({ journal, connect } as unknown as Parameters<typeof Conversation.open>[0], id);
}

test('a conversation is called by its newest title, and by its request again where that is taken back', async () => {
  journal.append('a', asked('Sum the prices.'));
  journal.append('b', asked('Sort the names.'));
  await open('a').setTitle('Prices');
  await open('a').setTitle('Prices of the week');
  const titles = () => Object.fromEntries(journal.episodes().map(({ id, title }) => [id, title]));
  expect(titles()).toEqual({ a: 'Prices of the week', b: null });
  expect(reduce(journal.read('a')).title).toBe('Prices of the week');
  const before = journal.read('a').length;
  await open('a').setTitle('Prices of the week');
  expect(journal.read('a')).toHaveLength(before);
  await open('a').setTitle(null);
  expect(titles()).toEqual({ a: null, b: null });
});

test('a title is found by the search like any word of the developer', async () => {
  journal.append('a', asked('Sum the prices.'));
  await open('a').setTitle('Quarterly figures');
  expect(journal.search.find('quarterly').map(({ episodeId, who }) => [episodeId, who])).toEqual([['a', 'developer']]);
});

test.each(['', 'two\nlines', 'x'.repeat(201), '\ud800'])('%j is no title', (title) => {
  expect(eventBodySchema.safeParse({ type: 'titled', title }).success).toBe(false);
});

test('a branch names what it branched off from', () => {
  journal.append('root', asked('Sum the prices.'));
  const parent = { episode_id: 'root', turn: 0, group_id: 'root', request: 'Sum the prices.', turns: [] };
  journal.append('branch', [{ ...started, parent }]);
  expect(Object.fromEntries(journal.episodes().map((facts) => [facts.id, facts.parent]))).toEqual({
    root: null,
    branch: 'root',
  });
});

test('one conversation is exported alone, whatever else stands in the store', async () => {
  journal.append('a', asked('Sum the prices.'));
  journal.append('b', asked('Sort the names.'));
  const out = join(folder, 'dataset');
  const summary = await exportDataset({ journal, out, episodes: ['b'], scoredOf: () => null });
  expect([summary.rows, summary.refused]).toEqual([1, []]);
  const rows = readFileSync(join(out, 'episodes/train.jsonl'), 'utf8').trim().split('\n');
  expect(rows).toHaveLength(1);
  expect(rows[0]).toContain('Sort the names.');
});
