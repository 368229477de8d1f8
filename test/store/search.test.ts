import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EventBody } from '../../src/core/event.ts';
import { openJournal, type Journal } from '../../src/store/journal.ts';
import { generationOf, started } from '../core/event-arbitrary.ts';
import { temporaryStore } from './temporary-store.ts';

const says = (text: string): EventBody => ({ type: 'request_accepted', text });
const TALKS = {
  english: 'Parse the CSV file, then average parse_date per user.',
  japanese: '数値のリストを平均してください。空白は無視。',
  emoji: 'ship it 🚀 now, 👩‍👩‍👧‍👦 waits',
  quoted: 'a "quoted" word AND (NEAR) col:umn*',
  percent: '100% of the_rows',
};

function filled(path = temporaryStore()): { path: string; journal: Journal } {
  const journal = openJournal(path);
  for (const [id, text] of Object.entries(TALKS)) journal.append(id, [started, says(text)]);
  return { path, journal };
}

const found = (journal: Journal, query: string): string[] =>
  journal.search.find(query).map(({ episodeId }) => episodeId);

test.each([
  ['average', ['english']],
  ['AVERAGE csv', ['english']],
  ['e_dat', ['english']],
  ['average rocket', []],
  ['平均', ['japanese']],
  ['リスト', ['japanese']],
  ['空白 平均', ['japanese']],
  ['🚀', ['emoji']],
  ['👩‍👩‍👧‍👦 ship', ['emoji']],
  ['it', ['quoted', 'emoji'].slice(1)],
  ['%', ['percent']],
  ['100%', ['percent']],
  ['_', ['percent', 'english']],
  ['"quoted"', ['quoted']],
  ['AND (NEAR)', ['quoted']],
  ['col:umn*', ['quoted']],
  ['', []],
  [' \t\u0000 ', []],
])('%j is found in %j', (query, ids) => {
  const { path, journal } = filled();
  expect(found(journal, query)).toEqual(ids);
  journal.close();
  // Who may only read, reads the events themselves and finds the same.
  const reader = openJournal(path, { readOnly: true });
  expect(found(reader, query)).toEqual(ids);
  reader.close();
});

test('no query is an order: whatever is typed finds words or nothing, and changes nothing', () => {
  const { journal } = filled();
  const before = [...journal.readAll()];
  const hostile = [
    '"',
    "'; DROP TABLE event; --",
    'text:',
    '^a',
    'a OR b',
    'NOT',
    '-',
    '{x y}:',
    'NEAR(a b, 2)',
    '\\',
    '*',
  ];
  for (const query of hostile) expect(journal.search.find(query), query).toBeInstanceOf(Array);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (query) => {
      for (const { snippet } of journal.search.find(query)) expect(snippet.match).not.toBe('');
    }),
    { numRuns: 200 },
  );
  expect([...journal.readAll()]).toEqual(before);
  journal.close();
});

test('a snippet shows the word as it stands there and what surrounds it, whole characters only', () => {
  const journal = openJournal(temporaryStore());
  journal.append('e', [started, says(`${'🙂'.repeat(80)} the Needle ${'🙃'.repeat(80)}`)]);
  const [hit] = journal.search.find('needle');
  expect(hit).toMatchObject({ episodeId: 'e', seq: 1, who: 'developer', snippet: { match: 'Needle' } });
  expect(hit?.snippet.before).toMatch(/^(🙂)+ the $/u);
  expect(hit?.snippet.after).toMatch(/^ (🙃)+$/u);
  journal.close();
});

test('developer and agent can be told apart; imports and branches are searched as well', () => {
  const journal = openJournal(temporaryStore());
  const parent = { episode_id: 'p', turn: 0, group_id: 'g', request: 'inherited words', turns: [] };
  journal.append('e', [
    { ...started, parent },
    says('which unit'),
    { type: 'action_started', turn: 0, pid: null },
    { type: 'action_asked', turn: 0, question: 'Metres as unit?', options: [], generation: generationOf('x') },
  ]);
  expect(journal.search.find('unit').map(({ who }) => who)).toEqual(['agent', 'developer']);
  expect(journal.search.find('unit', { who: 'agent' }).map(({ seq }) => seq)).toEqual([3]);
  expect(journal.search.find('inherited', { limit: 5 })).toHaveLength(1);
  journal.close();
});

test('the index follows other writers, and is made anew by hand, after damage, and for another format of the events', () => {
  const { path, journal } = filled();
  expect(found(journal, 'later')).toEqual([]);
  const other = openJournal(path);
  other.append('later', [started, says('said later')]);
  other.close();
  expect(found(journal, 'later')).toEqual(['later']);

  const db = new DatabaseSync(path);
  const stale = (): void => {
    db.exec(
      "DELETE FROM words; INSERT INTO words (rowid, text, episode_id, seq, who) VALUES (1, 'ghost', 'x', 0, 'agent')",
    );
  };
  stale();
  expect(found(journal, 'ghost')).toEqual(['x']);
  expect(journal.search.rebuild()).toBe(6);
  expect(found(journal, 'ghost')).toEqual([]);
  stale();
  db.exec('UPDATE indexed SET event_version = 0');
  expect(found(journal, 'later')).toEqual(['later']);
  expect(found(journal, 'ghost')).toEqual([]);

  db.close();
  journal.close();
});

/** Overwrites a part of the page at which a table of the index begins. */
function overwrite(path: string, table: string, from: number, to: number): void {
  const db = new DatabaseSync(path);
  const root = Number(db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table)?.['rootpage']);
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
  const bytes = readFileSync(path);
  bytes.fill(0xff, (root - 1) * 4096 + from, (root - 1) * 4096 + to);
  writeFileSync(path, bytes);
}

test('an index whose entries are damaged is made anew by whoever searches next', () => {
  const { path, journal } = filled();
  journal.search.rebuild();
  journal.close();
  overwrite(path, 'words_data', 3000, 3900);
  const again = openJournal(path);
  expect(found(again, 'average')).toEqual(['english']);
  expect(found(again, '平均')).toEqual(['japanese']);
  again.close();
});

test('damage to the index costs no word of the journal', () => {
  const { path, journal } = filled();
  journal.search.rebuild();
  journal.close();
  overwrite(path, 'words_content', 0, 4096);
  const again = openJournal(path);
  expect(again.read('english')).toHaveLength(2);
  again.append('english', [{ type: 'consent_set', scope: 'excluded' }]);
  expect(again.read('english')).toHaveLength(3);
  again.close();
});
