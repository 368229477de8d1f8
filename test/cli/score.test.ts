import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { scoredEpisodeSchema } from '../../src/core/scored-episode.ts';
import { z } from 'zod';
import { CLI, runCli } from './run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwise-score-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const conversation = (id: string, extra: object = {}): object => ({
  episode_id: id,
  group_id: 'mean',
  outcome: 1,
  messages: [
    { role: 'user', content: 'Average a list of numbers. Mind missing values.' },
    { role: 'assistant', content: 'How should missing values be treated?' },
    { role: 'user', content: 'skip them' },
    { role: 'assistant', content: 'Noted: skip them. And how many decimals?' },
    { role: 'user', content: '2 decimals' },
    { role: 'assistant', content: 'Noted: 2 decimals.\nI WANT TO ANSWER:\ndef solve(xs):\n    return 1\n' },
  ],
  ...extra,
});

function file(name: string, rows: readonly (object | string)[]): string {
  const path = join(folder, name);
  writeFileSync(path, rows.map((row) => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`).join(''));
  return path;
}

const lines = (path: string): unknown[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));

describe('turnwise score with the real engine', () => {
  test('scores every turn that has a next action, at the causal limit', async () => {
    const input = file('two.jsonl', [conversation('a'), conversation('b', { outcome: null, mine: 7 })]);
    const out = join(folder, 'two.scores.jsonl');
    const { code, stdout, stderr } = await runCli(['score', '--in', input, '--out', out, '--noise', '1', '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const rows = lines(out).map((row) => scoredEpisodeSchema.parse(row));
    expect(rows.map((row) => [row.episode_id, row.group_id, row.outcome])).toEqual([
      ['a', 'mean', 1],
      ['b', 'mean', null],
    ]);
    for (const row of rows) {
      expect(row.turns.map((turn) => turn.null_reason)).toEqual([null, null, 'no_next_action']);
      expect(row.tokens_evaluated).toBeGreaterThan(0);
      // One machine, one model, no flash attention: the same pair twice is the same number.
      expect(row.turns[0]?.noise).toBe(0);
      expect(row.turns[0]?.logp_factual).toHaveLength(row.turns[1]?.tokens ?? 0);
    }
    expect(rows[0]?.tokens_evaluated).toBe(rows[0]?.tokens_limit);
    const summary: unknown = JSON.parse(stdout);
    expect(summary).toMatchObject({ episodes: 2, turns: 6, gains_defined: 4, null_reasons: { no_next_action: 2 } });
  });

  test('--plan prints what would be scored, and what it costs', async () => {
    const input = file('plan.jsonl', [conversation('a')]);
    const { code, stdout } = await runCli(['score', '--in', input, '--plan']);
    expect(code).toBe(0);
    const printed = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const total = printed.pop();
    expect(printed.map((line) => [line['turn'], line['kind']])).toEqual([
      [0, 'factual'],
      [0, 'masked'],
      [1, 'factual'],
      [1, 'masked'],
    ]);
    const ids = printed.map((line) => line['ids'] as number[]);
    expect(total).toMatchObject({ sequences: 4, tokens: ids.reduce((sum, list) => sum + list.length, 0) });
    // The limit, counted the slow way: distinct prefixes of all sequences, each without its last token.
    const prefixes = new Set(ids.flatMap((list) => list.slice(0, -1).map((_, k) => list.slice(0, k + 1).join(' '))));
    expect(total?.['limit']).toBe(prefixes.size);
  });
});

describe('bad input is one sentence, and nothing half-written', () => {
  const out = join(folder, 'never.jsonl');
  const refused = async (
    args: readonly string[],
    code: number,
    words: RegExp,
    env: Readonly<Record<string, string>> = {},
  ): Promise<void> => {
    const result = await runCli(['score', '--out', out, ...args], { env });
    expect(result.stderr).toMatch(words);
    expect(result.stderr.trim().split('\n').length).toBeLessThan(4);
    expect(result.code).toBe(code);
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  };

  test('a file that is not there', () =>
    refused(['--in', join(folder, 'nowhere.jsonl')], 1, /Cannot read .*nowhere\.jsonl/));

  test('a line that is not JSON', () =>
    refused(
      ['--in', file('torn.jsonl', [conversation('a'), '{"episode_id": "b", "mess'])],
      1,
      /torn\.jsonl:2: not valid JSON/,
    ));

  test('an outcome outside [0, 1]', () =>
    refused(['--in', file('outcome.jsonl', [conversation('a', { outcome: 1.5 })])], 1, /outcome\.jsonl:1: outcome/));

  test('a duplicate id', () =>
    refused(['--in', file('twice.jsonl', [conversation('a'), conversation('a')])], 1, /twice\.jsonl:2: .*line 1/));

  test('an empty file', () => refused(['--in', file('empty.jsonl', [])], 1, /holds no conversation/));

  test('a role that no template knows', () =>
    refused(
      ['--in', file('role.jsonl', [{ episode_id: 'a', messages: [{ role: 'robot', content: 'x' }] }])],
      1,
      /role\.jsonl:1: messages\.0\.role/,
    ));

  test('a model file that is not there', () =>
    refused(['--in', file('ok.jsonl', [conversation('a')]), '--model', join(folder, 'no.gguf')], 1, /no\.gguf/));

  test('a model file that is no model', () => {
    const broken = join(folder, 'broken.gguf');
    writeFileSync(broken, 'GGUF, but not really');
    return refused(['--in', file('ok.jsonl', [conversation('a')]), '--model', broken], 1, /broken\.gguf/);
  });

  test('a server that is not there', () =>
    refused(
      ['--in', file('ok.jsonl', [conversation('a')]), '--url', 'http://127.0.0.1:9', '--api-key-env', 'TEST_TOKEN'],
      1,
      /127\.0\.0\.1:9/,
      { TEST_TOKEN: 'x' },
    ));

  test('a server whose key is nowhere', () =>
    refused(
      ['--in', file('ok.jsonl', [conversation('a')]), '--url', 'http://127.0.0.1:9', '--api-key-env', 'NO_SUCH_KEY'],
      2,
      /NO_SUCH_KEY is not set/,
    ));

  test('a flag that does not exist', () => refused(['--in', 'x', '--fast'], 2, /unknown option '--fast'/));

  test('an estimator that does not exist', () => refused(['--in', 'x', '--estimator', 'k4'], 2, /Allowed choices/));

  test('a tokenizer that nobody asked for', () =>
    refused(['--in', file('ok.jsonl', [conversation('a')]), '--tokenizer', folder], 2, /leave --tokenizer out/));

  test('a server that only chats', () =>
    refused(['--in', file('ok.jsonl', [conversation('a')]), '--backend', 'openai'], 1, /can chat but not score/));

  test('an engine that is killed while it scores', async () => {
    const many = file(
      'many.jsonl',
      Array.from({ length: 400 }, (_, k) => conversation(`e${k}`)),
    );
    const engine = spawn(process.execPath, [CLI, 'serve'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(engine.stdout, 'data')) as [Buffer];
    const ready = z.object({ url: z.string(), pid: z.int(), token_file: z.string() }).parse(JSON.parse(String(line)));
    const token = readFileSync(ready.token_file, 'utf8').trim();
    try {
      const scoring = refused(
        ['--in', many, '--url', ready.url, '--api-key-env', 'ENGINE_TOKEN'],
        1,
        /went away in the middle of its answer|does not answer/,
        { ENGINE_TOKEN: token },
      );
      // Far fewer than 400 conversations fit into the time before the kill.
      await sleep(2500);
      process.kill(ready.pid, 'SIGKILL');
      await scoring;
    } finally {
      engine.kill('SIGTERM');
    }
  });

  test('a backend that does not exist', () =>
    refused(['--in', file('ok.jsonl', [conversation('a')]), '--backend', 'magic'], 2, /magic/));
});

test('no gain at all is a failure that says why, and the rows are kept', async () => {
  const input = file('lonely.jsonl', [
    {
      episode_id: 'a',
      messages: [
        { role: 'user', content: 'Hi.' },
        { role: 'assistant', content: 'Hello.' },
      ],
    },
  ]);
  const out = join(folder, 'lonely.scores.jsonl');
  const { code, stderr } = await runCli(['score', '--in', input, '--out', out]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/No turn has a defined gain \(no_next_action 1x\)/);
  expect(lines(out)).toHaveLength(1);
});
