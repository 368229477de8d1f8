import { expect, test } from 'vitest';
import { EpisodeIndex, type IndexPorts } from '../../src/app/episode-index.ts';
import { scoreOptionsKey } from '../../src/app/cached-scorer.ts';
import { Review } from '../../src/app/review.ts';
import { scoreKeys } from '../../src/app/score-store.ts';
import { exportedOutcome } from '../../src/core/dataset/export-episode.ts';
import { NO_FILTER, type EpisodeFilter } from '../../src/core/episode-filter.ts';
import { reduce } from '../../src/core/reduce.ts';
import type { ScoredEpisode } from '../../src/core/scored-episode.ts';
import { openJournal, type Journal } from '../../src/store/journal.ts';
import { purgeEpisode } from '../../src/store/purge.ts';
import { sampleSpecs } from '../core/dataset/sample.ts';
import { temporaryFolder } from '../store/temporary-store.ts';
import { sampleStore } from './export-fixture.ts';
import { started } from '../core/event-arbitrary.ts';

/** A store with the sample conversations, of which all but `unscored` are scored, and its index. */
function sampled(unscored: readonly string[] = []) {
  const { journal, scoredOf } = sampleStore(temporaryFolder('index'));
  const ids = journal.episodes().map(({ id }) => id);
  const scores = ids.flatMap((id) => {
    const scored = unscored.includes(id) ? null : scoredOf(reduce(journal.read(id)));
    if (scored !== null) put(journal, scored);
    return scored ?? [];
  });
  const [first = expect.fail('no score')] = scores;
  const keys = scoreKeys(first.scorer, first.options);
  let clock = 1_700_000_000_000;
  const ports: IndexPorts = {
    journal,
    options: () => first.options,
    scorer: () => 'sample',
    scorerKey: () => keys.scorerKey,
    now: () => (clock += 1),
  };
  const index = new EpisodeIndex(ports);
  index.catchUp();
  return { journal, ports, index, ids, scores, keys };
}

function put(journal: Journal, scored: ScoredEpisode): void {
  const { scorerKey, optionsKey } = scoreKeys(scored.scorer, scored.options);
  journal.putScored(scored.episode_id, scorerKey, optionsKey, scored);
}

const only = (some: Partial<EpisodeFilter>): EpisodeFilter => ({ ...NO_FILTER, ...some });

test('a row says what the events and the score say, without reading them', () => {
  const { journal, index, ids, scores } = sampled();
  expect(index.rows().map(({ id }) => id)).toEqual(ids);
  for (const row of index.rows()) {
    const state = reduce(journal.read(row.id));
    const gains =
      scores.find(({ episode_id }) => episode_id === row.id)?.turns.flatMap(({ gain_sum }) => gain_sum ?? []) ?? [];
    expect(row).toMatchObject({
      title: state.request,
      startedAt: state.createdAt,
      turns: state.turns.length,
      models: ['toy'],
    });
    if (gains.length === 0) expect(row.gain).toBeNull();
    else
      expect(row.gain).toBeCloseTo(
        gains.reduce((sum, gain) => sum + gain, 0),
        12,
      );
  }
  expect(index.progress()).toEqual({ episodes: ids.length, reviewed: 0, total: ids.length });
});

test('a list that is read by and by is the list, and what changes in it is there', () => {
  const { journal, index, ids, ports } = sampled();
  const some = new EpisodeIndex(ports);
  expect(some.first(3).map(({ id }) => id)).toEqual(ids.slice(0, 3));
  const [first = '', , , fourth = ''] = ids;
  journal.append(first, [{ type: 'override_set', turn: null, change: { field: 'reviewed', value: true } }]);
  journal.append(fourth, [{ type: 'override_set', turn: null, change: { field: 'excluded', value: true } }]);
  some.catchUp();
  expect(some.first(1)[0]?.reviewed).toBe(true);
  while (some.readAhead());
  expect(some.known(fourth)?.excluded).toBe(true);
  index.refresh();
  expect(some.rows()).toEqual(index.rows());
});

test('credit counts with the outcome of today, whatever the score was told when it was made', () => {
  const { journal, index, scores, ports } = sampled();
  const state = (id: string): number | null => exportedOutcome(reduce(journal.read(id))).value;
  const [known = expect.fail('no outcome')] = scores.filter(({ episode_id }) => state(episode_id) !== null);
  put(journal, { ...known, outcome: null });
  index.catchUp();
  const review = new Review({ journal, options: ports.options, progressOf: () => null, scorerKey: ports.scorerKey });
  expect(review.ledger(known.episode_id)?.outcome).toBe(state(known.episode_id));
  expect(review.sources(known.episode_id).ledger?.outcome).toBe(state(known.episode_id));
});

