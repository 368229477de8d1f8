import { expect, test } from 'vitest';
import { ReviewPlaces } from '../../src/host/review-places.ts';
import { openJournal } from '../../src/store/journal.ts';
import { temporaryStore } from '../store/temporary-store.ts';

test('where the reader was is there again at once, also for a panel whose page was never asked what it kept', () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  const places = new ReviewPlaces(journal.memo, 'w');
  places.keep('Average it.', { episode: 'a', tab: 'turns', turn: 0 });
  places.keep('Sort it.', { episode: 'b', tab: 'task', turn: null });
  places.keep('Average it.', { episode: 'a', tab: 'turns', turn: 3 });
  journal.close();

  const again = openJournal(path);
  const later = new ReviewPlaces(again.memo, 'w');
  // The page kept an older place, or none at all.
  expect(later.find('Average it.', { episode: 'a', tab: 'turns', turn: 0 })).toMatchObject({ episode: 'a', turn: 3 });
  expect(later.find('Sort it.', undefined)).toEqual({ episode: 'b', tab: 'task', turn: null });
  // What only the page knows counts; of what nobody knows nothing is made up.
  expect(later.find('Old', { episode: 'c', tab: 'compare', turn: 1 })).toMatchObject({ episode: 'c', tab: 'compare' });
  expect(later.find('Old', 'broken')).toBeNull();
  expect(new ReviewPlaces(again.memo, 'another folder').find('Sort it.', undefined)).toBeNull();
  again.memo.set('reviews of w', '{"not":"ours"}');
  expect(later.find('Sort it.', undefined)).toBeNull();
  for (let at = 0; at < 50; at += 1) later.keep('T', { episode: `e${at}`, tab: 'turns', turn: null });
  expect(JSON.parse(again.memo.get('reviews of w') ?? '[]')).toHaveLength(20);
  again.close();
});
