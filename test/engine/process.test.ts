import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { bundledModel, startEngine } from '../../src/app/engine-process.ts';
import { openChat } from '../../src/backends/chat.ts';
import { openEngineBackend } from '../../src/backends/engine.ts';
import type { ChatEvent } from '../../src/core/backend.ts';
import { ENGINE_ENTRY, startToy } from './model.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwise-process-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 50)); // the test's own timeout ends it
}

test.each([
  ['no such file', join(folder, 'none.gguf'), 'model_not_found'],
  ['a file of another kind', file('text.gguf', 'once upon a time'), 'model_unreadable'],
  ['a GGUF that ends in its header', file('short.gguf', 'GGUF'), 'model_unreadable'],
  [
    'a GGUF without its weights',
    file('torn.gguf', readFileSync(bundledModel()).subarray(0, 200_000)),
    'model_unreadable',
  ],
])('%s is told in one sentence', async (_, modelPath, reason) => {
  const start = startEngine({ modelPath, entry: ENGINE_ENTRY });
  await expect(start).rejects.toMatchObject({ name: 'TurnwiseError', reason });
  await expect(start).rejects.toThrow(/^[^\n]+$/);
});

test('a program that dies at once is quoted with its last words', async () => {
  const entry = file('dies.mjs', "console.error('no libstdc++ here'); process.exit(3);");
  await expect(startEngine({ entry })).rejects.toMatchObject({
    reason: 'engine_died',
    message: expect.stringContaining('no libstdc++ here') as string,
  });
});

test('a program that says something else is not taken for an engine', async () => {
  const entry = file('talks.mjs', "console.log('hello'); setInterval(() => 0, 1000);");
  await expect(startEngine({ entry })).rejects.toMatchObject({ reason: 'engine_died' });
});

test('a program that says nothing is given up, and ended', async () => {
  const pidFile = join(folder, 'pid');
  const entry = file(
    'silent.mjs',
    `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); process.on('SIGTERM', () => 0); setInterval(() => 0, 1000);`,
  );
  await expect(startEngine({ entry, timeoutMs: 3000 })).rejects.toMatchObject({ reason: 'engine_timeout' });
  await eventually(() => existsSync(pidFile));
  const pid = Number(readFileSync(pidFile, 'utf8'));
  await eventually(() => !lives(pid));
});

test('a start can be interrupted', async () => {
  const interrupting = new AbortController();
  const start = startEngine({ entry: ENGINE_ENTRY, signal: interrupting.signal });
  interrupting.abort();
  await expect(start).rejects.toMatchObject({ reason: 'aborted' });
});

test('closing ends the process and removes the token, twice if need be', async () => {
  const engine = await startToy();
  expect(lives(engine.pid)).toBe(true);
  await engine.close();
  await engine.close();
  expect(lives(engine.pid)).toBe(false);
  expect(existsSync(engine.tokenFile)).toBe(false);
});

test('an engine that is killed in the middle of a request is a named error, and later requests say so', async () => {
  const engine = await startToy();
  try {
    const backend = openEngineBackend(engine);
    const chat = openChat({ url: engine.url, apiKey: engine.token, model: null, name: 'engine' });
    await backend.facts();
    const ids = Array.from({ length: 4000 }, (_, k) => 5 + (k % 300));
    const scoring = backend.score([{ ids, from: 1, to: 4000 }], {
      onProgress: () => process.kill(engine.pid, 'SIGKILL'),
    });
    await expect(scoring).rejects.toMatchObject({ fault: 'backend', reason: 'connection_lost' });
    await expect(backend.tokenize(['x'])).rejects.toMatchObject({ fault: 'backend', reason: 'unreachable' });
    const sampling = { temperature: 1, top_p: 1, top_k: null, seed: 1, max_tokens: 5 };
    const events: ChatEvent[] = [];
    for await (const event of chat.stream([{ role: 'user', content: 'hi' }], { sampling })) events.push(event);
    expect(events).toMatchObject([{ type: 'failed', reason: 'unreachable', partial: '' }]);
  } finally {
    await engine.close();
  }
  expect(existsSync(engine.tokenFile)).toBe(false);
});

test('an engine ends with the process that started it', async () => {
  const parent = file(
    'parent.ts',
    `import { startEngine } from ${JSON.stringify(join(import.meta.dirname, '../../src/app/engine-process.ts'))};
     const engine = await startEngine({ entry: ${JSON.stringify(ENGINE_ENTRY)}, threads: 1 });
     console.log(JSON.stringify({ pid: engine.pid, tokenFile: engine.tokenFile }));
     setInterval(() => 0, 1000);`,
  );
  const child = spawn(process.execPath, [parent], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise<string>((resolve) => {
    child.stdout.setEncoding('utf8').once('data', resolve);
  });
  const { pid, tokenFile } = JSON.parse(line) as { pid: number; tokenFile: string };
  expect(lives(pid)).toBe(true);
  child.kill('SIGKILL');
  await eventually(() => !lives(pid));
  expect(existsSync(tokenFile)).toBe(false);
});
