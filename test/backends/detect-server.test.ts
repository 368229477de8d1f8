import { afterEach, describe, expect, test } from 'vitest';
import { detectServer, whyNoEcho } from '../../src/backends/detect-server.ts';
import { scorerOf, serverUrl, suggestedName } from '../../src/core/server-probe.ts';
import { sendJson, startProtocolServer } from './protocol-server.ts';
import { startCompletions } from './protocol/completions.ts';
import { startLlamaServer } from './protocol/llama-server.ts';
import { NOT_REAL } from './protocol/serve.ts';
import { startSglang } from './protocol/sglang.ts';
import { startVllm } from './protocol/vllm.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});
const kept = <T extends { close(): Promise<void> }>(server: T): T => {
  running.push(server);
  return server;
};

/** Servers that chat and do nothing else here: what they answer, by path. */
const talker = async (routes: Readonly<Record<string, unknown>>, key: string | null = null) =>
  kept(
    await startProtocolServer((request, response) => {
      const body = routes[request.url ?? ''];
      if (key !== null && request.headers.authorization !== `Bearer ${key}`) {
        sendJson(response, 401, { error: { message: 'Incorrect API key provided' } });
      } else if (body === undefined) sendJson(response, 404, { error: { message: 'no such route' } });
      else sendJson(response, 200, body);
    }),
  );
const models = (...ids: string[]) => ({ object: 'list', data: ids.map((id) => ({ id, object: 'model' })) });

describe(`what answers at an address (${NOT_REAL})`, () => {
  test.each([
    ['vllm', startVllm],
    ['sglang', startSglang],
    ['llama-server', startLlamaServer],
    ['openai', startCompletions],
  ] as const)('%s is told by its routes, and its models are listed', async (kind, start) => {
    const { url } = kept(await start({}));
    const found = await detectServer({ url: `${url}/v1`, apiKey: null });
    expect(found).toMatchObject({ kind, wantsKey: false });
    expect(found.models.length).toBeGreaterThan(0);
  });

  test('Ollama is told by its version, and chats only', async () => {
    const { url } = await talker({ '/v1/models': models('qwen3:8b', 'llama3.2'), '/api/version': { version: '0.12' } });
    const found = await detectServer({ url: `${url}/v1`, apiKey: null });
    expect(found).toEqual({ kind: 'ollama', models: ['qwen3:8b', 'llama3.2'], wantsKey: false });
    expect(scorerOf(found.kind)).toBe('none');
  });

  test('a key is asked for only where the server wants one, and a wrong one is wanted anew', async () => {
    const { url } = await talker({ '/v1/models': models('gpt-x') }, 'right-key');
    expect(await detectServer({ url, apiKey: null })).toEqual({ kind: 'openai', models: [], wantsKey: true });
    expect(await detectServer({ url, apiKey: 'wrong-key' })).toMatchObject({ wantsKey: true });
    expect(await detectServer({ url, apiKey: 'right-key' })).toMatchObject({ models: ['gpt-x'], wantsKey: false });
  });

  test('where nobody answers, or something else does, that is said', async () => {
    await expect(detectServer({ url: 'http://127.0.0.1:9/v1', apiKey: null })).rejects.toMatchObject({
      reason: 'unreachable',
    });
    const { url } = await talker({ '/v1/models': 'hello' });
    await expect(detectServer({ url, apiKey: null })).rejects.toMatchObject({ reason: 'malformed_answer' });
  });

  test('a server of no known kind is asked whether it can score, with a made-up text', async () => {
    const echoes = kept(await startCompletions({}));
    const [model = ''] = (await detectServer({ url: echoes.url, apiKey: null })).models;
    expect(await whyNoEcho({ url: echoes.url, apiKey: null, model })).toBeNull();
    const chats = await talker({ '/v1/completions': { choices: [{ text: 'Hi', logprobs: null }] } });
    expect(await whyNoEcho({ url: chats.url, apiKey: null, model: 'm' })).toMatch(/ignores "echo"/);
    const refuses = await talker({});
    expect(await whyNoEcho({ url: refuses.url, apiKey: null, model: 'gpt-x' })).not.toBeNull();
  });
});

test.each([
  ['localhost:11434', 'http://localhost:11434/v1'],
  ['https://api.openai.com', 'https://api.openai.com/v1'],
  [' http://127.0.0.1:8000/v1/ ', 'http://127.0.0.1:8000/v1'],
  ['http://gpu/v1/chat/completions', 'http://gpu/v1'],
  ['https://host.example/proxy/v1', 'https://host.example/proxy/v1'],
  ['ftp://host', null],
  ['https://name:word@host/v1', null],
  ['', null],
  ['http://', null],
  ['two words', null],
])('%j is meant as %j', (text, expected) => {
  expect(serverUrl(text)).toBe(expected);
});

test('a name is suggested that can be used and is not taken', () => {
  expect(suggestedName('vllm', 'http://127.0.0.1:8000/v1', new Set(['vllm']))).toBe('vllm-2');
  expect(suggestedName('openai', 'https://api.openai.com/v1', new Set())).toBe('openai');
  expect(suggestedName('openai', 'https://engine/v1', new Set())).toBe('server');
  expect(suggestedName('openai', 'http://[::1]:80/v1', new Set())).toMatch(/^[A-Za-z0-9]/);
});
