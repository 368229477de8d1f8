import { expect, test } from 'vitest';
import { openServers } from '../../src/backends/open.ts';

const started: unknown[] = [];
let closed = 0;
const servers = openServers(
  (options) => {
    started.push(options);
    return Promise.resolve({
      url: 'http://127.0.0.1:1',
      token: 't',
      close: () => {
        closed += 1;
        return Promise.resolve();
      },
    });
  },
  { KEY: 'secret', EMPTY: ' ' },
  'nowhere',
);

test.each([
  [{ backend: 'engin' }, 'usage', 'unknown_backend'],
  [{ backend: 'openai' }, 'unsupported', 'cannot_score'],
  [{ backend: 'none' }, 'unsupported', 'cannot_score'],
  [{ backend: 'engine', url: 'http://127.0.0.1:1' }, 'usage', 'missing_key'],
  [{ backend: 'engine', url: 'http://127.0.0.1:1', apiKeyEnv: 'EMPTY' }, 'usage', 'missing_key'],
  [{ backend: 'engine', url: 'http://127.0.0.1:1', apiKeyEnv: 'NONE' }, 'usage', 'missing_key'],
])('%j is refused, and nothing is started', async (choice, fault, reason) => {
  await expect(servers.openScorer(choice)).rejects.toMatchObject({ fault, reason });
  await expect(servers.openEngine(choice)).rejects.toMatchObject({ fault, reason });
  expect(started).toEqual([]);
});

test.each([
  [{ backend: 'vllm' }, 'usage', 'missing_url'],
  [{ backend: 'sglang', url: '127.0.0.1:1' }, 'usage', 'missing_url'],
  [{ backend: 'vllm', url: 'http://127.0.0.1:1', apiKeyEnv: 'EMPTY' }, 'usage', 'missing_key'],
  [{ backend: 'vllm', url: 'http://127.0.0.1:1', tokenizer: 'hf:name' }, 'usage', 'bad_tokenizer_reference'],
])('%j is refused before anything is asked', async (choice, fault, reason) => {
  await expect(servers.openScorer(choice)).rejects.toMatchObject({ fault, reason });
});

test.each(['vllm', 'sglang', 'llama-server', 'openai-completions'] as const)(
  'a %s is opened by its kind, with or without a key, and connected when it is first asked',
  async (backend) => {
    for (const apiKeyEnv of [undefined, 'KEY']) {
      const scorer = await servers.openScorer({ backend, url: 'http://127.0.0.1:1', apiKeyEnv });
      expect(scorer.name).toBe(backend);
      await expect(scorer.facts()).rejects.toMatchObject({ reason: 'unreachable' });
      await scorer.close();
    }
    await expect(servers.openEngine({ backend })).rejects.toMatchObject({ reason: 'engine_only' });
    expect(started).toEqual([]);
  },
);

test('a running engine is used as it is, and left running', async () => {
  const choice = { backend: 'engine', url: 'http://127.0.0.1:1', apiKeyEnv: 'KEY' };
  await (await servers.openScorer(choice)).close();
  expect(started).toEqual([]);
  expect(closed).toBe(0);
});

test('without an address one is started, and ends with its backend', async () => {
  const scorer = await servers.openScorer({ backend: 'engine', model: 'own.gguf' });
  expect(started).toEqual([{ modelPath: 'own.gguf' }]);
  await scorer.close();
  expect(closed).toBe(1);
});