test('what a reviewer, a new score, another scorer or a purge changes is in the list', () => {
  const { journal, ports, index, ids, scores, keys } = sampled();
  const [a = '', b = ''] = scores.map(({ episode_id }) => episode_id);
  const set = (id: string, field: 'reviewed' | 'excluded'): void => {
    journal.append(id, [{ type: 'override_set', turn: null, change: { field, value: true } }]);
  };
  set(a, 'reviewed');
  set(b, 'excluded');
  index.catchUp();
  expect(index.progress()).toEqual({ episodes: ids.length, reviewed: 2, total: ids.length });
  expect(
    index
      .filtered(only({ reviewed: true }))
      .map(({ id }) => id)
      .sort(),
  ).toEqual([a, b].sort());
  expect(index.row(b)?.excluded).toBe(true);

  const old = scores[0] ?? expect.fail();
  put(journal, {
    ...old,
    turns: old.turns.map((turn) => ({ ...turn, gain: null, gain_sum: null, null_reason: 'too_long' as const })),
  });
  index.catchUp();
  expect(index.row(a)).toMatchObject({ gain: null, standing: 'unscorable', why: 'longer than the scorer can read' });

  const other = new EpisodeIndex({ ...ports, scorerKey: () => 'another' });
  const stale = other.rows().filter(({ gain }) => gain !== null);
  expect(new Set(stale.map(({ standing }) => standing))).toEqual(new Set(['stale']));
  expect(keys.scorerKey).not.toBe('another');

  journal.close();
  purgeEpisode(journal.path, b);
  const again = openJournal(journal.path);
  const after = new EpisodeIndex({ ...ports, journal: again });
  after.catchUp();
  expect(after.rows().map(({ id }) => id)).toEqual(ids.filter((id) => id !== b));
  again.append('late', [started]);
  after.catchUp();
  expect(after.rows()[0]).toMatchObject({ id: 'late', title: null, standing: 'unscorable' });
  again.close();
});

test('where scoring stands is the queue’s word, with its reason', () => {
  const { journal, ports, index, ids } = sampled(sampleSpecs.map(({ id }) => id).slice(1));
  const optionsKey = scoreOptionsKey(ports.options());
  const [a = '', b = '', c = ''] = ids.filter((id) => index.row(id)?.standing === 'unscored');
  for (const [at, id] of [a, b, c].entries()) {
    journal.queue.wish({ episodeId: id, scorer: 'sample', optionsKey, actions: 9, expected: at }, { again: false });
  }
  index.refresh();
  expect(index.row(a)?.standing).toBe('queued');
  journal.queue.cancel(b);
  journal.queue.failWaiting('sample', optionsKey, { reason: 'unreachable', message: 'No server answers; start it.' });
  index.refresh();
  expect(index.row(b)?.standing).toBe('cancelled');
  expect(index.row(c)).toMatchObject({ standing: 'failed', why: 'No server answers; start it.' });
  expect(index.filtered(only({ states: ['failed'] })).map(({ id }) => id)).toContain(c);
});

test('filters combine; an outcome that changes changes the marks; models and dates narrow', () => {
  const { journal, index, scores } = sampled();
  const { episode_id: id, ...rest } =
    scores.find(({ turns }) => turns.length > 2) ?? expect.fail('none of three turns');
  const telling = rest.turns.map((turn) => (turn.gain === null ? turn : { ...turn, gain: 1, gain_sum: 5 }));
  put(journal, { ...rest, episode_id: id, turns: telling });
  const last = telling.length - 1;
  journal.append(id, [{ type: 'tests_run', turn: last, passed: 0, total: 4 }]);
  index.catchUp();
  const honourable = only({ marks: ['honourable_failure'] });
  expect(index.filtered(honourable).map((row) => row.id)).toContain(id);
  expect(index.filtered({ ...honourable, models: ['nobody'] })).toEqual([]);
  expect(
    index.filtered({ ...honourable, models: ['nobody', 'toy'], states: ['scored'] }).map((row) => row.id),
  ).toContain(id);
  expect(index.filtered({ ...honourable, since: 'today' }).length).toBeGreaterThan(0);
  journal.append(id, [{ type: 'tests_run', turn: last, passed: 4, total: 4 }]);
  index.catchUp();
  expect(index.filtered(honourable).map((row) => row.id)).not.toContain(id);
});

test('a store that cannot be written has the same list, and keeps nothing', () => {
  const { journal, ports, index } = sampled();
  const rows = index.rows();
  journal.close();
  const reader = openJournal(journal.path, { readOnly: true });
  const read = new EpisodeIndex({ ...ports, journal: reader });
  read.catchUp();
  expect(read.rows()).toEqual(rows);
  reader.close();
});
