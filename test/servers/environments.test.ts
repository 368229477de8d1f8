import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ensureEnvironment, withLock } from './environments.ts';

let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'turnwise-cache-'));
  vi.stubEnv('XDG_CACHE_HOME', cache);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true, force: true });
});

const silent = (): void => undefined;
/** Of a process that has ended: no kernel gives out numbers of this size. */
const NOBODY = 2 ** 30;

test.runIf(process.platform === 'linux' && process.arch === 'x64')(
  'without Python, or with one that cannot make environments, a server is missing with a reason, and nothing is left behind',
  async () => {
    vi.stubEnv('PYTHON', 'no-such-python');
    expect(await ensureEnvironment('llama-server', silent)).toEqual({
      missing: expect.stringMatching(/no-such-python.*install Python 3\.10/) as string,
    });
    vi.stubEnv('PYTHON', 'false');
    expect(await ensureEnvironment('vllm', silent)).toMatchObject({ missing: expect.any(String) as string });
    expect(existsSync(join(cache, 'turnwise/servers/vllm.lock'))).toBe(false);
  },
);

test('one at a time, and the lock of a process that died is taken', async () => {
  const file = join(cache, 'x.lock');
  await writeFile(file, String(NOBODY));
  const order: string[] = [];
  const work = (name: string) => async () => {
    order.push(`${name} in`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    order.push(`${name} out`);
    return name;
  };
  const both = await Promise.all([withLock(file, silent, work('a')), withLock(file, silent, work('b'))]);
  expect(both).toEqual(['a', 'b']);
  expect(order).toHaveLength(4);
  expect(order[0]?.[0]).toBe(order[1]?.[0]);
  expect(existsSync(file)).toBe(false);
});

test('a lock is given back when the work fails', async () => {
  const file = join(cache, 'x.lock');
  const failing = withLock(file, silent, async () => {
    expect(await readFile(file, 'utf8')).toBe(String(process.pid));
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(existsSync(file)).toBe(false);
});
