import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exportDataset } from '../../src/app/export.ts';
import { importInto, prepareImport } from '../../src/app/import.ts';
import { DEFAULT_SCORE_OPTIONS } from '../../src/app/score.ts';
import { scoreStore } from '../../src/app/score-store.ts';
import { openParquet } from '../../src/app/dataset/read-parquet.ts';
import { verifyDataset } from '../../src/app/verify.ts';
import { creditBatch } from '../../src/core/credit/credit.ts';
import { batchRow, creditOptionsOf } from '../../src/core/dataset/check-batch.ts';
import { datasetRowSchema, turnRowSchema, type DatasetRow } from '../../src/core/dataset/schema.ts';
import { fork } from '../../src/core/fork.ts';
import { reduce } from '../../src/core/reduce.ts';
import { transcriptSchema, type Transcript } from '../../src/core/transcript.ts';
import { openJournal } from '../../src/store/journal.ts';
import { temporaryFolder } from '../store/temporary-store.ts';
import { letterBackend } from './letter-backend.ts';
import { readDataset, writeSpoilt } from './plant-fault.ts';

const say = (role: 'user' | 'assistant' | 'tool', content: string): { role: typeof role; content: string } => ({
  role,
  content,
});
const talk = (id: string, request: string, more: object, ...middle: ReturnType<typeof say>[]): Transcript =>
  transcriptSchema.parse({
    episode_id: id,
    messages: [say('user', request), ...middle, say('assistant', 'Done, I think.')],
    ...more,
  });

const talks: readonly Transcript[] = [
  talk(
    'a',
    'Sort  it.',
    { outcome: 1, turn_rewards: [0.5, 0.25, 1], ratings: [{ turn: 0, thumb: 1, note: 'good' }] },
    say('assistant', 'Up or down?'),
    say('user', 'down'),
    say('tool', 'lint ok'),
    say('user', ''),
    say('assistant', 'Stable?'),
    say('user', 'yes'),
  ),
  talk('b', 'Sort it.', { outcome: 0 }, say('assistant', 'Up or down?'), say('tool', ''), say('user', '')),
  talk('c', 'Sum it.', { group_id: 'sums', outcome: 0.5 }, say('assistant', 'As float?'), say('user', 'no')),
  talk('d', 'Sum it.', { group_id: 'sums', outcome: null }, say('assistant', 'As float?'), say('user', 'yes please')),
];

async function exported(): Promise<{ readonly folder: string; readonly out: string }> {
  const folder = temporaryFolder('observations');
  const journal = openJournal(join(folder, 'store.db'));
  importInto(
    journal,
    'talks',
    prepareImport(
      'talks',
      talks.map((value, at) => ({ line: at + 1, value })),
    ),
  );
  branchOf(journal);
  const backend = letterBackend();
  const scoredOf = await scoreStore({ journal, backend, options: DEFAULT_SCORE_OPTIONS, wanted: () => true });
  const out = join(folder, 'out');
  await exportDataset({ journal, scoredOf, out });
  journal.close();
  return { folder, out };
}

/** Another reply to the first question of `a`: the question is its parent's, what follows its own. */
function branchOf(journal: ReturnType<typeof openJournal>): void {
  const parent = fork(reduce(journal.read('a')), { at: 'reply', turn: 0 });
  if (parent === null) throw new Error('no fork');
  const generation = { ...GENERATION, text: 'Fine, up.' };
  const start = { task_id: null, agent_prompt: null, answer_marker: 'I WANT TO ANSWER:', max_turns: 5 };
  const heard = { kind: 'typed', text: 'up', options_shown: [], option: null, latency_ms: null } as const;
  journal.append('z', [
    { type: 'episode_started', source: 'simulated', parent, ...start },
    { type: 'observed', turn: 0, ...heard },
    { type: 'action_started', turn: 1, pid: 1 },
    { type: 'action_asked', turn: 1, question: 'Fine, up.', options: [], generation },
    { type: 'observed', turn: 1, ...heard, text: 'as I said' },
    { type: 'action_started', turn: 2, pid: 1 },
    { type: 'action_asked', turn: 2, question: 'Fine, up.', options: [], generation },
  ]);
}

