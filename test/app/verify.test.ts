import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { createParquet } from '../../src/app/dataset/write-parquet.ts';
import { openParquet } from '../../src/app/dataset/read-parquet.ts';
import { exportDataset } from '../../src/app/export.ts';
import { verifyDataset } from '../../src/app/verify.ts';
import {
  datasetRowSchema,
  turnRowSchema,
  type DatasetRow,
  type DatasetTurn,
  type Fusion,
  type TurnRow,
} from '../../src/core/dataset/schema.ts';
import { temporaryFolder } from '../store/temporary-store.ts';
import { sampleStore } from './export-fixture.ts';
import { readDataset, sign, writeSpoilt, type Dataset } from './plant-fault.ts';

let folder = '';
let valid = '';

beforeAll(async () => {
  folder = temporaryFolder('export');
  valid = join(folder, 'valid');
  const { journal, scoredOf } = sampleStore(folder);
  await exportDataset({ journal, scoredOf, out: valid });
  journal.close();
});

test('a dataset as exported is sound', async () => {
  expect(await verifyDataset(valid)).toEqual({ ok: true, rows: 12, batches: 1, violations: [] });
});

/** `a1`: one sequence, policy ids, two questions. `b1`: its first gain is unknown. `e1`: segments. `f1`: turn 1 was stopped. */
type Id = 'a1' | 'b1' | 'b2' | 'e1' | 'f1';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface Fault {
  readonly name: string;
  readonly id: Id;
  readonly spoil: (row: Writable<DatasetRow>) => void;
  readonly column: string;
}

const turn = (row: DatasetRow, index: number): Writable<DatasetTurn> => {
  const found = row.turns[index];
  if (!found) throw new Error(`no turn ${index}`);
  return found;
};
const fusion = (row: DatasetRow): Writable<Fusion> => {
  if (!row.fusion) throw new Error('no fusion');
  return row.fusion;
};
const first = <T>(list: readonly T[] | null): T => {
  const [value] = list ?? [];
  if (value === undefined) throw new Error('an empty list');
  return value;
};
const plus = (value: number | null, more: number): number => {
  if (value === null) throw new Error('no number to change');
  return value + more;
};

const f = (name: string, id: Id, column: string, spoil: Fault['spoil']): Fault => ({ name, id, column, spoil });

