import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { EventBody, Fork } from '../../src/core/event.ts';
import { backupStore, restoreStore } from '../../src/store/backup.ts';
import { inspect } from '../../src/store/inspect.ts';
import { openJournal } from '../../src/store/journal.ts';
import { purgeEpisode, purgePlan } from '../../src/store/purge.ts';
import { generationOf, started } from '../core/event-arbitrary.ts';
import { makeOlderStore } from './older-store.ts';
import { refused, temporaryStore } from './temporary-store.ts';

/** Files below a folder in which any of the words stands. */
function holding(folder: string, words: readonly string[]): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile())
    .filter((file) => words.some((word) => readFileSync(file).includes(word)));
}

const says = (text: string): EventBody => ({ type: 'request_accepted', text });
const note = (text: string): EventBody => ({ type: 'rated', turn: null, thumb: 1, note: text });

test('after a purge no file below the folder holds a word of it: file, log, free pages, index, drafts, copies, caches', () => {
  const path = temporaryStore();
  const folder = dirname(path);
  makeOlderStore(path, 3, 'gone', [started, says('quixotryrequest')]);
  // Brings it up to date, and so leaves a copy of the older version.
  const journal = openJournal(path);
  journal.append('gone', [
    { type: 'action_started', turn: 0, pid: null },
    { type: 'action_asked', turn: 0, question: 'zyzzyvaquestion?', options: [], generation: generationOf('x') },
    {
      type: 'observed',
      turn: 0,
      kind: 'typed',
      text: 'flibbertireply',
      options_shown: [],
      option: null,
      latency_ms: 1,
    },
    { type: 'titled', title: 'gobbledytitle' },
    { type: 'override_set', turn: 0, change: { field: 'note', value: 'hobbledehoyreview' } },
    note(`mugwumpnote ${'long '.repeat(4000)}mugwumpend`),
  ]);
  const parent: Fork = { episode_id: 'gone', turn: 0, group_id: 'gone', request: 'quixotryrequest', turns: [] };
  journal.append('branch', [{ ...started, parent }, note('syzygybranch')]);
  journal.append('branch of it', [{ ...started, parent: { ...parent, episode_id: 'branch' } }]);
  journal.append('stays', [started, says('keptwords remain')]);
  journal.memo.set('draft gone', 'wabbitdraft');
  journal.memo.set('edit gone', 'lollygagedit');
  journal.memo.set('draft stays', 'other draft');
  journal.memo.set('open workspace', 'gone');
  journal.memo.set('context of workspace', 'cattywampuschip');
  journal.memo.set('open elsewhere', 'stays');
  journal.memo.set('context of elsewhere', 'other chip');
  journal.putScore('k', ['snollycache']);
  journal.queue.wish({ episodeId: 'gone', scorer: 's', optionsKey: 'o', actions: 2 });
  const job = journal.queue.claim('w', 's', 'o', 1000);
  if (job !== null) journal.queue.fail('w', job, { reason: 'r', message: 'gongoozlejob' }, null);
  expect(journal.search.find('flibbertireply')).toHaveLength(1);
  backupStore(path);
  journal.close();
  const kept = backupStore(path, `${path}.elsewhere`);
  restoreStore(kept.file, path, { replace: true });
  writeFileSync(join(folder, `.store.db.x.tmp`), 'quixotryrequest of a copy that was killed');
  // Another window, with a log that was not folded in.
  const window = openJournal(path);
  window.append('gone', [note('borborygmlog')]);

  const words = ['quixotryrequest', 'zyzzyvaquestion', 'flibbertireply', 'mugwumpnote', 'mugwumpend', 'syzygybranch'];
  words.push(
    'gobbledytitle',
    'hobbledehoyreview',
    'lollygagedit',
    'wabbitdraft',
    'snollycache',
    'gongoozlejob',
    'borborygmlog',
    'cattywampuschip',
  );
  for (const word of words) expect(holding(folder, [word]), word).not.toEqual([]);
  writeFileSync(`${path}.elsewhere`, '');

  const plan = purgePlan(path, 'gone');
  expect(plan.episodes).toEqual(['gone', 'branch', 'branch of it']);
  expect(plan.files).toHaveLength(4);
  const done = purgeEpisode(path, 'gone');
  expect(done).toMatchObject({ episodes: plan.episodes, events: 12, left: [] });
  expect(done.files).toEqual(plan.files);
  expect(holding(folder, words)).toEqual([]);
  for (const file of done.files) expect(inspect(file).wrong, file).toEqual([]);

  // What is left is whole, in the window that was open all the time too.
  expect(window.episodes().map(({ id }) => id)).toEqual(['stays']);
  expect(window.memo.get('draft stays')).toBe('other draft');
  expect(window.memo.get('open workspace')).toBeNull();
  expect(window.memo.get('context of elsewhere')).toBe('other chip');
  expect(window.search.find('keptwords')).toHaveLength(1);
  expect(window.search.find('mugwump')).toEqual([]);
  window.append('stays', [note('goes on')], { expectedSeq: 2 });
  expect(refused(() => window.append('gone', [note('late')], { expectedSeq: 7 }))).toMatchObject({
    reason: 'conflict',
  });
  window.close();
  const db = new DatabaseSync(path);
  expect(() => {
    db.exec('DELETE FROM event');
  }).toThrow(/never deleted/);
  // Not even a part of a word is left among the trigrams.
  db.exec("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab('main', 'words', 'row')");
  expect(
    db.prepare("SELECT term FROM temp.vocabulary WHERE term IN ('quix', 'uix', 'zyz', 'yzz', 'wum')").all(),
  ).toEqual([]);
  db.close();
  expect(refused(() => purgeEpisode(path, 'gone'))).toMatchObject({ fault: 'usage', reason: 'no_such_episode' });
});

