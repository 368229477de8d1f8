import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EpisodeIndex } from '../src/app/episode-index.ts';
import { DEFAULT_SCORE_OPTIONS } from '../src/app/score.ts';
import { scoreKeys } from '../src/app/score-store.ts';
import { NO_FILTER } from '../src/core/episode-filter.ts';
import type { EventBody } from '../src/core/event.ts';
import { SCORE_SCHEMA, type ScoredEpisode, type ScoredTurn } from '../src/core/scored-episode.ts';
import { openJournal, type Journal } from '../src/store/journal.ts';
import { generator } from './write-gguf.ts';
import { generationOf, started } from '../test/core/event-arbitrary.ts';

// The list of conversations over a real store: how long it takes to open (the rows of the first page, with gain, standing, marks
// and progress) and to narrow, also before the rest of the list was read. The goal is 100 ms each at 5,000 conversations of 8 turns.
const GOAL_MS = 100;
const NEXT_TOKENS = 24;
/** Rows that the view draws at once (`episodes-view.ts`). */
const PAGE = 200;

const { values: flags } = parseArgs({
  options: {
    episodes: { type: 'string', default: '5000' },
    turns: { type: 'string', default: '8' },
    runs: { type: 'string', default: '9' },
  },
});
const [episodes, turns, runs] = [Number(flags.episodes), Number(flags.turns), Number(flags.runs)];
const scorer = {
  id: 'bench',
  revision: null,
  tokenizer_sha: null,
  template_sha: null,
  backend: 'engine',
  version: null,
};
const keys = scoreKeys(scorer, DEFAULT_SCORE_OPTIONS);
const folder = mkdtempSync(join(tmpdir(), 'turnwise-bench-'));
try {
  const path = join(folder, 'store.db');
  const written = timed(() => {
    fill(path);
  });
  const journal = openJournal(path);
  const built = timed(() => {
    indexOn(journal).catchUp();
  });
  const opening = median(() => {
    const fresh = openJournal(path);
    const index = indexOn(fresh);
    index.update();
    index.first(PAGE);
    index.progress();
    fresh.branches();
    fresh.close();
  });
  const index = indexOn(journal);
  index.first(PAGE);
  const slices: number[] = [];
  for (;;) {
    const from = performance.now();
    const more = index.readAhead();
    slices.push(performance.now() - from);
    if (!more) break;
  }
  const unread = median(() => indexOn(journal).filtered({ ...NO_FILTER, states: ['scored'] }).length);
  const filters = [
    { ...NO_FILTER, marks: ['honourable_failure' as const], reviewed: false },
    { ...NO_FILTER, states: ['scored' as const], models: ['model-1'] },
    { ...NO_FILTER, since: 'week' as const },
  ];
  const filtering = Math.max(...filters.map((filter) => median(() => index.filtered(filter).length)));
  const one = median(() => {
    journal.append('episode-1', [
      { type: 'override_set', turn: null, change: { field: 'note', value: `${performance.now()}` } },
    ]);
    index.update();
    return index.rows().length;
  });
  journal.close();
  const line = (what: string, ms: number, goal: string): void => {
    process.stdout.write(`${what.padEnd(64)} ${ms.toFixed(1).padStart(9)} ms  ${goal}\n`);
  };
  process.stdout.write(`${episodes} conversations of ${turns} turns, median of ${runs} runs\n`);
  line('written to the store', written, '');
  line('digested for the first time, in slices of 20', built, '');
  line('the list opens: store, its first 200 rows, progress, branches', opening, `goal ${GOAL_MS}`);
  line(`the rest is read behind it, the longest of ${slices.length} slices`, Math.max(...slices), '');
  line('a filter that comes before that', unread, `goal ${GOAL_MS}`);
  line('the list is narrowed, the slowest of three filters', filtering, `goal ${GOAL_MS}`);
  line('one change is written and drawn', one, '');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function indexOn(journal: Journal): EpisodeIndex {
  return new EpisodeIndex({
    journal,
    options: () => DEFAULT_SCORE_OPTIONS,
    scorer: () => 'bench',
    scorerKey: () => keys.scorerKey,
  });
}

function fill(path: string): void {
  const journal = openJournal(path);
  const random = generator(1);
  for (let from = 0; from < episodes; from += 200) {
    const ids = Array.from({ length: Math.min(200, episodes - from) }, (_, at) => `episode-${from + at}`);
    journal.appendAll(ids.map((episodeId, at) => ({ episodeId, bodies: conversation(from + at) })));
    for (const id of ids) journal.putScored(id, keys.scorerKey, keys.optionsKey, scored(id, random));
  }
  journal.close();
}

function conversation(at: number): EventBody[] {
  const tokens = { prompt_ids: null, ids: [1, 2, 3], logprobs: [-1, -1, -1] };
  const generation = (text: string) => generationOf(text, { ...tokens, model: `model-${at % 3}`, server: 'engine' });
  const body = Array.from({ length: turns }, (_, turn): EventBody[] => {
    const start = { type: 'action_started', turn, pid: 1 } as const;
    if (turn === turns - 1) {
      return [
        start,
        { type: 'action_answered', turn, message: '', code: 'return 1', generation: generation('X return 1') },
        { type: 'tests_run', turn, passed: at % 5, total: 4 },
      ];
    }
    const question = `Which bound is meant by number ${turn} of ${at}?`;
    return [
      start,
      { type: 'action_asked', turn, question, options: [], generation: generation(question) },
      {
        type: 'observed',
        turn,
        kind: 'typed',
        text: 'the upper one, inclusive',
        options_shown: [],
        option: null,
        latency_ms: 5,
      },
    ];
  });
  return [
    { ...started, answer_marker: 'X', max_turns: turns },
    { type: 'request_accepted', text: `Write function number ${at}, which adds its bounds.` },
    ...body.flat(),
  ];
}

function scored(id: string, random: () => number): ScoredEpisode {
  const own = Array.from({ length: turns }, (_, index): ScoredTurn => {
    const last = index === turns - 1;
    const total = last ? null : 2 * random() - 0.5;
    const logprobs = last ? null : Array.from({ length: NEXT_TOKENS }, () => -random());
    return {
      ...{ index, tokens: 3, gain: total === null ? null : total / NEXT_TOKENS, gain_sum: total },
      ...{
        null_reason: last ? 'no_next_action' : null,
        action_ids: [1, 2, 3],
        next_from: last ? null : 9,
        mask_ids: null,
        mask_truncated: false,
      },
      ...{ factual_ids_sha: null, masked_ids_sha: null, logp_factual: logprobs, logp_masked: logprobs },
    };
  });
  return {
    schema: SCORE_SCHEMA,
    episode_id: id,
    group_id: id,
    outcome: null,
    scorer,
    placebo: null,
    options: DEFAULT_SCORE_OPTIONS,
    tokens_evaluated: null,
    tokens_limit: 0,
    turns: own,
  };
}

function timed(work: () => unknown): number {
  const from = performance.now();
  work();
  return performance.now() - from;
}

function median(work: () => unknown): number {
  const times = Array.from({ length: runs }, () => timed(work)).sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)] ?? NaN;
}
