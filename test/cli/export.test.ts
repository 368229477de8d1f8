import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reduce } from '../../src/core/reduce.ts';
import { sampleScores, sampleSpecs } from '../core/dataset/sample.ts';
import { temporaryFolder } from '../store/temporary-store.ts';
import { sampleStore } from '../app/export-fixture.ts';
import { runCli } from './run-cli.ts';

/** A store of sample conversations, and a file with their scores as `turnwise score` writes them. */
function prepared(): { readonly folder: string; readonly store: string; readonly scores: string } {
  const folder = temporaryFolder('export');
  const { journal } = sampleStore(folder);
  const lines = sampleSpecs.map((spec) => JSON.stringify(sampleScores(reduce(journal.read(spec.id)), spec)));
  journal.close();
  const scores = join(folder, 'scores.jsonl');
  writeFileSync(scores, `${lines.join('\n')}\n`);
  return { folder, store: join(folder, 'store.db'), scores };
}

test('export, then verify: what was scored is shipped with credit and is sound', async () => {
  const { folder, store, scores } = prepared();
  const out = join(folder, 'out');
  const exported = await runCli([
    'export',
    '--store',
    store,
    '--out',
    out,
    '--scores',
    scores,
    '--beta',
    '0.5',
    '--json',
  ]);
  expect(exported).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(exported.stdout)).toMatchObject({ rows: 12, turns: 37, unscored: 0, batch_n: 12, refused: [] });
  expect(readFileSync(join(out, 'manifest.json'), 'utf8')).toContain('"beta": 0.5');
  const verified = await runCli(['verify', out, '--json']);
  expect(verified.code).toBe(0);
  expect(JSON.parse(verified.stdout)).toEqual({ ok: true, rows: 12, batches: 1, violations: [] });
  const words = await runCli(['verify', out]);
  expect(words).toMatchObject({ code: 0, stderr: '' });
  expect(words.stdout).toContain('12 rows');
});

test('a spoilt dataset exits 1 and names file, row and column', async () => {
  const { folder, store, scores } = prepared();
  const out = join(folder, 'out');
  await runCli(['export', '--store', store, '--out', out, '--scores', scores]);
  const mirror = join(out, 'episodes/train.jsonl');
  writeFileSync(mirror, readFileSync(mirror, 'utf8').replace('"reply_words":3', '"reply_words":4'));
  const verified = await runCli(['verify', out]);
  expect(verified.code).toBe(1);
  expect(verified.stdout).toContain('episodes/train.jsonl, row 0, turns.0.reply_words');
  expect(verified.stderr).toMatch(/^turnwise: .*export it again/);
  const report = JSON.parse((await runCli(['verify', out, '--json'])).stdout) as { ok: boolean; violations: object[] };
  expect(report.ok).toBe(false);
  expect(report.violations).toContainEqual({
    file: 'episodes/train.jsonl',
    row: 0,
    column: 'turns.0.reply_words',
    expected: 3,
    found: 4,
    invariant: 'the same rows as the episodes',
  });
});

test('imports go out again; a real developer must have released it', async () => {
  const folder = temporaryFolder('export');
  const messages = [
    { role: 'user', content: 'write f' },
    { role: 'assistant', content: 'which order' },
    { role: 'user', content: 'ascending' },
    { role: 'assistant', content: 'I WANT TO ANSWER: x' },
  ];
  const file = join(folder, 'in.jsonl');
  const lines = [
    { episode_id: 'a', outcome: 1, messages },
    { episode_id: 'b', source: 'real_developer', messages },
  ];
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const store = join(folder, 's.db');
  const out = join(folder, 'out');
  await runCli(['import', '--in', file, '--store', store]);
  const first = await runCli(['export', '--store', store, '--out', out, '--no-score']);
  expect(first.code).toBe(0);
  expect(first.stderr).toContain('episode b was not released');
  expect(first.stdout).toContain('1 episodes with 2 turns, 1 without scores; 1 left out');
  const second = await runCli(['export', '--store', store, '--out', out, '--no-score', '--release', '--json']);
  expect(JSON.parse(second.stdout)).toMatchObject({ rows: 2, refused: [] });
  const third = await runCli(['export', '--store', store, '--out', out, '--no-score', '--json']);
  expect(JSON.parse(third.stdout)).toMatchObject({ rows: 2 });
});

interface Refusal {
  readonly name: string;
  readonly args: (at: ReturnType<typeof prepared>) => string[];
  readonly code: 1 | 2;
  readonly says: string;
}

const refusals: readonly Refusal[] = [
  {
    name: 'a store that is not there',
    args: ({ folder }) => ['export', '--store', join(folder, 'none.db'), '--out', join(folder, 'out'), '--no-score'],
    code: 1,
    says: 'none.db',
  },
  {
    name: 'a folder with other things in it',
    args: ({ folder, store, scores }) => ['export', '--store', store, '--out', folder, '--scores', scores],
    code: 2,
    says: 'choose another folder',
  },
  {
    name: 'a file that holds no scores',
    args: ({ folder, store }) => ['export', '--store', store, '--out', join(folder, 'out'), '--scores', store],
    code: 1,
    says: 'store.db:1',
  },
  {
    name: 'credit that contradicts itself',
    args: ({ folder, store, scores }) => {
      const flags = ['--pool-by', 'index', '--gate-on', 'info'];
      return ['export', '--store', store, '--out', join(folder, 'out'), '--scores', scores, ...flags];
    },
    code: 2,
    says: '--pool-by index',
  },
  {
    name: 'a folder that is no dataset',
    args: ({ folder }) => ['verify', folder],
    code: 1,
    says: 'There is no dataset',
  },
  { name: 'a format that nobody knows', args: () => ['schema', 'nope'], code: 2, says: 'the formats are transcript' },
  { name: 'no folder', args: () => ['verify'], code: 2, says: 'dir' },
];

test.each(refusals)('$name: one sentence, exit $code, nothing written', async ({ args, code, says }) => {
  const at = prepared();
  const result = await runCli(args(at));
  expect(result.code).toBe(code);
  expect(result.stderr).toContain(says);
  expect(result.stdout).toBe('');
  expect(existsSync(join(at.folder, 'out'))).toBe(false);
  expect(existsSync(join(at.folder, 'none.db'))).toBe(false);
});

test('every listed format is a JSON Schema of that name', async () => {
  const listed = JSON.parse((await runCli(['schema', '--json'])).stdout) as { formats: string[] };
  expect(listed.formats).toEqual(
    expect.arrayContaining(['transcript', 'score', 'credit', 'episode', 'manifest', 'event']),
  );
  const plain = (await runCli(['schema'])).stdout;
  for (const name of listed.formats) {
    expect(plain).toContain(name);
    const printed = await runCli(['schema', name]);
    expect(JSON.parse(printed.stdout)).toMatchObject({
      title: name,
      $schema: expect.stringContaining('json-schema.org') as unknown,
    });
  }
});
