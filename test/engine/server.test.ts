import { statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningEngine } from '../../src/app/engine-process.ts';
import { openEngineBackend } from '../../src/backends/engine.ts';
import { openChat } from '../../src/backends/chat.ts';
import type { Backend, ChatEvent, Sampling, ScoreSequence } from '../../src/core/backend.ts';
import { causalLimit } from '../../src/core/plan/trie.ts';
import { renderChat } from '../../src/core/render-chat.ts';
import { startToy } from './model.ts';

const CONTEXT = 512;
const messages = [{ role: 'user' as const, content: 'Average a list.' }];
const sampling: Sampling = { temperature: 1, top_p: 1, top_k: null, seed: 7, max_tokens: 24 };

let engine: RunningEngine;
let backend: Backend;

beforeAll(async () => {
  engine = await startToy({ contextSize: CONTEXT });
  backend = openEngineBackend(engine);
});
afterAll(() => engine.close());

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

async function post(path: string, body: unknown, token = engine.token): Promise<Answer> {
  const response = await fetch(engine.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

const codeOf = ({ status, json }: Answer): unknown[] => [status, (json['error'] as { code: string }).code];

async function talk(options: Partial<Sampling> = {}, signal?: AbortSignal): Promise<ChatEvent[]> {
  const chat = openChat({ url: engine.url, apiKey: engine.token, model: null, name: 'engine' });
  const events: ChatEvent[] = [];
  const how = { sampling: { ...sampling, ...options }, ...(signal ? { signal } : {}) };
  for await (const event of chat.stream(messages, how)) events.push(event);
  return events;
}

describe('who may come in', () => {
  test('nobody without the token, on any route', async () => {
    for (const path of ['/score', '/v1/chat/completions', '/nowhere']) {
      expect(codeOf(await post(path, {}, 'x'.repeat(64)))).toEqual([401, 'unauthorized']);
    }
    const bare = await fetch(`${engine.url}/v1/models`);
    expect(bare.status).toBe(401);
    expect(await bare.text()).not.toContain(engine.token);
  });

  test('the token file is for its owner alone', () => {
    expect(statSync(engine.tokenFile).mode & 0o077).toBe(0);
  });
});

describe('hostile bodies', () => {
  const ids = [5, 6, 7, 8];
  test.each([
    ['/score', '', 400, 'malformed_json'],
    ['/score', '[1,2', 400, 'malformed_json'],
    ['/score', 'null', 400, 'invalid_request'],
    ['/score', {}, 400, 'invalid_request'],
    ['/score', { sequences: [{ ids, from: 0, to: 2 }] }, 400, 'invalid_request'],
    ['/score', { sequences: [{ ids, from: 3, to: 2 }] }, 400, 'invalid_request'],
    ['/score', { sequences: [{ ids, from: 1, to: 5 }] }, 400, 'invalid_request'],
    ['/score', { sequences: [{ ids: [5, -1], from: 1, to: 2 }] }, 400, 'invalid_request'],
    ['/score', { sequences: [{ ids: [5, 1.5], from: 1, to: 2 }] }, 400, 'invalid_request'],
    ['/score', { sequences: [{ ids: [5, 2 ** 31], from: 1, to: 2 }] }, 400, 'unknown_token'],
    ['/score', { sequences: [{ ids: new Array(CONTEXT + 1).fill(5), from: 1, to: 2 }] }, 400, 'too_long'],
    ['/v1/chat/completions', { messages: [] }, 400, 'invalid_request'],
    ['/v1/chat/completions', { messages: [{ role: 'root', content: '' }] }, 400, 'invalid_request'],
    ['/v1/chat/completions', { messages, temperature: -1 }, 400, 'invalid_request'],
    ['/v1/chat/completions', { messages, tools: [{ type: 'function' }] }, 400, 'invalid_request'],
    ['/v1/chat/completions', { messages, n: 2 }, 400, 'invalid_request'],
    ['/v1/chat/completions', { messages, model: 'gpt-9' }, 404, 'model_not_served'],
    ['/v1/chat/completions', { messages: [{ role: 'user', content: 'word '.repeat(2000) }] }, 400, 'too_long'],
    ['/v1/completions', { prompt: [], max_tokens: 1 }, 400, 'invalid_request'],
    ['/v1/completions', { prompt: [5], max_tokens: 0 }, 400, 'invalid_request'],
    ['/v1/completions', { prompt: [99_999_999] }, 400, 'unknown_token'],
    ['/tokenize', { text: 5 }, 400, 'invalid_request'],
    ['/detokenize', { tokens: [99_999_999] }, 400, 'unknown_token'],
    ['/nowhere', {}, 404, 'not_found'],
    ['/health', {}, 405, 'method_not_allowed'],
  ])('%s refuses case %#', async (path, body, status, code) => {
    expect(codeOf(await post(path, body))).toEqual([status, code]);
  });

  test('a sequence that is too long is refused with both lengths', async () => {
    const { json } = await post('/score', { sequences: [{ ids: new Array(CONTEXT + 9).fill(5), from: 1, to: 2 }] });
    expect(JSON.stringify(json)).toMatch(/521 .*512/);
  });

  test('a body beyond the limit is refused, and the engine lives on', async () => {
    expect(codeOf(await post('/tokenize', { text: 'x'.repeat(40 * 1024 * 1024) }))).toEqual([413, 'body_too_large']);
    expect(await backend.tokenize(['x'])).toHaveLength(1);
  });

  test('a sequence as long as the context is scored to its last token', async () => {
    const longest = { ids: Array.from({ length: CONTEXT }, (_, k) => 5 + (k % 50)), from: CONTEXT - 2, to: CONTEXT };
    expect((await backend.score([longest])).logprobs[0]).toHaveLength(2);
  });
});

describe('chat', () => {
  test('says exactly which tokens it saw and drew', async () => {
    const events = await talk();
    const last = events.at(-1);
    if (last?.type !== 'finished') throw new Error(`ended with ${last?.type ?? 'nothing'}`);
    const { record } = last;
    const facts = await backend.facts();
    const prompt = renderChat(facts.template, messages, { addGenerationPrompt: true });
    expect(record.prompt_ids).toEqual((await backend.tokenize([prompt]))[0]);
    const spoken = await backend.detokenize(record.ids ?? []);
    expect(spoken).toBe(record.finish === 'stop' ? `${record.text}<|im_end|>` : record.text);
    expect(events.flatMap((event) => (event.type === 'delta' ? [event.text] : [])).join('')).toBe(record.text);
    expect(record.model_revision).toBe(facts.identity.revision);
    expect(record.template_sha).toBe(facts.identity.template_sha);
    expect(record.logprobs_mode).toBe('raw');

    // At temperature 1 the behaviour log-probs are the model's own; other kernels, so not to the last bit.
    const ids = [...(record.prompt_ids ?? []), ...(record.ids ?? [])];
    const from = record.prompt_ids?.length ?? 0;
    const [scored] = (await backend.score([{ ids, from, to: ids.length }])).logprobs;
    expect(record.logprobs).toHaveLength(record.ids?.length ?? -1);
    record.logprobs?.forEach((value, k) => {
      expect(Math.abs(value - (scored?.[k] ?? Number.NaN))).toBeLessThan(0.05);
    });
  });

  test('the same seed gives the same answer, whatever was said and scored between', async () => {
    const once = await talk({ seed: 11 });
    await talk({ seed: 12, temperature: 0.7 });
    await backend.score([{ ids: [5, 6, 7, 8, 9], from: 1, to: 5 }]);
    const again = await talk({ seed: 11 });
    const recordOf = (events: ChatEvent[]): unknown => {
      const last = events.at(-1);
      return last?.type === 'finished' ? [last.record.ids, last.record.logprobs] : null;
    };
    expect(recordOf(again)).toEqual(recordOf(once));
    expect(recordOf(once)).not.toBeNull();
  });

  test('seeds differ, and truncated sampling says that its log-probs are not the model’s own', async () => {
    const answers = new Set<string>();
    for (const seed of [1, 2, 3, 4]) answers.add(JSON.stringify((await talk({ seed })).at(-1)));
    expect(answers.size).toBeGreaterThan(1);
    const last = (await talk({ temperature: 0.5, top_k: 5 })).at(-1);
    expect(last).toMatchObject({ type: 'finished', record: { logprobs_mode: 'processed' } });
  });

  test('in one piece it says the same as in a stream, and stops where it is told', async () => {
    const last = (await talk({ temperature: 0 })).at(-1);
    const text = last?.type === 'finished' ? last.record.text : '';
    const body = { messages, temperature: 0, max_tokens: 24 };
    const whole = await post('/v1/chat/completions', body);
    expect(whole.json).toMatchObject({ choices: [{ message: { content: text } }] });
    const stop = text.slice(4, 7);
    const cut = await post('/v1/chat/completions', { ...body, stop });
    expect(cut.json).toMatchObject({
      choices: [{ message: { content: text.slice(0, text.indexOf(stop)) }, finish_reason: 'stop' }],
    });
  });

  test('ends with length at max_tokens and at the end of the context', async () => {
    const short = (await talk({ max_tokens: 2, temperature: 0 })).at(-1);
    expect(short).toMatchObject({ type: 'finished', record: { finish: 'length' } });
    if (short?.type === 'finished') expect(short.record.ids).toHaveLength(2);
    const prompt = Array.from({ length: CONTEXT - 3 }, (_, k) => 5 + (k % 50));
    const { json } = await post('/v1/completions', { prompt, max_tokens: 50, return_token_ids: true });
    const [choice] = json['choices'] as [{ token_ids: number[] }];
    expect(choice.token_ids.length).toBeLessThanOrEqual(3);
  });

  test('stopping keeps what was said', async () => {
    const stopping = new AbortController();
    const chat = openChat({ url: engine.url, apiKey: engine.token, model: null, name: 'engine' });
    const how = { sampling: { ...sampling, max_tokens: 400, temperature: 2 }, signal: stopping.signal };
    const events: ChatEvent[] = [];
    for await (const event of chat.stream(messages, how)) {
      events.push(event);
      stopping.abort();
    }
    const last = events.at(-1);
    if (last?.type !== 'stopped') throw new Error(`ended with ${last?.type ?? 'nothing'}`);
    expect(last.record.text).not.toBe('');
    expect(last.record.finish).toBe('stopped');
    expect(last.record.ids?.length).toBeGreaterThan(0);
    expect(last.record.ids?.length).toBeLessThan(400);
    // The abandoned generation has let go of the engine.
    expect((await talk({ max_tokens: 1 })).at(-1)?.type).toBe('finished');
  });

  test('two clients at once both get the answer they get alone', async () => {
    const alone = [await talk({ seed: 1 }), await talk({ seed: 2 })];
    const plan: ScoreSequence[] = [{ ids: Array.from({ length: 300 }, (_, k) => 5 + (k % 90)), from: 1, to: 300 }];
    const scores = await backend.score(plan);
    const [first, second, busy] = await Promise.all([talk({ seed: 1 }), talk({ seed: 2 }), backend.score(plan)]);
    const idsOf = (events: ChatEvent[] | undefined): unknown => {
      const last = events?.at(-1);
      return last?.type === 'finished' ? last.record.ids : null;
    };
    expect(idsOf(first)).toEqual(idsOf(alone[0]));
    expect(idsOf(second)).toEqual(idsOf(alone[1]));
    expect(busy.logprobs).toEqual(scores.logprobs);
  });
});

describe('completions', () => {
  test('echo with max_tokens 0 scores a prompt as /score does', async () => {
    const [ids] = await backend.tokenize(['Average a list of numbers.']);
    const prompt = ids ?? [];
    const { json } = await post('/v1/completions', {
      prompt,
      echo: true,
      max_tokens: 0,
      logprobs: 0,
      prompt_logprobs: 0,
    });
    const [scored] = (await backend.score([{ ids: prompt, from: 1, to: prompt.length }])).logprobs;
    const [choice] = json['choices'] as [
      {
        text: string;
        logprobs: { token_logprobs: number[] };
        prompt_logprobs: (Record<string, { logprob: number }> | null)[];
      },
    ];
    expect(choice.text).toBe('Average a list of numbers.');
    expect(choice.logprobs.token_logprobs).toEqual([null, ...(scored ?? [])]);
    expect(choice.prompt_logprobs.map((row, k) => row?.[prompt[k] ?? -1]?.logprob ?? null)).toEqual([
      null,
      ...(scored ?? []),
    ]);
  });
});

describe('tokens', () => {
  test('messages are rendered and tokenized as the client renders them', async () => {
    const { template } = await backend.facts();
    const { json } = await post('/tokenize', { messages, add_generation_prompt: true });
    const prompt = renderChat(template, messages, { addGenerationPrompt: true });
    expect(json['prompt']).toBe(prompt);
    expect([json['tokens']]).toEqual(await backend.tokenize([prompt]));
  });

  test.each(['naïve café — 日本語 🙂', '  two  spaces\n\n\ttab', '<|im_start|>x<|im_end|>', ''])(
    'round trip of %j',
    async (text) => {
      const [ids] = await backend.tokenize([text]);
      expect(await backend.detokenize(ids ?? [])).toBe(text);
    },
  );
});

test('scores over HTTP are at the causal limit, with progress', async () => {
  const stem = Array.from({ length: 60 }, (_, k) => 20 + ((k * 7) % 400));
  const plan = [
    { ids: [...stem, 5, 6, 7, 8, 9, 10], from: 62, to: 66 },
    { ids: [...stem, 50, 60, 70, 8, 9, 10], from: 62, to: 66 },
  ];
  const progress: number[] = [];
  const scored = await backend.score(plan, { onProgress: (tokens) => progress.push(tokens) });
  expect(scored.tokensEvaluated).toBe(causalLimit(plan));
  expect(scored.tokensReused).toBe(65 * 2 - causalLimit(plan));
  expect(progress.at(-1)).toBe(scored.tokensEvaluated);
});

test('an aborted request rejects with a named error', async () => {
  const ids = Array.from({ length: 500 }, (_, k) => 5 + (k % 90));
  await expect(backend.score([{ ids, from: 1, to: 500 }], { signal: AbortSignal.abort() })).rejects.toMatchObject({
    name: 'TurnwiseError',
    reason: 'aborted',
  });
});
