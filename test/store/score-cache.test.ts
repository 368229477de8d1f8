import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ScoredEpisode } from '../../src/core/scored-episode.ts';
import { openJournal } from '../../src/store/journal.ts';
import { temporaryStore } from './temporary-store.ts';

const scored = (episode_id: string, outcome: number | null = null): ScoredEpisode => ({
  schema: 'turnwise-score/1',
  episode_id,
  group_id: 'g',
  outcome,
  scorer: { id: 's', revision: null, tokenizer_sha: null, template_sha: null, backend: 'b', version: null },
  placebo: null,
  options: { estimator: 'shift_mean', clip: null, placeholder: 'x', mask_mode: 'natural', seed: 0, noise: 0 },
  tokens_evaluated: null,
  tokens_limit: 0,
  turns: [],
});

test('a value that is damaged, or of another shape, counts as missing: it is computed again', () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  journal.putScore('k', [-0.5]);
  journal.putScored('e', 's', 'o', scored('e'));
  const db = new DatabaseSync(path);
  db.exec("UPDATE score SET value = '[-0.6]'; UPDATE scored SET row = replace(row, '\"g\"', '\"h\"')");
  expect(journal.getScore('k')).toBeUndefined();
  expect(journal.getScored('e', 's', 'o')).toBeNull();
  expect(journal.listScored('s', 'o')).toEqual([]);
  db.close();
  journal.close();
});

test('log-probs come back bit for bit', () => {
  const journal = openJournal(temporaryStore());
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, max: 0 })), fc.string(), (logprobs, key) => {
      const values = logprobs.map((value) => value + 0); // JSON has no -0
      journal.putScore(`k${key.replaceAll('\u0000', '')}`, values);
      expect(journal.getScore(`k${key.replaceAll('\u0000', '')}`)).toEqual(values);
    }),
    { numRuns: 50 },
  );
  expect(journal.getScore('never')).toBeUndefined();
  journal.close();
});

test('scored episodes are kept by scorer and options, the newest first', () => {
  const journal = openJournal(temporaryStore());
  for (const id of ['a', 'b', 'c']) journal.putScored(id, 's', 'o', scored(id));
  journal.putScored('a', 's', 'o', scored('a', 0.5));
  journal.putScored('a', 'other', 'o', scored('a', 1));
  expect(journal.listScored('s', 'o').map(({ episode_id }) => episode_id)).toEqual(['a', 'c', 'b']);
  expect(journal.listScored('s', 'o', 1)).toEqual([scored('a', 0.5)]);
  expect(journal.getScored('a', 'other', 'o')).toEqual(scored('a', 1));
  expect(journal.getScored('a', 's', 'other')).toBeNull();
  journal.close();
});

test('of several scores of an episode the preferred scorer and options win, then the options, then the newest', () => {
  const journal = openJournal(temporaryStore());
  const put = (id: string, scorer: string, options: string, outcome: number): void => {
    journal.putScored(id, scorer, options, scored(id, outcome));
  };
  put('both', 'now', 'o', 1);
  put('both', 'then', 'o', 0.5);
  put('options', 'then', 'o', 0.4);
  put('options', 'now', 'p', 0.3);
  put('neither', 'then', 'p', 0.2);
  put('neither', 'then', 'q', 0.1);
  const outcomes = (scorerKey: string | null): (number | null)[][] =>
    ['both', 'options', 'neither'].map((episodeId) =>
      journal.preferredScored({ scorerKey, optionsKey: 'o' }, { episodeId }).map(({ outcome }) => outcome),
    );
  expect(outcomes('now')).toEqual([[1], [0.4], [0.1]]);
  expect(outcomes(null)).toEqual([[0.5], [0.4], [0.1]]);
  const all = journal.preferredScored({ scorerKey: 'now', optionsKey: 'o' });
  expect(all.map(({ episode_id }) => episode_id)).toEqual(['neither', 'options', 'both']);
  expect(journal.scorings()[0]).toEqual({ scorerKey: 'then', optionsKey: 'q', episodes: 1 });
  expect(journal.scorings()).toHaveLength(5);
  journal.close();
});
