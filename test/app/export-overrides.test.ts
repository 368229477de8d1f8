import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { exportDataset } from '../../src/app/export.ts';
import { Overrides } from '../../src/app/overrides.ts';
import { verifyDataset } from '../../src/app/verify.ts';
import type { DatasetRow } from '../../src/core/dataset/schema.ts';
import { temporaryFolder } from '../store/temporary-store.ts';
import { sampleStore } from './export-fixture.ts';
import { readDataset, writeSpoilt } from './plant-fault.ts';

const SECRET = ['ghp', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join('_');

/** Three conversations of one task, exported before and after a reviewer was at them. */
async function reviewed() {
  const folder = temporaryFolder('overrides');
  const { journal, scoredOf } = sampleStore(folder, [
    { id: 'a', task: 't', questions: 2, passed: 4 },
    { id: 'b', task: 't', questions: 2, passed: 0, seed: 2 },
    { id: 'c', task: 't', questions: 1, passed: 2, seed: 3, rewrites: true },
  ]);
  await exportDataset({ journal, scoredOf, out: join(folder, 'before') });
  const overrides = new Overrides(journal);
  await overrides.set('a', 0, { field: 'label', value: 'essential' });
  await overrides.set('a', 0, { field: 'note', value: `right, and ${SECRET} is not` });
  await overrides.set('a', 1, { field: 'excluded', value: true });
  await overrides.set('b', null, { field: 'excluded', value: true });
  await overrides.set('b', null, { field: 'label', value: 'harmful' });
  await overrides.set('b', null, { field: 'note', value: 'misread the task' });
  await overrides.set('c', 0, { field: 'label', value: 'useful' });
  await overrides.undo('c');
  const out = join(folder, 'after');
  await exportDataset({ journal, scoredOf, out });
  return { out, before: readDataset(join(folder, 'before')).rows, after: readDataset(out).rows };
}

/** loss_mask of each action's tokens, 0 or 1 throughout. */
function trained({ turns, loss_mask, segments }: DatasetRow): (0 | 1 | 'both')[] {
  return turns.map(({ turn_index, action_start, action_end }) => {
    const mask = loss_mask ?? segments?.find((piece) => piece.turn_index === turn_index)?.loss_mask ?? [];
    const own = new Set(mask.slice(action_start ?? 0, action_end ?? 0));
    return own.size === 1 ? ([...own][0] ?? 'both') : 'both';
  });
}

test('what a reviewer left out or labelled is in the exported row, through the Parquet; the scores are untouched', async () => {
  const { out, before, after } = await reviewed();
  expect(before.map(trained)).toEqual([
    [1, 1, 1],
    [1, 1, 1],
    [1, 1],
  ]);
  expect(after.map(trained)).toEqual([
    [1, 0, 1],
    [0, 0, 0],
    [1, 1],
  ]);
  const [a, b, c] = after;
  expect(a?.turns.map(({ excluded, action_state }) => [excluded, action_state])).toEqual([
    [false, 'sampled'],
    [true, 'excluded'],
    [false, 'sampled'],
  ]);
  expect([a?.excluded, b?.excluded, c?.excluded]).toEqual([false, true, false]);
  expect(c?.turns[0]).toMatchObject({ human_label: null, human_note: null });
  const scores = (rows: readonly DatasetRow[]) =>
    rows.map(({ turns, outcome_reward }) => [
      outcome_reward,
      turns.map((turn) => [turn.info_gain, turn.info_gain_sum, turn.outcome_adv]),
    ]);
  expect(scores(after)).toEqual(scores(before));

  const db = await (await DuckDBInstance.create()).connect();
  const ask = async (sql: string): Promise<unknown> => (await db.runAndReadAll(sql)).getRowObjectsJson();
  expect(
    await ask(`SELECT episode_id, human_label, human_note, excluded, list_sum(loss_mask) AS trained
               FROM '${out}/episodes/*.parquet' WHERE loss_mask IS NOT NULL ORDER BY 1`),
  ).toMatchObject([
    { episode_id: 'a', human_label: null, human_note: null, excluded: false },
    { episode_id: 'b', human_label: 'harmful', human_note: 'misread the task', excluded: true, trained: '0' },
  ]);
  expect(
    await ask(
      `SELECT turn_index, human_label, human_note, excluded FROM '${out}/turns/*.parquet' WHERE episode_id = 'a' ORDER BY 1`,
    ),
  ).toEqual([
    {
      turn_index: 0,
      human_label: 'essential',
      human_note: 'right, and <redacted:github-token:1> is not',
      excluded: false,
    },
    { turn_index: 1, human_label: null, human_note: null, excluded: true },
    { turn_index: 2, human_label: null, human_note: null, excluded: false },
  ]);
  for (const name of readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((file) => /\.\w+$/.test(file))) {
    expect(readFileSync(join(out, name), 'latin1')).not.toContain('wWPw5k4a');
  }
  expect((await verifyDataset(out)).violations).toEqual([]);
});

test.each<[string, (row: DatasetRow) => DatasetRow, string]>([
  ['an excluded episode with a turn that is not', (row) => ({ ...row, excluded: true }), 'turns.0.excluded'],
  [
    'an excluded turn that is trained on',
    (row) => ({ ...row, turns: row.turns.map((turn, at) => (at === 0 ? { ...turn, excluded: true } : turn)) }),
    'turns.0.excluded',
  ],
  [
    'an excluded action that does not say so',
    (row) => ({ ...row, turns: row.turns.map((turn) => ({ ...turn, excluded: false })) }),
    'turns.1.excluded',
  ],
])('turnwise verify finds %s', async (_, spoil, column) => {
  const { out, after } = await reviewed();
  const { manifest } = readDataset(out);
  const folder = join(temporaryFolder('spoilt'), 'out');
  await writeSpoilt(folder, { rows: after.map((row, at) => (at === 0 ? spoil(row) : row)), manifest });
  const { violations } = await verifyDataset(folder);
  expect(violations.map((violation) => violation.column)).toContain(column);
});
