import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_SCORE_OPTIONS } from '../../../src/app/score.ts';
import { scoreKeys } from '../../../src/app/score-store.ts';
import type { ScoredEpisode } from '../../../src/core/scored-episode.ts';
import { openJournal } from '../../../src/store/journal.ts';
import { scoredTalk } from '../../core/review-episode.ts';
import { turnwise } from './command-line.ts';

const SQUARES =
  'Add the squared values. watch out for outliers; no endless decimals; do not use everything; give it a good name.';
const CODE =
  'def plan_grade(xs):\n    xs = [x for x in xs if x <= 61]\n    xs = xs[:4]\n    r = sum(x * x for x in xs)\n    r = round(r, 1)\n    return r';

/** Requests of conversations that no reader would wish for. */
export const HOSTILE = '<img src=x onerror="window.owned=1"> **bold** [link](command:workbench.action.closeWindow)';
export const LONG = 'Two hundred turns.';
export const HUGE = 'A megabyte in one reply.';
export const SCRIPTS = 'Name the קובץ with 变数 👩‍💻.';
export const SQUARED = SQUARES;
export const ANOTHER = 'Add the squared values once more; be careful with large ones.';

const LONG_TURNS = 200;

/** Conversations of the demo's model, and bad ones, in a store, scored by the real engine where it can; the others by a scorer that is gone. */
export async function writeReviewStore(folder: string): Promise<string> {
  const store = join(folder, 'store.db');
  const scorable = [
    talk('squares-1', 1, [
      SQUARES,
      'What is the highest allowed value?\nA) clip to 0 to 60\nB) drop what is over 60',
      'drop what is over 61',
      'OK, range: drop what is over 61. Round up, down, or to decimals?\nA) 3 decimals\nB) round down',
      'keep 1 decimals',
      'OK, rounding: 1 decimals. What window do you mean?\nA) the last 4\nB) skip the first 6',
      'just the first 4',
      'OK, window: the first 4. What should the function be called?',
      'plan_grade',
      `OK, name: call it plan_grade. Done.\nI WANT TO ANSWER:\n${CODE}`,
    ]),
    talk('squares-2', 0, [
      ANOTHER,
      'How should extreme values be limited?\nA) drop what is over 96\nB) clip to 0 to 78',
      'only keep up to 61',
      'OK, range: drop what is over 61. What should the label be?',
      'Use your judgement.',
      'OK, label: as it is. What window do you mean?\nA) the last 9\nB) the first 4',
      'the first 4',
      `OK, window: the first 4. I can do that.\nI WANT TO ANSWER:\n${CODE}`,
    ]),
    talk('scripts', null, [SCRIPTS, 'Which 变数?', 'את הקובץ 变数 👍', 'OK, 变数: את הקובץ 👍.']),
  ];
  const bad = [
    talk('hostile', null, [
      HOSTILE,
      '<script>window.owned=1</script> Which? ![x](http://127.0.0.1:9/x.png)',
      '<b onclick="window.owned=1">this</b> `one`',
      'OK, <iframe src="javascript:window.owned=1"></iframe> it is.',
    ]),
    talk('huge', null, [HUGE, 'Which?', `begin ${'wörd '.repeat(1 << 18)}end`, 'OK.']),
    talk('long', null, [
      LONG,
      ...Array.from({ length: 2 * LONG_TURNS - 1 }, (_, at) => (at % 2 === 0 ? `Question ${at / 2 + 1}?` : 'yes')),
    ]),
  ];
  await importTalks(store, join(folder, 'talks.jsonl'), scorable);
  for (const placeholder of [DEFAULT_SCORE_OPTIONS.placeholder, "I don't know."]) {
    await turnwise('score', '--store', store, '--placeholder', placeholder, '--json');
  }
  await importTalks(store, join(folder, 'bad.jsonl'), bad);
  const journal = openJournal(store);
  const pairs = Array.from({ length: LONG_TURNS - 1 }, (_, at): readonly [number[], number[]] => [
    [-1, -1],
    [-3 - Math.sin(at / 9) * 2, -1.5],
  ]);
  putScored(journal, scoredTalk('long', pairs, { options: DEFAULT_SCORE_OPTIONS, outcome: null, group_id: 'long' }));
  // The engine's own figures of A/A noise come from scoring twice, which a store is not asked to do by itself.
  const [own] = journal.scoresOf('squares-1').filter(({ options }) => options.placeholder !== "I don't know.");
  if (own === undefined) throw new Error('The engine scored nothing.');
  const options = { ...own.options, noise: 1 };
  putScored(journal, {
    ...own,
    options,
    turns: own.turns.map((turn) => ({ ...turn, noise: turn.gain === null ? null : 0.012 })),
  });
  journal.putScored('squares-1', ...keysOf(own), own);
  journal.close();
  return store;
}

async function importTalks(store: string, file: string, talks: readonly object[]): Promise<void> {
  writeFileSync(file, talks.map((row) => `${JSON.stringify(row)}\n`).join(''));
  await turnwise('import', '--in', file, '--store', store);
}

function putScored(journal: ReturnType<typeof openJournal>, row: ScoredEpisode): void {
  journal.putScored(row.episode_id, ...keysOf(row), row);
}

function keysOf({ scorer, options }: ScoredEpisode): [string, string] {
  const { scorerKey, optionsKey } = scoreKeys(scorer, options);
  return [scorerKey, optionsKey];
}

function talk(episode_id: string, outcome: number | null, said: readonly string[]): object {
  const group_id = episode_id.split('-')[0];
  const messages = said.map((content, at) => ({ role: at % 2 === 0 ? 'user' : 'assistant', content }));
  return { episode_id, group_id, outcome, messages };
}
