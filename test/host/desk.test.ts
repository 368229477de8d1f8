import { expect, test } from 'vitest';
import { Desk, keptWords } from '../../src/host/desk.ts';
import { openJournal } from '../../src/store/journal.ts';
import { temporaryStore } from '../store/temporary-store.ts';

test('a draft and the edit before it are both there when the store is opened again', () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  const desk = new Desk(journal.memo, 'w');
  desk.set('e', 'half a sent');
  desk.setEdit('e', { target: { at: 'reply', turn: 2 }, text: 'not metres' });
  journal.close();

  const again = openJournal(path);
  const later = new Desk(again.memo, 'w');
  expect(later.get('e')).toBe('half a sent');
  expect(later.edit('e')).toEqual({ target: { at: 'reply', turn: 2 }, text: 'not metres' });
  later.setEdit('e', null);
  expect(later.edit('e')).toBeNull();
  expect(later.get('e')).toBe('half a sent');
  expect(later.edit(null)).toBeNull();
  again.memo.set('edit e', '{"target":{"at":"moon"}}');
  expect(later.edit('e')).toBeNull();
  again.memo.set('edit e', 'no json');
  expect(later.edit('e')).toBeNull();
  again.close();
});

test('what waits beside the words is one for a workspace, and is there again; a store that fails keeps nothing and stops nobody', () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  new Desk(journal.memo, 'w').context = '{"kept":1}';
  expect(new Desk(journal.memo, 'another').context).toBeNull();
  journal.close();

  const again = openJournal(path);
  const desk = new Desk(again.memo, 'w');
  expect(desk.context).toBe('{"kept":1}');
  const failures: unknown[] = [];
  const kept = keptWords(desk, (work) => {
    try {
      work();
    } catch (thrown) {
      failures.push(thrown);
    }
  });
  kept.context = null;
  expect(desk.context).toBeNull();
  again.close();
  kept.context = '{"kept":2}';
  kept.set('e', 'words');
  expect(failures).toHaveLength(2);
});
