import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refuseKeys } from '../../src/cli/refuse-keys.ts';
import { serverProfileSchema } from '../../src/core/settings.ts';
import type { ProtocolServer } from '../backends/protocol/serve.ts';
import { startVllm } from '../backends/protocol/vllm.ts';
import { runCli } from '../cli/run-cli.ts';
import { refused, temporaryFolder } from '../store/temporary-store.ts';
import { commandLines } from './command-lines.ts';

/** Words that no rule knows for a secret: whoever keeps it out does so because it is the key. */
const KEY = 'sesame opens nothing';
const FLAGS = ['--api-key', '--key', '--token', '--password'];

let server: ProtocolServer;
beforeAll(async () => {
  server = await startVllm({ key: KEY, contextSize: 8000, nanEvery: 0 });
});
afterAll(() => server.close());

test.each([
  ...FLAGS.flatMap((flag) => [[[flag, KEY]], [[`${flag}=${KEY}`]]]),
  [['--url', 'https://me:sesame@gpu.example/v1']],
  [['--url=https://sesame@gpu.example/v1']],
])('a key on the command line is refused with what to do, and not repeated: %j', (words) => {
  const error = refused(() => {
    refuseKeys(['score', '--in', 'talks.jsonl', ...words]);
  });
  expect(error).toMatchObject({ fault: 'usage', reason: 'key_on_command_line' });
  expect(error.message).toMatch(/put it in an environment variable, and name that variable with --api-key-env\.$/);
  expect(error.message).not.toContain('sesame');
});

test('what only looks like it is let through', () => {
  refuseKeys(['score', '--api-key-env', 'KEY', '--tokenizer', 'hf:a/b', '--url', 'http://host:1/v1?user=a@b']);
  refuseKeys(['score', '--in', 'me@home.jsonl', '--', '--token', KEY]);
});

test('the command line refuses a key before anything is done', async () => {
  const { code, stdout, stderr } = await runCli([
    'score',
    '--in',
    'no-such-file',
    '--out',
    'nowhere',
    '--api-key',
    KEY,
  ]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^turnwise: --api-key would show a key to every program/);
  expect(stderr).not.toMatch(/sesame|no-such-file/);
});

test('a key is no part of an address in the settings, and a profile has no field for one', () => {
  const profile = { name: 'gpu', url: 'https://gpu.example/v1', model: 'm' };
  expect(serverProfileSchema.safeParse({ ...profile, url: 'https://sesame@gpu.example/v1' }).error?.message).toMatch(
    /Set Server Key/,
  );
  expect(Object.keys(serverProfileSchema.parse({ ...profile, apiKey: KEY, key: KEY, token: KEY }))).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/key|token$/i)]),
  );
});

test('the key of a server is in the environment and nowhere else: no file, no output, no command line', async () => {
  const home = temporaryFolder('keys');
  const places = Object.fromEntries(['home', 'cache', 'tmp'].map((name) => [name, join(home, name)]));
  for (const place of Object.values(places)) mkdirSync(place);
  const talks = join(home, 'talks.jsonl');
  const messages = ['Round a price.', 'Which rounding?', 'half up', 'x = 1'].map((content, at) => ({
    role: at % 2 === 0 ? 'user' : 'assistant',
    content,
  }));
  writeFileSync(talks, `${JSON.stringify({ episode_id: 'a', source: 'simulated', messages })}\n`);
  const store = join(home, 'store.db');
  const lines = commandLines();
  const run = (args: readonly string[], key = KEY): ReturnType<typeof runCli> =>
    runCli(args, {
      env: {
        ...{ GPU_KEY: key, HOME: places['home'] ?? '', XDG_CACHE_HOME: places['cache'] ?? '' },
        ...{ TMPDIR: places['tmp'] ?? '', TURNWISE_DEBUG: '1' },
      },
      onStart: (child) => {
        lines.watch(child);
      },
    });
  const at = ['--backend', 'vllm', '--url', `${server.url}/v1`, '--api-key-env', 'GPU_KEY'];
  const runs = [
    await run(['import', '--in', talks, '--store', store]),
    await run(['score', '--store', store, ...at]),
    await run(['score', '--in', talks, '--out', join(home, 'scores.jsonl'), ...at, '--json']),
    // A key that is refused is not told either.
    await run(['score', '--in', talks, '--out', join(home, 'other.jsonl'), ...at], `${KEY} else`),
    await run(['export', '--store', store, '--out', join(home, 'dataset'), ...at]),
  ];
  expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 1, 0]);
  expect(runs[3]?.stderr).toMatch(/key/);
  const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(8);
  for (const { parentPath, name } of files) {
    expect(readFileSync(join(parentPath, name)).includes(KEY), join(parentPath, name)).toBe(false);
  }
  for (const { stdout, stderr } of runs) expect(stdout + stderr).not.toContain(KEY);
  if (process.platform !== 'linux') return;
  const seen = lines.seen();
  expect(seen.some((line) => line.includes('GPU_KEY'))).toBe(true);
  expect(seen.filter((line) => line.includes(KEY))).toEqual([]);
});
