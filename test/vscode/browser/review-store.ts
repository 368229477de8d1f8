import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_SCORE_OPTIONS } from '../../../src/app/score.ts';
import { scoreKeys } from '../../../src/app/score-store.ts';
import { NO_CALIBRATION } from '../../../src/core/calibration.ts';
import type { EpisodeState } from '../../../src/core/episode-state.ts';
import type { EventBody, EventOf } from '../../../src/core/event.ts';
import { fork, type ForkPoint } from '../../../src/core/fork.ts';
import { reduce } from '../../../src/core/reduce.ts';
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

/** Conversations of the demo's model in a store, two of one task with two branches of the first, scored by the real engine under two placeholders. */
export async function writeReviewStore(folder: string): Promise<string> {
  const store = join(folder, 'store.db');
  await importTalks(store, join(folder, 'talks.jsonl'), [
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
  ]);
  const journal = openJournal(store);
  const root = reduce(journal.read('squares-1'));
  journal.append('squares-1-reply', [
    ...branchOf(root, { at: 'reply', turn: 1 }),
    { ...typed(1, 'round down'), option: 'round down', kind: 'option' },
    ...asks(2, 'OK, rounding: round down. What should the function be called?'),
    typed(2, 'plan_grade'),
    ...answers(3, 'OK, name: call it plan_grade. Done.', 2),
  ]);
  journal.append('squares-1-action', [
    ...branchOf(root, { at: 'action', turn: 3 }),
    ...answers(3, 'OK, window: the first 4. Done.', 4),
  ]);
  journal.close();
  for (const placeholder of [DEFAULT_SCORE_OPTIONS.placeholder, "I don't know."]) {
    await turnwise('score', '--store', store, '--placeholder', placeholder, '--json');
  }
  return store;
}

/** Bad ones: hostile, in many scripts, huge, and of two hundred turns by a scorer that is gone, whose noise was measured once. */
export async function addBadTalks(store: string, folder: string): Promise<void> {
  await importTalks(store, join(folder, 'scripts.jsonl'), [
    talk('scripts', null, [SCRIPTS, 'Which 变数?', 'את הקובץ 变数 👍', 'OK, 变数: את הקובץ 👍.']),
  ]);
  await turnwise('score', '--store', store, '--json');
  await importTalks(store, join(folder, 'bad.jsonl'), [
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
  ]);
  const journal = openJournal(store);
  const pairs = Array.from({ length: LONG_TURNS - 1 }, (_, at): readonly [number[], number[]] => [
    [-1, -1],
    [-3 - Math.sin(at / 9) * 2, -1.5],
  ]);
  const gone = scoredTalk('long', pairs, { options: DEFAULT_SCORE_OPTIONS, outcome: null, group_id: 'long' });
  putScored(journal, gone);
  journal.calibrations.put(gone.scorer, { ...NO_CALIBRATION, noise: { gain: 0.08, pairs: 50, rounds: 4 } });
  journal.close();
}

function branchOf(root: EpisodeState, point: ForkPoint): EventBody[] {
  const parent = fork(root, point);
  if (parent === null) throw new Error('There is no such point.');
  const { answerMarker: answer_marker, maxTurns: max_turns } = root;
  return [
    {
      ...{ type: 'episode_started', source: 'real_developer', task_id: null, parent, agent_prompt: null },
      ...{ answer_marker, max_turns },
    },
  ];
}

function typed(turn: number, text: string): EventOf<'observed'> {
  return { type: 'observed', turn, kind: 'typed', text, options_shown: [], option: null, latency_ms: null };
}

function asks(turn: number, question: string): EventBody[] {
  return [
    { type: 'action_started', turn, pid: 1 },
    { type: 'action_asked', turn, question, options: [], generation: said(question) },
  ];
}

function answers(turn: number, message: string, passed: number): EventBody[] {
  const generation = said(`${message}\nI WANT TO ANSWER:\n${CODE}`);
  return [
    { type: 'action_started', turn, pid: 1 },
    { type: 'action_answered', turn, message, code: CODE, generation },
    { type: 'tests_run', turn, passed, total: 4 },
  ];
}

/** Of a model that told nothing about itself. */
function said(text: string): EventOf<'action_asked'>['generation'] {
  return {
    ...{ text, finish: 'stop', prompt_ids: null, ids: null, logprobs: null, logprobs_mode: null },
    sampling: { temperature: 0, top_p: 1, top_k: null, seed: null, max_tokens: null },
    ...{ model: 'turnwise-toy', model_revision: null, server: 'engine', server_version: null, template_sha: null },
    ...{ tokenizer_sha: null, latency_ms: 1, first_token_ms: null },
  };
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
