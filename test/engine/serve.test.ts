import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const CLI = join(import.meta.dirname, '../../dist/cli.js');

async function run(
  args: readonly string[],
  onLine: (line: string, pid: number) => void = () => undefined,
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [CLI, 'serve', '--threads', '1', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    if (text.includes('\n')) onLine(out, child.pid ?? 0);
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out, err };
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  'serve prints one line when it is ready, and %s ends it cleanly',
  async (signal) => {
    const asked: Promise<number>[] = [];
    const { code, out } = await run([], (line, pid) => {
      const { url, token_file: tokenFile } = JSON.parse(line) as { url: string; token_file: string };
      const headers = { authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` };
      const answer = fetch(`${url}/health`, { headers })
        .then((response) => response.status)
        .finally(() => process.kill(pid, signal));
      asked.push(answer);
    });
    expect(await Promise.all(asked)).toEqual([200]);
    expect(code).toBe(0);
    const said = JSON.parse(out) as { token_file: string; pid: number; model_sha: string };
    expect(Object.keys(said)).toEqual(['url', 'token_file', 'pid', 'model_sha']);
    expect(said.model_sha).toMatch(/^[0-9a-f]{64}$/);
    expect(existsSync(said.token_file)).toBe(false);
    expect(() => process.kill(said.pid, 0)).toThrow();
  },
);

test.each([
  [['--model', 'none.gguf'], 1, /none\.gguf.*check the path/],
  [['--port', 'x'], 2, /whole number/],
])('%j is refused', async (args, code, words) => {
  const refused = await run(args);
  expect(refused.code).toBe(code);
  expect(refused.err).toMatch(words);
  expect(refused.out).toBe('');
});
