// The detailed review in a large store: 5,000 episodes of 8 turns. From "open" to all that is drawn, and what its page holds.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { EpisodeIndex } from '../src/app/episode-index.ts';
import { Review } from '../src/app/review.ts';
import { DEFAULT_SCORE_OPTIONS } from '../src/app/score.ts';
import { scoreKeys } from '../src/app/score-store.ts';
import { turnDetail } from '../src/core/review-detail.ts';
import { reviewView } from '../src/core/review-view.ts';
import { SCORE_SCHEMA, type ScoredEpisode } from '../src/core/scored-episode.ts';
import { openJournal, type Journal } from '../src/store/journal.ts';
import { launchBrowser } from '../test/host/workbench.mjs';
import { median, printFigures, spread, type Figure } from './figures.ts';

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    runs: { type: 'string', default: '9' },
    episodes: { type: 'string', default: '5000' },
  },
});
const EPISODES = Number(flags.episodes);
const TURNS = 8;
/** Tokens of a next action. */
const TOKENS = 60;

const folder = mkdtempSync(join(tmpdir(), 'turnwise-review-'));
try {
  const journal = openJournal(join(folder, 'store.db'));
  fill(journal);
  const index = new EpisodeIndex({
    journal,
    options: () => DEFAULT_SCORE_OPTIONS,
    scorer: () => 's',
    scorerKey: () => null,
  });
  // The list made them when it was first shown.
  index.catchUp();
  const review = (): Review => new Review({ journal, options: () => DEFAULT_SCORE_OPTIONS, progressOf: () => null });
  const timed = (open: Review, id: string): number => {
    const start = performance.now();
    const sources = open.sources(id);
    const { reviewed, total } = index.progress();
    reviewView(sources, { reviewed, total, words: '' });
    turnDetail(sources, 0, { next: null, mask: null, why: null });
    return performance.now() - start;
  };
  const ids = Array.from({ length: Number(flags.runs) }, (_, at) => idOf(EPISODES - 1 - at));
  const first = ids.map((id) => timed(review(), id));
  const warm = review();
  warm.sources(ids[0] ?? '');
  const later = ids.map((id) => timed(warm, id));
  const bytes = await pageMemory(warm, ids[0] ?? '');
  journal.close();
  const figure = (name: string, values: readonly number[], unit: Figure['unit'], atMost: number | null): Figure => ({
    ...{ name, value: median(values), unit, spread: spread(values), runs: values.length, baseline: null },
    goal: atMost === null ? null : { atMost },
  });
  printFigures(
    `A review among ${EPISODES} episodes of ${TURNS} turns`,
    [
      figure('a review opens, the first of a window', first, 'ms', 200),
      figure('a review opens', later, 'ms', 200),
      figure('memory of its page', [bytes / 1000], 'kB', 200_000),
    ],
    flags.json,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function idOf(at: number): string {
  return `episode-${String(at).padStart(6, '0')}`;
}

function fill(journal: Journal): void {
  const all = Array.from({ length: EPISODES }, (_, at) => at);
  for (let from = 0; from < EPISODES; from += 250) {
    const some = all.slice(from, from + 250);
    journal.appendAll(some.map((at) => ({ episodeId: idOf(at), expectedSeq: 0, bodies: [conversation(at)] })));
    for (const at of some) {
      const row = scored(at);
      const { scorerKey, optionsKey } = scoreKeys(row.scorer, row.options);
      journal.putScored(row.episode_id, scorerKey, optionsKey, row);
    }
  }
}

function conversation(at: number): Parameters<Journal['append']>[1][number] {
  const said = Array.from({ length: TURNS }, (_, turn) => [
    { role: 'assistant' as const, content: `Question ${turn} about ${at}? `.repeat(6) },
    { role: 'user' as const, content: `Answer ${turn}.` },
  ]).flat();
  return {
    ...{ type: 'episode_imported', source: 'bench', group_id: `task-${at % 500}`, outcome: at % 2 },
    messages: [{ role: 'user', content: `Task ${at % 500}.` }, ...said.slice(0, -1)],
    ...{ action_ids: null, action_states: null, row: {} },
  };
}

function scored(at: number): ScoredEpisode {
  const rows = (shift: number): number[] =>
    Array.from({ length: TOKENS }, (_, j) => -1 - ((j * 7 + at) % 13) / 9 - shift);
  return {
    ...{
      schema: SCORE_SCHEMA,
      episode_id: idOf(at),
      group_id: `task-${at % 500}`,
      group_rule: 'task',
      outcome: at % 2,
    },
    scorer: { id: 's', revision: 'r', tokenizer_sha: 't', template_sha: null, backend: 'b', version: null },
    placebo: { mean: 0, sd: 0.1, n: 60 },
    options: DEFAULT_SCORE_OPTIONS,
    ...{ tokens_evaluated: 1, tokens_limit: 1 },
    turns: Array.from({ length: TURNS }, (_, index) => {
      const last = index === TURNS - 1;
      const gain = ((at * 31 + index * 17) % 41) / 40 - 0.3;
      return {
        ...{ index, tokens: TOKENS, gain: last ? null : gain, gain_sum: last ? null : gain * TOKENS },
        ...{
          null_reason: last ? 'no_next_action' : null,
          action_ids: rows(0).map((_, j) => j),
          next_from: last ? null : 9,
        },
        ...{ mask_ids: last ? null : [1, 2, 3], mask_truncated: false, factual_ids_sha: null, masked_ids_sha: null },
        ...{ logp_factual: last ? null : rows(0), logp_masked: last ? null : rows(gain) },
      };
    }),
  };
}

/** Bytes that scripts of the page hold with this review drawn, after a collection. */
async function pageMemory(review: Review, id: string): Promise<number> {
  const sources = review.sources(id);
  const detail = turnDetail(sources, 0, { next: null, mask: null, why: null });
  const messages = [
    { type: 'snapshot', seq: 0, view: reviewView(sources), words: '' },
    { type: 'detail', seq: 1, detail },
  ];
  const dist = resolve(import.meta.dirname, '../dist/webview');
  const asset = (name: string): string => pathToFileURL(join(dist, name)).href;
  const page = join(folder, 'review.html');
  writeFileSync(
    page,
    `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><link rel="stylesheet" href="${asset('review.css')}"></head><body>
<script>const messages = ${JSON.stringify(messages).replaceAll('<', '\\u003c')};
globalThis.acquireVsCodeApi = () => ({ setState() {}, postMessage({ type }) {
  if (type === 'ready') setTimeout(() => { for (const message of messages) postMessage(message, '*'); });
} });</script><tw-review></tw-review><script src="${asset('review.js')}"></script></body></html>`,
  );
  const browser = await launchBrowser();
  try {
    const tab = await browser.newPage();
    await tab.goto(pathToFileURL(page).href);
    await tab.locator('tw-turn-detail .tokens').waitFor();
    const session = await tab.context().newCDPSession(tab);
    await session.send('HeapProfiler.collectGarbage');
    const { metrics } = await session.send('Performance.enable').then(() => session.send('Performance.getMetrics'));
    return metrics.find(({ name }) => name === 'JSHeapTotalSize')?.value ?? Number.NaN;
  } finally {
    await browser.close();
  }
}
