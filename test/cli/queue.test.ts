import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { openJournal } from '../../src/store/journal.ts';
import { temporaryFolder, temporaryStore } from '../store/temporary-store.ts';
import { eventually } from '../eventually.ts';
import { runCli } from './run-cli.ts';

const row = (id: string, name: string): object => ({
  episode_id: id,
  messages: [
    { role: 'user', content: 'Average a list of numbers. give it a good name.' },
    { role: 'assistant', content: 'Which name do you want?' },
    { role: 'user', content: name },
    { role: 'assistant', content: `Noted: call it ${name}.\nI WANT TO ANSWER:\ndef ${name}(xs):\n    return 1\n` },
  ],
});

/** A store with conversations that nobody has scored. */
async function store(...rows: readonly object[]): Promise<string> {
  const path = temporaryStore();
  await add(path, ...rows);
  return path;
}

async function add(path: string, ...rows: readonly object[]): Promise<void> {
  const file = join(temporaryFolder('rows'), 'rows.jsonl');
  writeFileSync(file, rows.map((one) => `${JSON.stringify(one)}\n`).join(''));
  const { code, stderr } = await runCli(['import', '--in', file, '--store', path]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}

const reportSchema = z.object({
  paused_since: z.string().nullable(),
  counts: z.record(z.string(), z.int()),
  changed: z.int().nullable(),
});
async function queue(path: string, ...flags: readonly string[]): Promise<z.infer<typeof reportSchema>> {
  const { stdout, stderr } = await runCli(['queue', '--store', path, '--json', ...flags]);
  expect(stderr).toBe('');
  return reportSchema.parse(JSON.parse(stdout));
}

test('what is unscored in a store is scored once, and says so a line per conversation', async () => {
  const path = await store(row('a', 'load_share'), row('b', 'plan_name'));
  const first = await runCli(['score', '--store', path]);
  expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' });
  expect(first.stdout).toMatch(/scored {2}1 gain , mean \+\d\.\d{3} nats, \d+\.\d s {2}[ab]\n/);
  expect(first.stdout).toMatch(/2 conversations scored, 2 gains, \d+ tokens evaluated\n$/);
  expect((await queue(path)).counts).toMatchObject({ scored: 2, queued: 0, failed: 0 });
  expect((await runCli(['score', '--store', path])).stdout).toMatch(/ 0 conversations scored/);

  // Other options: both scorings are kept, and can be compared.
  const other = await runCli(['score', '--store', path, '--estimator', 'shift_sum', '--json']);
  expect(other.stdout.trim().split('\n')).toHaveLength(3);
  const compared = await runCli(['compare', '--store', path, '--json']);
  expect(JSON.parse(compared.stdout)).toMatchObject({ turns: 2, only_a: 0, only_b: 0, sign_flips: 0 });
});

test('a paused queue is said and left alone; what is cancelled stays so until it is asked for again', async () => {
  const path = await store(row('a', 'load_share'));
  await queue(path, '--pause');
  const paused = await runCli(['score', '--store', path]);
  expect(paused.code).toBe(2);
  expect(paused.stderr).toMatch(/queue of this store is paused/);
  expect((await queue(path, '--cancel', 'all')).changed).toBe(1);
  const resumed = await queue(path, '--resume');
  expect(resumed).toMatchObject({ paused_since: null, counts: { cancelled: 1, scored: 0 } });
  expect((await runCli(['score', '--store', path])).stdout).toMatch(/ 0 conversations scored/);
  expect((await queue(path, '--retry', 'cancelled')).changed).toBe(1);
  expect((await runCli(['score', '--store', path])).stdout).toMatch(/ 1 conversation scored/);
});

test('--watch scores what is said next, and Ctrl-C ends it and gives its jobs back', async () => {
  const path = await store(row('a', 'load_share'));
  let child: Parameters<NonNullable<Parameters<typeof runCli>[1]>['onStart'] & object>[0] | undefined;
  const run = runCli(['score', '--store', path, '--watch'], { onStart: (started) => (child = started) });
  const journal = openJournal(path, { readOnly: true });
  const scored = (): number => journal.queue.jobs().filter(({ state }) => state === 'scored').length;
  await eventually(() => {
    expect(scored()).toBe(1);
  });
  await add(path, row('b', 'plan_name'));
  await eventually(() => {
    expect(scored()).toBe(2);
  });
  child?.kill('SIGINT');
  const { code, stdout, stderr } = await run;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/watching; 1 can be scored so far/);
  expect(stdout).toMatch(/2 conversations scored/);
  journal.close();
});

test.each([
  [['score'], /Say what to score/],
  [['score', '--store', 'nowhere.db'], /no store at nowhere\.db/],
  [['queue', '--store', 'nowhere.db'], /no store at nowhere\.db/],
  [['queue', '--store', 'nowhere.db', '--pause', '--resume'], /contradict/],
  [['score', '--store', 'nowhere.db', '--noise', '2'], /--noise does not go with --store/],
  [['compare', 'one.jsonl'], /two files/],
])('%j is refused in a sentence, and nothing is made', async (args, words) => {
  const folder = temporaryFolder('none');
  const { code, stdout, stderr } = await runCli(args, { cwd: folder });
  expect(code).not.toBe(0);
  expect(stdout).toBe('');
  expect(stderr).toMatch(words);
  expect(existsSync(join(folder, 'nowhere.db'))).toBe(false);
});

test('an episode that is in no queue cannot be cancelled; a server that is not there is one error, not one for each', async () => {
  const path = await store(row('a', 'load_share'), row('b', 'plan_name'));
  const none = await runCli(['queue', '--store', path, '--cancel', 'nobody']);
  expect(none).toMatchObject({ code: 2, stdout: '' });
  expect(none.stderr).toMatch(/No job of the queue is for the episode nobody/);
  const server = ['--url', 'http://127.0.0.1:9', '--api-key-env', 'TOKEN'];
  const gone = await runCli(['score', '--store', path, ...server], { env: { TOKEN: 'x' } });
  expect(gone.code).toBe(1);
  expect(gone.stderr.trim().split('\n')).toHaveLength(1);
  expect((await queue(path)).counts).toMatchObject({ queued: 0, failed: 0 });
});
