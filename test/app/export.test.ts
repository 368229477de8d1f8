import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { admission } from '../../src/app/dataset/admission.ts';
import { exportDataset, type Refused } from '../../src/app/export.ts';
import { verifyDataset } from '../../src/app/verify.ts';
import type { EventBody } from '../../src/core/event.ts';
import { sampleOptions, sampleScores, sampleSpecs, type SampleSpec } from '../core/dataset/sample.ts';
import { temporaryFolder } from '../store/temporary-store.ts';
import { sampleState, sampleStore } from './export-fixture.ts';
import { readDataset, readManifest } from './plant-fault.ts';

/** Every file below a folder and the hash of its bytes. */
function bytesBelow(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(
    paths.map((path) => [path.slice(folder.length), createHash('sha256').update(readFileSync(path)).digest('hex')]),
  );
}

test('the same store gives the same bytes, and an earlier dataset is replaced whole', async () => {
  const folder = temporaryFolder('export');
  const { journal, scoredOf } = sampleStore(folder);
  await exportDataset({ journal, scoredOf, out: join(folder, 'a') });
  await exportDataset({ journal, scoredOf, out: join(folder, 'b') });
  const once = bytesBelow(join(folder, 'a'));
  expect(Object.keys(once)).toHaveLength(6);
  expect(bytesBelow(join(folder, 'b'))).toEqual(once);
  await exportDataset({ journal, scoredOf, out: join(folder, 'b'), salt: 'another' });
  expect(bytesBelow(join(folder, 'b'))).not.toEqual(once);
  await exportDataset({ journal, scoredOf, out: join(folder, 'b') });
  expect(bytesBelow(join(folder, 'b'))).toEqual(once);
  expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('rows are sorted by id, whatever the order in which the conversations were had', async () => {
  const folder = temporaryFolder('export');
  const { journal, scoredOf } = sampleStore(folder, sampleSpecs.toReversed());
  await exportDataset({ journal, scoredOf, out: join(folder, 'out') });
  const ids = readDataset(join(folder, 'out')).rows.map(({ episode_id }) => episode_id);
  expect(ids).toEqual(sampleSpecs.map(({ id }) => id));
});

test('a folder with anything else in it is refused and stays as it is', async () => {
  const folder = temporaryFolder('export');
  const { journal, scoredOf } = sampleStore(folder);
  const out = join(folder, 'mine');
  mkdirSync(out);
  await exportDataset({ journal, scoredOf, out });
  writeFileSync(join(out, 'notes.txt'), 'mine');
  const before = bytesBelow(out);
  await expect(exportDataset({ journal, scoredOf, out })).rejects.toMatchObject({
    fault: 'usage',
    reason: 'folder_not_empty',
    message: expect.stringContaining('notes.txt') as unknown,
  });
  expect(bytesBelow(out)).toEqual(before);
  const file = join(folder, 'store.db');
  await expect(exportDataset({ journal, scoredOf, out: file })).rejects.toMatchObject({ reason: 'unusable_folder' });
});

test('an export that fails half-way leaves the old dataset and no other trace', async () => {
  const folder = temporaryFolder('export');
  const { journal, scoredOf } = sampleStore(folder);
  const out = join(folder, 'out');
  await exportDataset({ journal, scoredOf, out });
  const before = bytesBelow(out);
  const seen = readdirSync(folder).sort();
  const controller = new AbortController();
  const onProgress = (done: number, total: number): void => {
    if (done === total - 3) controller.abort(new Error('enough'));
  };
  await expect(exportDataset({ journal, scoredOf, out, signal: controller.signal, onProgress })).rejects.toThrow(
    'enough',
  );
  expect(bytesBelow(out)).toEqual(before);
  expect(readdirSync(folder).sort()).toEqual(seen);
});

test('a path below a file is a sentence', async () => {
  const folder = temporaryFolder('export');
  const { journal, scoredOf } = sampleStore(folder);
  const out = join(folder, 'store.db', 'out');
  await expect(exportDataset({ journal, scoredOf, out })).rejects.toMatchObject({
    fault: 'usage',
    message: expect.stringContaining('choose another path') as unknown,
  });
});

const consent = (scope: 'local-only' | 'exportable' | 'excluded'): EventBody => ({ type: 'consent_set', scope });

test('only what may leave does: consent, and why the rest stays', async () => {
  const folder = temporaryFolder('export');
  const of = (id: string, source: string): SampleSpec => ({ id, source, questions: 1, passed: 4 });
  const specs = [
    of('asked', 'real_developer'),
    of('excluded', 'simulated'),
    of('released', 'real_developer'),
    of('simulated', 'simulated'),
    of('withdrawn', 'real_developer'),
  ];
  const { journal, scoredOf } = sampleStore(folder, specs);
  journal.append('excluded', [consent('excluded')]);
  journal.append('released', [consent('exportable')]);
  journal.append('withdrawn', [consent('exportable'), consent('local-only')]);
  journal.append('begun', sampleStart('simulated'));
  const refused: Refused[] = [];
  const summary = await exportDataset({
    journal,
    scoredOf,
    out: join(folder, 'out'),
    onRefused: (one) => refused.push(one),
  });
  expect(refused.map(({ episode_id, reason }) => [episode_id, reason])).toEqual([
    ['asked', 'no_consent'],
    ['begun', 'no_action'],
    ['excluded', 'excluded'],
    ['withdrawn', 'no_consent'],
  ]);
  expect(summary.manifest.refused).toEqual([
    { reason: 'excluded', episodes: 1 },
    { reason: 'no_action', episodes: 1 },
    { reason: 'no_consent', episodes: 2 },
  ]);
  const { rows } = readDataset(join(folder, 'out'));
  expect(rows.map((row) => [row.episode_id, row.consent.scope])).toEqual([
    ['released', 'exportable'],
    ['simulated', 'simulated'],
  ]);
  expect(rows[0]?.consent.granted_at).toBeGreaterThan(1_700_000_000_000);
  // The batch is what is shipped, so that it can be computed again.
  expect(summary.batch_n).toBe(2);
  expect((await verifyDataset(join(folder, 'out'))).ok).toBe(true);
});

test('consent that is taken back takes the episode out of the next export, in every file', async () => {
  const folder = temporaryFolder('export');
  const { journal, scoredOf } = sampleStore(folder, [
    { id: 'kept', questions: 1, passed: 4, source: 'real_developer' },
    { id: 'regretted', questions: 1, passed: 4, source: 'real_developer', reply: () => 'zanzibar please' },
  ]);
  for (const id of ['kept', 'regretted']) journal.append(id, [consent('exportable')]);
  const out = join(folder, 'out');
  const db = await (await DuckDBInstance.create()).connect();
  const exported = async (): Promise<unknown> => {
    await exportDataset({ journal, scoredOf, out });
    const ids = await db.runAndReadAll(`SELECT episode_id FROM '${out}/episodes/*.parquet' ORDER BY 1`);
    const turns = await db.runAndReadAll(`SELECT DISTINCT episode_id FROM '${out}/turns/*.parquet' ORDER BY 1`);
    return [ids, turns].map((reader) => reader.getRowObjectsJson().map((row) => row['episode_id']));
  };
  expect(await exported()).toEqual([
    ['kept', 'regretted'],
    ['kept', 'regretted'],
  ]);
  journal.append('regretted', [consent('local-only')]);
  expect(await exported()).toEqual([['kept'], ['kept']]);
  for (const path of Object.keys(bytesBelow(out))) {
    expect(readFileSync(join(out, path), 'latin1')).not.toMatch(/zanzibar|regretted/);
  }
  // Given again, it is in again: the last word counts.
  journal.append('regretted', [consent('excluded'), consent('exportable')]);
  expect(await exported()).toEqual([
    ['kept', 'regretted'],
    ['kept', 'regretted'],
  ]);
});

test('an import goes out again as such, unless it says that a real developer spoke', () => {
  const state = sampleState({ id: 'x', questions: 1, passed: null });
  const imported = { ...state, importedRow: {}, source: 'imported:messages' };
  expect(admission(imported)).toEqual({ consent: { scope: 'imported', granted_at: null } });
  expect(admission({ ...imported, source: 'real_developer' })).toEqual({ consent: null, reason: 'no_consent' });
  expect(admission({ ...imported, phase: 'acting' })).toEqual({ consent: null, reason: 'action_running' });
});

const token = ['ghp', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join('_');

test('a secret is replaced by the same placeholder everywhere, and its row goes as text, out of the batch', async () => {
  const folder = temporaryFolder('export');
  const { journal, scoredOf } = sampleStore(folder, [
    { id: 'clean', questions: 1, passed: 4 },
    { id: 'leak', questions: 1, passed: 0, reply: () => `use ${token} please` },
    { id: 'leak-too', questions: 2, passed: 0, reply: (turn) => (turn === 0 ? `both ${token}` : 'and pw: hunter-77') },
  ]);
  journal.append('leak', [{ type: 'rated', turn: 0, thumb: 1, note: `never log ${token}` }]);
  const known = [{ name: 'env', value: 'hunter-77', whole: false }];
  const summary = await exportDataset({ journal, scoredOf, known, out: join(folder, 'out') });
  expect(summary).toMatchObject({ rows: 3, redacted: 2, unscored: 2, batch_n: 1, refused: [] });
  for (const path of Object.keys(bytesBelow(join(folder, 'out')))) {
    expect(readFileSync(join(folder, 'out', path), 'latin1')).not.toMatch(/wWPw5k4a|hunter-77/);
  }
  const { rows } = readDataset(join(folder, 'out'));
  expect(
    rows.map(({ messages }) => messages.filter(({ role }) => role === 'user').map(({ content }) => content)),
  ).toEqual([
    expect.anything(),
    ['please write function leak', 'use <redacted:github-token:1> please'],
    ['please write function leak-too', 'both <redacted:github-token:1>', 'and pw: <redacted:env:2>'],
  ]);
  expect(rows[1]?.turns[0]?.thumb_note).toBe('never log <redacted:github-token:1>');
  expect(rows.map(({ redaction }) => redaction.token_level_valid)).toEqual([true, false, false]);
  expect(rows.map(({ input_ids }) => input_ids === null)).toEqual([false, true, true]);
  expect(await verifyDataset(join(folder, 'out'))).toMatchObject({ ok: true, rows: 3 });
  expect(JSON.parse(readFileSync(join(folder, 'out', 'redaction.json'), 'utf8'))).toMatchObject({
    rows: 2,
    replacements: 3,
    by_rule: { env: 1, 'github-token': 3 },
  });
});

test('a secret that cannot be replaced keeps its conversation in, named with its rule and with nothing else', async () => {
  const folder = temporaryFolder('export');
  const { journal, scoredOf } = sampleStore(folder, [
    { id: 'clean', questions: 1, passed: 4 },
    { id: token, questions: 1, passed: 0 },
  ]);
  const summary = await exportDataset({ journal, scoredOf, out: join(folder, 'out') });
  expect(summary.refused).toMatchObject([
    { reason: 'secret_found', detail: expect.stringContaining('github-token') as unknown },
  ]);
  for (const path of Object.keys(bytesBelow(join(folder, 'out')))) {
    expect(readFileSync(join(folder, 'out', path), 'latin1')).not.toContain(token);
  }
});

test('nothing to export is a sentence that counts why', async () => {
  const folder = temporaryFolder('export');
  const { journal, scoredOf } = sampleStore(folder, [{ id: 'a', source: 'real_developer', questions: 1, passed: 1 }]);
  await expect(exportDataset({ journal, scoredOf, out: join(folder, 'out') })).rejects.toMatchObject({
    reason: 'nothing_to_export',
    message: expect.stringContaining('no_consent 1') as unknown,
  });
  expect(existsSync(join(folder, 'out'))).toBe(false);
});

test('episodes without fitting scores ship without credit and are in no batch', async () => {
  const folder = temporaryFolder('export');
  const { journal, scoredOf } = sampleStore(folder);
  const some = (id: string): boolean => id !== 'a1';
  const summary = await exportDataset({
    journal,
    out: join(folder, 'out'),
    scoredOf: (state) => {
      const scored = some(state.id) ? scoredOf(state) : null;
      // Scored before its last turn: no longer the conversation that would be shipped.
      return state.id === 'a2' && scored ? { ...scored, turns: scored.turns.slice(0, -1) } : scored;
    },
  });
  expect([summary.rows, summary.unscored, summary.batch_n]).toEqual([12, 2, 10]);
  const { rows } = readDataset(join(folder, 'out'));
  const [a1] = rows;
  expect(a1?.fusion).toBeNull();
  expect(a1?.token_advantages).toBeNull();
  expect(a1?.input_ids?.length).toBeGreaterThan(20);
  expect(a1?.loss_mask).not.toContain(1);
  expect(a1?.turns[0]?.null_reason).toBe('not_scored_yet');
  expect(await verifyDataset(join(folder, 'out'))).toMatchObject({ ok: true, rows: 12, batches: 1 });
});

test('scores by two scorers cannot be one batch', async () => {
  const folder = temporaryFolder('export');
  const { journal, scoredOf } = sampleStore(folder);
  const mixed: typeof scoredOf = (state) => {
    const scored = scoredOf(state);
    return scored && state.id === 'c1' ? { ...scored, scorer: { ...scored.scorer, revision: 'r2' } } : scored;
  };
  await expect(exportDataset({ journal, scoredOf: mixed, out: join(folder, 'out') })).rejects.toMatchObject({
    reason: 'mixed_scores',
    message: expect.stringContaining('c1') as unknown,
  });
});

test('DuckDB reads the Parquet as it was written: types, nulls, nesting, counts', async () => {
  const folder = temporaryFolder('export');
  const { journal, scoredOf } = sampleStore(folder);
  await exportDataset({ journal, scoredOf, out: join(folder, 'out'), groupWeight: 600 });
  const { rows } = readDataset(join(folder, 'out'));
  const db = await (await DuckDBInstance.create()).connect();
  const ask = async (sql: string): Promise<unknown> =>
    (await db.runAndReadAll(sql.replaceAll('EPISODES', `'${folder}/out/episodes/train.parquet'`))).getRowObjectsJson();

  const types = await ask('SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM EPISODES)');
  expect(types).toEqual(
    expect.arrayContaining([
      { column_name: 'input_ids', column_type: 'INTEGER[]' },
      { column_name: 'loss_mask', column_type: 'TINYINT[]' },
      { column_name: 'behavior_logprobs', column_type: 'FLOAT[]' },
      { column_name: 'token_advantages', column_type: 'FLOAT[]' },
      { column_name: 'created_at', column_type: 'TIMESTAMP' },
      { column_name: 'fork_turn', column_type: 'INTEGER' },
      { column_name: 'outcome_reward', column_type: 'DOUBLE' },
      { column_name: 'messages', column_type: 'STRUCT("role" VARCHAR, "content" VARCHAR)[]' },
    ]),
  );
  // Several row groups, else the reading back of one would say nothing about the others.
  const groups = await ask('SELECT count(DISTINCT row_group_id)::INT AS n FROM parquet_metadata(EPISODES)');
  expect((groups as { n: number }[])[0]?.n).toBeGreaterThan(3);
  expect(
    await ask(`SELECT episode_id AS id, outcome_reward AS r, len(turns)::INT AS n, input_ids IS NULL AS pieces,
      list_transform(turns, t -> t.info_gain) AS gains, list_transform(turns, t -> t.fused_adv) AS advantages,
      list_transform(turns, t -> t.null_reason) AS reasons, list_sum(loss_mask)::INT AS trained,
      list_transform(segments, s -> len(s.input_ids)::INT) AS lengths, fusion.batch_n AS batch_n,
      epoch_ms(created_at)::DOUBLE AS at FROM EPISODES ORDER BY id`),
  ).toEqual(
    rows.map((row) => ({
      id: row.episode_id,
      r: row.outcome_reward,
      n: row.turns.length,
      pieces: row.input_ids === null,
      gains: row.turns.map((turn) => turn.info_gain),
      advantages: row.turns.map((turn) => turn.fused_adv),
      reasons: row.turns.map((turn) => turn.null_reason),
      trained: row.loss_mask?.reduce<number>((sum, one) => sum + one, 0) ?? null,
      lengths: row.segments?.map((piece) => piece.input_ids.length) ?? null,
      batch_n: 12,
      at: row.created_at,
    })),
  );
  expect(await ask('SELECT input_ids AS ids, turns[1].logp_masked AS lp FROM EPISODES ORDER BY episode_id')).toEqual(
    rows.map((row) => ({ ids: row.input_ids, lp: row.turns[0]?.logp_masked ?? null })),
  );
  const flat = (
    await db.runAndReadAll(`SELECT count(*)::INT AS n FROM '${folder}/out/turns/train.parquet'`)
  ).getRowObjectsJson();
  expect(flat).toEqual([{ n: rows.reduce((sum, row) => sum + row.turns.length, 0) }]);
  const mirrored = await db.runAndReadAll(
    `SELECT episode_id FROM '${folder}/out/episodes/train.jsonl' WHERE turns[1].info_gain IS NULL`,
  );
  expect(mirrored.getRowObjectsJson().map((row) => row['episode_id'])).toEqual(['b1', 'g1', 'h1']);
});

test('the card names both configs, the default one, and files that are there', async () => {
  const folder = temporaryFolder('export');
  const { journal, scoredOf } = sampleStore(folder);
  await exportDataset({ journal, scoredOf, out: join(folder, 'out'), notice: 'The scorer is a toy.' });
  const card = readFileSync(join(folder, 'out', 'README.md'), 'utf8');
  const [, front = ''] = card.split('---\n');
  expect(front).toContain('- config_name: episodes\n    default: true\n');
  expect(front).toContain('- config_name: turns\n');
  for (const [, path = ''] of front.matchAll(/path: (.*)/g)) expect(existsSync(join(folder, 'out', path))).toBe(true);
  expect(card).toContain('The scorer is a toy.');
  const manifest = readManifest(join(folder, 'out'));
  expect(manifest.files.map(({ path, rows }) => [path, rows])).toEqual([
    ['episodes/train.parquet', 12],
    ['episodes/train.jsonl', 12],
    ['turns/train.parquet', 37],
    ['README.md', null],
    ['redaction.json', null],
  ]);
});

const spec = fc.record({
  task: fc.constantFrom(null, 'p', 'q', 'r'),
  questions: fc.integer({ min: 0, max: 4 }),
  passed: fc.option(fc.integer({ min: 0, max: 4 })),
  rewrites: fc.boolean(),
  recorded: fc.boolean(),
  seed: fc.integer({ min: 1, max: 10_000 }),
  unknown: fc.constantFrom({}, { 0: 'straddle' as const }, { 1: 'too_long' as const }),
  words: fc.array(fc.constantFrom('ja', 'né', '日本', '👍🏽', 'a\u2028b', '\ud800', 'x\ty', '"q"', '', '\n'), {
    minLength: 1,
    maxLength: 5,
  }),
});

test('any batch of scored episodes becomes a dataset that holds against its own rows', async () => {
  const folder = temporaryFolder('export');
  let round = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(spec, { minLength: 1, maxLength: 7 }),
      fc.constantFrom(
        {},
        { preset: 'infopo_repo' } as const,
        { pool_by: 'index', min_batch: 2 } as const,
        { norm: 'none' } as const,
        {
          placebo_mean: 0.1,
          placebo_sd: 0.2,
        },
      ),
      fc.constantFrom('shift_mean' as const, 'shift_sum' as const, 'k2' as const, 'k3' as const, 'shift_relu' as const),
      async (drawn, choices, estimator) => {
        round += 1;
        const specs = drawn.map(({ words, ...rest }, at): SampleSpec => ({
          ...rest,
          id: `e${at}`,
          reply: (turn) => words.slice(0, turn + 1).join(' ') || 'x',
        }));
        const place = join(folder, String(round));
        mkdirSync(place);
        const { journal } = sampleStore(place, specs);
        const summary = await exportDataset({
          journal,
          choices,
          out: join(place, 'out'),
          groupWeight: 800,
          scoredOf: (state) => {
            const own = specs.find(({ id }) => id === state.id);
            return own ? sampleScores(state, own, { ...sampleOptions, estimator }) : null;
          },
        });
        journal.close();
        expect(summary.rows).toBe(specs.length);
        expect((await verifyDataset(join(place, 'out'))).violations).toEqual([]);
      },
    ),
    { numRuns: 25 },
  );
});

/** Writes rows in a worker whose heap is smaller than all of them together. */
function writeInSmallHeap(total: number, groupWeight?: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./write-many-rows.ts', import.meta.url), {
      workerData: { out: join(temporaryFolder('export'), 'out'), total, groupWeight },
      resourceLimits: { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 8 },
      // Running out of memory is one of the expected ends; its report is noise.
      stderr: true,
    });
    worker.once('message', resolve).once('error', reject);
  });
}

test('a heap that holds a fraction of the rows is enough, since they are written a row group at a time', async () => {
  await expect(writeInSmallHeap(300)).resolves.toBe(300);
  // The same rows in one row group do not fit, so the test can fail.
  await expect(writeInSmallHeap(300, Infinity)).rejects.toMatchObject({ code: 'ERR_WORKER_OUT_OF_MEMORY' });
  // A heap that runs full collects garbage for a long time before it gives up.
}, 180_000);

function sampleStart(source: string): EventBody[] {
  return [
    {
      type: 'episode_started',
      source,
      task_id: null,
      parent: null,
      agent_prompt: null,
      answer_marker: 'A:',
      max_turns: 3,
    },
    { type: 'request_accepted', text: 'write f' },
  ];
}