const GENERATION = {
  finish: 'stop',
  prompt_ids: null,
  ids: null,
  logprobs: null,
  logprobs_mode: null,
  sampling: { temperature: 1, top_p: 1, top_k: null, seed: null, max_tokens: null },
  model: 'letters',
  model_revision: null,
  server: 'letters',
  server_version: null,
  template_sha: null,
  tokenizer_sha: null,
  latency_ms: 1,
  first_token_ms: null,
} as const;

const { folder, out } = await exported();
const rowOf = (id: string): DatasetRow => {
  const row = readDataset(out).rows.find(({ episode_id }) => episode_id === id);
  if (row === undefined) throw new Error(`no row ${id}`);
  return row;
};

describe('a dataset of turns with several observations', () => {
  test('is sound, and says what made each group', async () => {
    expect((await verifyDataset(out)).violations).toEqual([]);
    const { rows } = readDataset(out);
    expect(rows.map(({ episode_id, group_rule }) => `${episode_id} ${group_rule}`)).toEqual([
      'a request',
      'b request',
      'c task',
      'd task',
      'z branch',
    ]);
    expect(rowOf('b').group_id).toBe(rowOf('a').group_id);
    expect(rowOf('z').group_id).toBe(rowOf('a').group_id);
    expect(rows.every(({ fusion }) => fusion?.outcome_level !== undefined && fusion.info_level !== null)).toBe(true);
  });

  test('each observation has its own gain, a lone one that of its turn, and an empty one a reason', () => {
    const [several, lone] = rowOf('a').turns;
    const gains = several?.obs_gains ?? [];
    expect(gains.map(({ kind, null_reason }) => [kind, null_reason])).toEqual([
      ['typed', null],
      ['tool', null],
      ['typed', 'empty_reply'],
    ]);
    expect(new Set(gains.map(({ gain }) => gain)).size).toBe(3);
    expect(gains[0]?.gain).not.toBe(several?.info_gain);
    expect(lone?.obs_gains).toEqual([
      { kind: 'typed', gain: lone?.info_gain, gain_sum: lone?.info_gain_sum, null_reason: null, logp_masked: null },
    ]);
    const [empty] = rowOf('b').turns;
    expect(empty).toMatchObject({ info_gain: null, null_reason: 'empty_reply' });
    expect(empty?.obs_gains?.map(({ null_reason }) => null_reason)).toEqual(['empty_reply', 'empty_reply']);
  });

  test('what a branch inherits is context: no gain, no tokens, no row among the turns', async () => {
    const [inherited, own] = rowOf('z').turns;
    expect(inherited).toMatchObject({ inherited: true, info_gain: null, null_reason: 'inherited', action_tokens: 0 });
    expect(own).toMatchObject({ inherited: false, null_reason: null });
    expect(own?.info_gain).not.toBeNull();
    const flat = [];
    for await (const row of (await openParquet(join(out, 'turns/train.parquet'))).rows()) {
      flat.push(turnRowSchema.parse(row));
    }
    expect(flat.filter(({ episode_id }) => episode_id === 'z').map(({ turn_index }) => turn_index)).toEqual([1, 2]);
    for (const { outcome_level, info_level, group_rule } of flat) {
      expect([outcome_level, info_level, group_rule]).not.toContain(null);
    }
  });

  test('rewards of the source reach the baselines, ratings the row', () => {
    const [first, second, last] = rowOf('a').turns;
    expect([first, second, last].map((turn) => turn?.turn_reward)).toEqual([0.5, 0.25, 1]);
    expect([first?.thumb, first?.thumb_note]).toEqual(['up', 'good']);
    // c = .5 + .8 (.25 + .8), .25 + .8, 1.
    expect((first?.baselines.r2g ?? NaN) / (last?.baselines.r2g ?? NaN)).toBeCloseTo(1.34, 12);
    expect((second?.baselines.r2g ?? NaN) / (last?.baselines.r2g ?? NaN)).toBeCloseTo(1.05, 12);
    expect(rowOf('d').turns[0]?.baselines).toMatchObject({ grpo: null, equalized: null, igpo: null });
  });

  test('every advantage and baseline comes out again, to the last bit, from either file', async () => {
    const parquet: DatasetRow[] = [];
    for await (const row of (await openParquet(join(out, 'episodes/train.parquet'))).rows()) {
      parquet.push(datasetRowSchema.parse(row));
    }
    const jsonl = readFileSync(join(out, 'episodes/train.jsonl'), 'utf8').trimEnd().split('\n');
    for (const rows of [parquet, jsonl.map((line) => datasetRowSchema.parse(JSON.parse(line)))]) {
      const batch = rows.flatMap((row, at) => batchRow(row, '', at) ?? []);
      const [first] = batch;
      if (first === undefined) throw new Error('no batch');
      const again = creditBatch(
        batch.map(({ credit }) => credit),
        creditOptionsOf(first.fusion),
      );
      expect(again).toHaveLength(rows.length);
      again.forEach((ledger, at) => {
        const row = rows[at];
        expect(ledger.batch_id).toBe(row?.fusion?.batch_id);
        ledger.turns.forEach((turn, t) => {
          const shipped = row?.turns[t];
          expect(turn.advantage).toBe(shipped?.fused_adv);
          expect(turn.a_int).toBe(shipped?.intrinsic_adv);
          expect(turn.baselines).toEqual(shipped?.baselines);
        });
      });
    }
  });
});

