import { recover } from '../src/app/recover.ts';
import { errorText } from '../src/core/error.ts';
import { reduce } from '../src/core/reduce.ts';
import { connect } from '../src/store/connection.ts';
import { journalOn, type Journal } from '../src/store/journal.ts';
import { nameOf, type Line } from './record.ts';
import { KIND, RESULTS } from './scene.ts';

/** What was found in a store, and everything that is wrong with it. */
export interface Finding {
  readonly acknowledged: number;
  readonly events: number;
  readonly results: number;
  /** Conversations that the store would not go on with, by name. */
  readonly refused: number;
  readonly wrong: readonly string[];
}

/** Holds a store against what its processes offered and were told; `later` ms from now, when every lease has run out. */
export function check(path: string, lines: readonly Line[], later: number): Finding {
  const connection = connect(path, false);
  const journal = journalOn(connection, () => Date.now() + later);
  try {
    connection.db.exec(RESULTS);
    const { unreadable } = recover(journal);
    const stored = storedIn(journal);
    const results = connection.db
      .prepare('SELECT job FROM crash_result')
      .all()
      .map(({ job }) => String(job));
    return {
      // The first words of the conversation that all share are told to each of them.
      acknowledged: new Set(lines.flatMap((line) => (line.kind === 'ack' ? [`${line.episode}: ${line.what}`] : [])))
        .size,
      events: [...stored.counts.values()].reduce((sum, count) => sum + count, 0),
      results: results.length,
      refused: lines.filter(({ kind }) => kind === 'refused').length,
      wrong: [
        ...unreadable.map(errorText),
        ...stored.wrong,
        ...wrongWords(stored.counts, lines),
        ...wrongJobs(journal, lines, results),
      ],
    };
  } finally {
    journal.close();
  }
}

function storedIn(journal: Journal): { counts: Map<string, number>; wrong: string[] } {
  const counts = new Map<string, number>();
  const wrong: string[] = [];
  for (const { id } of journal.episodes()) {
    const events = journal.read(id);
    const state = reduce(events);
    for (const { body } of events) {
      const key = `${id}: ${nameOf(body)}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    if (state.lastSeq !== events.length - 1 || state.phase === 'acting' || state.ignored.length > 0) {
      wrong.push(`${id} does not reduce to a whole conversation`);
    }
    if (id.includes(' pair ') && events.length !== 2) wrong.push(`${id} is half of one transaction`);
  }
  return { counts, wrong };
}

function wrongWords(counts: ReadonlyMap<string, number>, lines: readonly Line[]): string[] {
  const said = (kind: 'offer' | 'ack'): string[] =>
    lines.flatMap((line) => (line.kind === kind ? [`${line.episode}: ${line.what}`] : []));
  const offered = new Set(said('offer'));
  const found = [...counts];
  return [
    ...said('ack').flatMap((key) => (counts.has(key) ? [] : [`lost: ${short(key)}`])),
    ...found.flatMap(([key]) => {
      // The one thing that the next start writes of itself; where it does not belong, the conversation does not reduce.
      return offered.has(key) || / action_interrupted \d+$/.test(key) ? [] : [`invented: ${short(key)}`];
    }),
    // Every name but an interruption's carries a number of its own.
    ...found.flatMap(([key, count]) => (count > 1 ? [`${count} times: ${short(key)}`] : [])),
  ];
}

function wrongJobs(journal: Journal, lines: readonly Line[], results: readonly string[]): string[] {
  const wished = new Set(lines.flatMap((line) => (line.kind === 'wish' ? [line.job] : [])));
  const told = lines.flatMap((line) => (line.kind === 'result' ? [line.job] : []));
  const done = new Set(results);
  const { queue } = journal;
  const open = queue.jobs().filter((job) => job.wanted > job.done);
  const taken = new Set<string>();
  for (let job = queue.claim('checker', KIND.scorer, KIND.optionsKey, 1000); job !== null;) {
    taken.add(job.episodeId);
    job = queue.claim('checker', KIND.scorer, KIND.optionsKey, 1000);
  }
  queue.release('checker');
  return [
    ...(done.size === results.length ? [] : ['a job has two results']),
    ...told.flatMap((job) => (done.has(job) ? [] : [`lost result: ${job}`])),
    ...results.flatMap((job) => (wished.has(job) ? [] : [`invented result: ${job}`])),
    ...results.flatMap((job) =>
      journal.getScored(job, KIND.scorer, KIND.optionsKey) === null ? [`a result without its scores: ${job}`] : [],
    ),
    ...open.flatMap(({ episodeId }) => (done.has(episodeId) ? [`done, and still to do: ${episodeId}`] : [])),
    ...open.flatMap(({ episodeId }) => (taken.has(episodeId) ? [] : [`nobody can take it: ${episodeId}`])),
  ];
}

function short(text: string): string {
  return text.replace(/\.{4,}/, '…').slice(0, 120);
}