const faults: readonly Fault[] = [
  f(
    'an advantage is flipped',
    'a1',
    'turns.0.fused_adv',
    (row) => (turn(row, 0).fused_adv = -plus(turn(row, 0).fused_adv, 0)),
  ),
  f(
    'an advantage is a little off',
    'a1',
    'turns.1.fused_adv',
    (row) => (turn(row, 1).fused_adv = plus(turn(row, 1).fused_adv, 1e-6)),
  ),
  f('the normalised information is off', 'a1', 'turns.0.intrinsic_adv', (row) => (turn(row, 0).intrinsic_adv = 0)),
  f('an unknown intrinsic advantage is 0', 'b1', 'turns.0.intrinsic_adv', (row) => (turn(row, 0).intrinsic_adv = 0)),
  f(
    'the outcome advantage is off',
    'a1',
    'turns.2.outcome_adv',
    (row) => (turn(row, 2).outcome_adv = plus(turn(row, 2).outcome_adv, 0.5)),
  ),
  f('a token has another advantage', 'a1', 'token_advantages.10', (row) => {
    row.token_advantages = row.token_advantages?.with(10, 0.25) ?? null;
  }),
  f(
    'an action starts one token late',
    'a1',
    'turns.1.action_tokens',
    (row) => (turn(row, 1).action_start = plus(turn(row, 1).action_start, 1)),
  ),
  f('an action span is shifted', 'a1', 'loss_mask.9', (row) => {
    turn(row, 0).action_start = plus(turn(row, 0).action_start, 1);
    turn(row, 0).action_end = plus(turn(row, 0).action_end, 1);
  }),
  f(
    'a reply span reaches into the action',
    'a1',
    'turns.0.obs_start',
    (row) => (turn(row, 0).obs_start = plus(turn(row, 0).action_end, -1)),
  ),
  f(
    'a reply span reaches into the next action',
    'a1',
    'turns.1.action_start',
    (row) => (turn(row, 0).obs_end = plus(turn(row, 1).action_start, 1)),
  ),
  f('a span is empty', 'a1', 'turns.0.obs_end', (row) => (turn(row, 0).obs_end = turn(row, 0).obs_start)),
  f('a span has one end', 'a1', 'turns.0.obs_end', (row) => (turn(row, 0).obs_end = null)),
  f(
    'a span ends behind the sequence',
    'a1',
    'turns.2.action_end',
    (row) => (turn(row, 2).action_end = plus(turn(row, 2).action_end, 9)),
  ),
  f('a reply token is trained on', 'a1', 'loss_mask.18', (row) => {
    const at = plus(turn(row, 0).obs_start, 0);
    expect(at).toBe(18);
    row.loss_mask = row.loss_mask?.with(at, 1) ?? null;
  }),
  f(
    'an action token is not trained on',
    'a1',
    'loss_mask.10',
    (row) => (row.loss_mask = row.loss_mask?.with(10, 0) ?? null),
  ),
  f('a mask is too short', 'a1', 'loss_mask', (row) => (row.loss_mask = row.loss_mask?.slice(1) ?? null)),
  f('an unknown gain is 0', 'b1', 'turns.0.info_gain', (row) => (turn(row, 0).info_gain = 0)),
  f('the last turn has a gain', 'a1', 'turns.2.info_gain', (row) => (turn(row, 2).info_gain = 0.4)),
  f(
    'a gain does not follow from its log-probs',
    'a1',
    'turns.0.info_gain',
    (row) => (turn(row, 0).info_gain = plus(turn(row, 0).info_gain, 1e-5)),
  ),
  f(
    'a total does not follow from its log-probs',
    'a1',
    'turns.0.info_gain_sum',
    (row) => (turn(row, 0).info_gain_sum = plus(turn(row, 0).info_gain_sum, 1e-4)),
  ),
  f('a log-prob is another', 'a1', 'turns.0.info_gain', (row) => {
    turn(row, 0).logp_masked = (turn(row, 0).logp_masked ?? []).with(0, -9);
  }),
  f('a log-prob is missing', 'a1', 'turns.0.logp_masked', (row) => {
    turn(row, 0).logp_masked = (turn(row, 0).logp_masked ?? []).slice(1);
  }),
  f('a log-prob is positive', 'a1', 'turns.0.logp_factual.0', (row) => {
    turn(row, 0).logp_factual = (turn(row, 0).logp_factual ?? []).with(0, 0.5);
  }),
  f('an unknown behaviour log-prob is 0', 'a1', 'behavior_logprobs.0', (row) => {
    row.behavior_logprobs = row.behavior_logprobs?.with(0, 0) ?? null;
  }),
  f('a behaviour log-prob is positive', 'a1', 'behavior_logprobs.10', (row) => {
    row.behavior_logprobs = row.behavior_logprobs?.with(10, 0.5) ?? null;
  }),
  f('the group sd is off', 'a1', 'fusion.group_sd', (row) => (fusion(row).group_sd = plus(fusion(row).group_sd, 0.01))),
  f('the gate is off', 'a1', 'fusion.gate', (row) => (fusion(row).gate += 0.01)),
  f('the scale is off', 'a1', 'fusion.scale', (row) => (fusion(row).scale *= 0.9)),
  f('a mean of the pool is off', 'a1', 'fusion.info_mean', (row) => (fusion(row).info_mean = 0)),
  f('the pool is another', 'a1', 'fusion.info_level', (row) => (fusion(row).info_level = 'calibrated')),
  f('z is off', 'a1', 'fusion.z', (row) => (fusion(row).z = 0)),
  f('the batch has another size', 'a1', 'fusion.batch_n', (row) => (fusion(row).batch_n += 1)),
  f('the batch has another name', 'a1', 'fusion.batch_id', (row) => (fusion(row).batch_id = 'x')),
  f('one row has another beta', 'b2', 'fusion.beta', (row) => (fusion(row).beta = 0.5)),
  f('one row has another scorer', 'b2', 'fusion.scorer_revision', (row) => (fusion(row).scorer_revision = 'r2')),
  f('a row joins another group', 'a1', 'fusion.group_sd', (row) => (row.group_id = 'beta')),
  f('an outcome is not what decided it', 'a1', 'outcome_reward', (row) => (row.outcome_reward = 0.75)),
  f('an unknown outcome is 0', 'a1', 'outcome_reward', (row) => (row.outcome_detail.kind = 'unknown')),
  f('a null loses its reason', 'b1', 'turns.0.null_reason', (row) => (turn(row, 0).null_reason = null)),
  f('a number has a reason', 'a1', 'turns.0.null_reason', (row) => (turn(row, 0).null_reason = 'straddle')),
  f(
    'a stopped action counts as sampled',
    'f1',
    'turns.1.action_tokens',
    (row) => (turn(row, 1).action_state = 'sampled'),
  ),
  f('a flag that keeps a gain out of pools is gone', 'f1', 'turns.0.flags', (row) => (turn(row, 0).flags = [])),
  f('inherited contradicts the state', 'a1', 'turns.0.inherited', (row) => (turn(row, 0).inherited = true)),
  f('excluded contradicts the state', 'a1', 'turns.0.excluded', (row) => (turn(row, 0).excluded = true)),
  f('loss tokens are miscounted', 'a1', 'turns.0.action_tokens', (row) => (turn(row, 0).action_tokens = 1)),
  f('next tokens are miscounted', 'b2', 'turns.0.next_action_tokens', (row) => (turn(row, 0).next_action_tokens = 1)),
  f('a turn is missing', 'a1', 'turns', (row) => (row.turns = row.turns.slice(0, 2))),
  f('turns are swapped', 'a1', 'turns.0.turn_index', (row) => (row.turns = [turn(row, 1), turn(row, 0), turn(row, 2)])),
  f('a reply is gone', 'a1', 'turns.0.obs_gains', (row) => (row.messages = row.messages.toSpliced(2, 1))),
  f('the prompt is another', 'a1', 'prompt', (row) => (row.prompt = [{ role: 'user', content: 'else' }])),
  f('the words are miscounted', 'a1', 'turns.0.reply_words', (row) => (turn(row, 0).reply_words = 7)),
  f('the kind of the reply is another', 'a1', 'turns.0.obs_kind', (row) => (turn(row, 0).obs_kind = 'tool')),
  f('ids without a source', 'a1', 'token_source', (row) => (row.token_source = null)),
  f('one sequence and segments', 'e1', 'segments', (row) => {
    row.input_ids = first(row.segments).input_ids;
    row.loss_mask = first(row.segments).loss_mask;
  }),
  f('a segment is missing', 'e1', 'segments', (row) => (row.segments = row.segments?.slice(1) ?? null)),
  f('a segment trains on its prompt', 'e1', 'segments.1.loss_mask.0', (row) => {
    row.segments =
      row.segments?.map((piece, at) => (at === 1 ? { ...piece, loss_mask: piece.loss_mask.with(0, 1) } : piece)) ??
      null;
  }),
  f('a segment goes on behind its action', 'e1', 'turns.0.action_end', (row) => {
    const piece = first(row.segments);
    row.segments = (row.segments ?? []).with(0, { ...piece, input_ids: [...piece.input_ids, 5] });
  }),
  f(
    'consent without a time',
    'a1',
    'consent.granted_at',
    (row) => (row.consent = { scope: 'exportable', granted_at: null }),
  ),
  f('a real developer did not consent', 'a1', 'consent.scope', (row) => (row.source = 'real_developer')),
  f('a redacted row ships its ids', 'a1', 'input_ids', (row) => {
    row.redaction = { ...row.redaction, replacements: 1, token_level_valid: false };
  }),
  f('a redacted row ships behaviour log-probs', 'a1', 'behavior_logprobs', (row) => (row.redaction.replacements = 1)),
  f('a secret is in a message', 'a1', 'messages', (row) => {
    row.messages = row.messages.with(2, {
      role: 'user',
      content: ['ghp', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join('_'),
    });
  }),
  f(
    'the row is of another split',
    'a1',
    'extra_info.split',
    (row) => (row.extra_info = { ...row.extra_info, split: 'test' }),
  ),
  f('the row has another place', 'a1', 'extra_info.index', (row) => (row.extra_info = { ...row.extra_info, index: 5 })),
  f('a branch does not say where it forked', 'a1', 'fork_turn', (row) => (row.parent_episode_id = 'a2')),
];

test.each(faults)('$name: found in $column of $id', async ({ name, id, spoil, column }) => {
  const dataset = readDataset(valid);
  const at = dataset.rows.findIndex(({ episode_id }) => episode_id === id);
  spoil(first(dataset.rows.slice(at)));
  const spoilt = join(folder, name.replaceAll(/\W+/g, '-'));
  await writeSpoilt(spoilt, dataset);
  const report = await verifyDataset(spoilt);
  expect(report.ok).toBe(false);
  const here = report.violations.filter(({ row, file }) => row === at && file === 'episodes/train.parquet');
  expect(here.map((violation) => violation.column)).toContain(column);
  rmSync(spoilt, { recursive: true });
});

const several: readonly (readonly [name: string, spoil: (dataset: Dataset) => void, column: string])[] = [
  ['a row is missing', ({ rows }) => void rows.splice(3, 1), 'fusion.batch_n'],
  ['a row is there twice', ({ rows }) => void rows.splice(3, 0, first(rows.slice(3))), 'episode_id'],
  ['rows are swapped', ({ rows }) => void rows.splice(3, 2, first(rows.slice(4)), first(rows.slice(3))), 'episode_id'],
  [
    'a whole batch has another T',
    ({ rows }) => {
      for (const row of rows) fusion(row).T = 0.4;
    },
    'fusion.gate',
  ],
  [
    'a whole batch has another estimator',
    ({ rows }) => {
      for (const row of rows) fusion(row).estimator = 'k3';
    },
    'turns.0.info_gain',
  ],
  [
    'the manifest names another batch',
    ({ manifest }) => void (first(manifest.splits).batch_id = 'x'),
    'splits.train.batch_id',
  ],
  ['the manifest counts other rows', ({ manifest }) => void (first(manifest.splits).rows += 1), 'splits.train.rows'],
  ['the manifest counts rows without scores', ({ manifest }) => void (manifest.unscored += 1), 'unscored'],
];

test.each(several)('%s', async (name, spoil, column) => {
  const dataset = readDataset(valid);
  spoil(dataset);
  const spoilt = join(folder, name.replaceAll(/\W+/g, '-'));
  await writeSpoilt(spoilt, dataset);
  const report = await verifyDataset(spoilt);
  expect(report.ok).toBe(false);
  expect(report.violations.map((violation) => violation.column)).toContain(column);
});

interface FileFault {
  readonly name: string;
  readonly spoil: (folder: string) => Promise<void> | void;
  readonly violation: { readonly file: string; readonly column: string };
}

const mirror = 'episodes/train.jsonl';
const editLines = (at: string, edit: (lines: string[]) => string[]): void => {
  const path = join(at, mirror);
  writeFileSync(path, `${edit(readFileSync(path, 'utf8').trimEnd().split('\n')).join('\n')}\n`);
};

const fileFaults: readonly FileFault[] = [
  {
    name: 'a byte of the Parquet file is another',
    spoil: (at) => {
      const bytes = readFileSync(join(at, 'episodes/train.parquet'));
      bytes[200] = (bytes[200] ?? 0) ^ 1;
      writeFileSync(join(at, 'episodes/train.parquet'), bytes);
    },
    violation: { file: 'episodes/train.parquet', column: 'sha256' },
  },
  {
    name: 'a Parquet file is cut off',
    spoil: (at) => {
      writeFileSync(
        join(at, 'episodes/train.parquet'),
        readFileSync(join(at, 'episodes/train.parquet')).subarray(0, 900),
      );
    },
    violation: { file: 'episodes/train.parquet', column: 'bytes' },
  },
  {
    name: 'a file is gone',
    spoil: (at) => {
      rmSync(join(at, 'turns/train.parquet'));
    },
    violation: { file: 'turns/train.parquet', column: '' },
  },
  {
    name: 'a file is there that nobody listed',
    spoil: (at) => {
      writeFileSync(join(at, 'notes.txt'), '');
    },
    violation: { file: 'notes.txt', column: '' },
  },
  {
    name: 'rows are swapped in the mirror',
    spoil: async (at) => {
      editLines(at, ([a = '', b = '', ...rest]) => [b, a, ...rest]);
      await sign(at);
    },
    violation: { file: mirror, column: 'episode_id' },
  },
  {
    name: 'a row is missing in the mirror',
    spoil: async (at) => {
      editLines(at, (lines) => lines.slice(0, -1));
      await sign(at);
    },
    violation: { file: mirror, column: '' },
  },
  {
    name: 'the mirror has a row more',
    spoil: async (at) => {
      editLines(at, (lines) => [...lines, first(lines)]);
      await sign(at);
    },
    violation: { file: mirror, column: '' },
  },
  {
    name: 'a number is another in the mirror',
    spoil: async (at) => {
      editLines(at, (lines) => lines.map((line) => line.replace(/"gate":[0-9.]+/, '"gate":0.5')));
      await sign(at);
    },
    violation: { file: mirror, column: 'fusion.gate' },
  },
  {
    name: 'a flat turn differs from its episode',
    spoil: async (at) => {
      const path = join(at, 'turns/train.parquet');
      const rows: TurnRow[] = [];
      for await (const row of (await openParquet(path)).rows()) rows.push(turnRowSchema.parse(row));
      rmSync(path);
      const file = await createParquet(path, turnRowSchema, { weight: () => 1 });
      for (const row of rows) await file.write({ ...row, fused_adv: 0 });
      await file.finish();
      await sign(at);
    },
    violation: { file: 'turns/train.parquet', column: 'fused_adv' },
  },
  {
    name: 'a column is missing',
    spoil: async (at) => {
      const { rows } = readDataset(at);
      rmSync(join(at, 'episodes/train.parquet'));
      const file = await createParquet(join(at, 'episodes/train.parquet'), datasetRowSchema.omit({ consent: true }), {
        weight: () => 1,
      });
      for (const row of rows) await file.write(row);
      await file.finish();
      await sign(at);
    },
    violation: { file: 'episodes/train.parquet', column: 'consent' },
  },
  {
    name: 'the manifest is no JSON',
    spoil: (at) => {
      writeFileSync(join(at, 'manifest.json'), '{');
    },
    violation: { file: 'manifest.json', column: '' },
  },
  {
    name: 'the manifest names a file outside',
    spoil: (at) => {
      const path = join(at, 'manifest.json');
      writeFileSync(path, readFileSync(path, 'utf8').replace('"README.md"', '"../README.md"'));
    },
    violation: { file: 'manifest.json', column: 'files.3.path' },
  },
  {
    name: 'a secret is in the card',
    spoil: async (at) => {
      writeFileSync(join(at, 'README.md'), ['-----BEGIN RSA', 'PRIVATE KEY-----'].join(' '));
      await sign(at);
    },
    violation: { file: 'README.md', column: '' },
  },
];

test.each(fileFaults)('$name', async ({ name, spoil, violation }) => {
  const spoilt = join(folder, `file-${name.replaceAll(/\W+/g, '-')}`);
  cpSync(valid, spoilt, { recursive: true });
  await spoil(spoilt);
  const report = await verifyDataset(spoilt);
  expect(report.ok).toBe(false);
  expect(report.violations).toContainEqual(expect.objectContaining(violation));
});

test('a folder without a dataset is a sentence, not a report', async () => {
  await expect(verifyDataset(join(folder, 'nowhere'))).rejects.toMatchObject({ fault: 'input', reason: 'no_dataset' });
});