const faults: readonly (readonly [string, string, (row: DatasetRow) => void])[] = [
  [
    "an observation's gain is another",
    'turns.0.obs_gains.0.gain',
    (row) => {
      spoil(row, { gain: 0.5 });
    },
  ],
  [
    "an observation's total is another",
    'turns.0.obs_gains.0.gain_sum',
    (row) => {
      spoil(row, { gain_sum: 0.5 });
    },
  ],
  [
    "an observation's log-probs are gone",
    'turns.0.obs_gains.0.logp_masked',
    (row) => {
      spoil(row, { logp_masked: null });
    },
  ],
  [
    'a gain has a reason',
    'turns.0.obs_gains.0.null_reason',
    (row) => {
      spoil(row, { null_reason: 'straddle' });
    },
  ],
  ['a baseline is off', 'turns.1.baselines.r2g', (row) => Object.assign(row.turns[1]?.baselines ?? {}, { r2g: 0 })],
  ['a reward is another', 'turns.0.baselines.r2g', (row) => Object.assign(row.turns[0] ?? {}, { turn_reward: 0.9 })],
  ['a shift has a support', 'turns.0.kl_support', (row) => Object.assign(row.turns[0] ?? {}, { kl_support: 3 })],
  ['the rule is another', 'group_rule', (row) => (row.group_rule = 'alone')],
  ['no branch', 'group_rule', (row) => (row.group_rule = 'branch')],
  ['the group is of another request', 'group_id', (row) => (row.group_id = 'request:0')],
];

function spoil(row: DatasetRow, change: object): void {
  Object.assign(row.turns[0]?.obs_gains?.[0] ?? {}, change);
}

test.each(faults)('verify finds it: %s', async (name, column, change) => {
  const dataset = readDataset(out);
  const [row] = dataset.rows;
  if (row === undefined) throw new Error('no row');
  change(row);
  const spoilt = join(folder, name.replaceAll(/\W+/g, '-'));
  await writeSpoilt(spoilt, dataset);
  const { violations } = await verifyDataset(spoilt);
  expect(violations.filter(({ row: at }) => at === 0).map((violation) => violation.column)).toContain(column);
});