test('what a purge cannot reach is said: a copy that is damaged, an export', () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  journal.append('e', [started, says('hello')]);
  journal.close();
  const { file } = backupStore(path);
  writeFileSync(file, Buffer.alloc(8192, 7));
  mkdirSync(join(dirname(path), 'dataset'));
  writeFileSync(join(dirname(path), 'dataset', 'manifest.json'), '{}');
  const { left } = purgeEpisode(path, 'e');
  expect(left.map(({ file: place }) => place)).toEqual([file, join(dirname(path), 'dataset')]);
  expect(left[0]?.why).toMatch(/may hold words/);
  expect(left[1]?.why).toMatch(/export it anew/);
});

test('what is said after the newest conversation was taken out is found again', () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  journal.append('stays', [started, says('first words')]);
  journal.append('gone', [started, says('other words'), note('and more')]);
  expect(journal.search.find('words')).toHaveLength(2);
  purgeEpisode(path, 'gone');
  // The positions at the end of the table are given out again.
  journal.append('new', [started, says('flibbertigibbet')]);
  expect(journal.search.find('flibbertigibbet').map(({ episodeId }) => episodeId)).toEqual(['new']);
  expect(journal.search.find('words').map(({ episodeId }) => episodeId)).toEqual(['stays']);
  journal.close();
});

test('only the id itself is meant, whatever it looks like', () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  for (const id of ['%', 'e', 'ee', "e' OR 1=1 --"]) journal.append(id, [started]);
  journal.memo.set('draft ee', 'a draft with e in it');
  journal.close();
  expect(purgeEpisode(path, '%').episodes).toEqual(['%']);
  expect(purgeEpisode(path, 'e').episodes).toEqual(['e']);
  const after = openJournal(path);
  expect(after.episodes().map(({ id }) => id)).toEqual(["e' OR 1=1 --", 'ee']);
  expect(after.memo.get('draft ee')).toBe('a draft with e in it');
  after.close();
});
