import { expect, test } from 'vitest';
import { openChat } from '../../src/backends/chat.ts';
import type { GenerationRecord } from '../../src/core/backend.ts';
import { sendJson, startProtocolServer } from './protocol-server.ts';

const messages = [{ role: 'user' as const, content: 'hi' }];
const sampling = { temperature: 0.5, top_p: 1, top_k: null, seed: 1, max_tokens: 9 };
const chunk = (choices: unknown[], more: object = {}): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices, ...more })}\n\n`;
const said = (content: string, entry: object): string =>
  chunk([{ index: 0, delta: { content }, logprobs: { content: [entry] }, finish_reason: null }]);
const stop = chunk([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }]);

/** Not the real servers: what they answered when they were asked, with numbers that are easy to read. */
async function talk(
  ownedBy: string,
  chunks: readonly string[],
  routes: Readonly<Record<string, (body: Record<string, unknown>) => unknown>>,
): Promise<{ record: GenerationRecord; asked: Record<string, unknown>[] }> {
  const asked: Record<string, unknown>[] = [];
  const server = await startProtocolServer((request, response, text) => {
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
    if (request.url === '/v1/models') sendJson(response, 200, { data: [{ id: 'm', owned_by: ownedBy }] });
    else if (body['stream'] === true) {
      asked.push(body);
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end([...chunks, 'data: [DONE]\n\n'].join(''));
    } else {
      const route = routes[request.url ?? ''];
      if (route) sendJson(response, 200, route(body));
      else sendJson(response, 404, {});
    }
  });
  try {
    const chat = openChat({ url: server.url, apiKey: null, model: null, name: 'It' });
    for await (const event of chat.stream(messages, { sampling })) {
      if (event.type === 'finished') return { record: event.record, asked };
      if (event.type !== 'delta') throw new Error(JSON.stringify(event));
    }
    throw new Error('no end');
  } finally {
    await server.close();
  }
}

/** The first tokens at a temperature: raw ones do not move with it. */
const lists =
  (processed: boolean) =>
  ({ temperature }: Record<string, unknown>): unknown => {
    const factor = processed ? Number(temperature) : 1;
    const top_logprobs = ['a', 'b', 'c'].map((token, at) => ({ token, logprob: -(at + 1) / factor }));
    return { choices: [{ logprobs: { content: [{ top_logprobs }] } }] };
  };

const sglangChunks = [
  said('Hé', { token: 'Hé', logprob: -3 }),
  said(' you', { token: ' you', logprob: -4 }),
  stop,
  chunk([], { sglext: { input_ids: [1, 2], output_ids: [[3, 4, 5]] } }),
];
const sglangRoutes = (processed: boolean) => ({
  '/v1/chat/completions': lists(processed),
  '/generate': (body: Record<string, unknown>) => {
    expect(body).toMatchObject({ input_ids: [1, 2, 3, 4], token_ids_logprob: [5] });
    return { meta_info: { output_token_ids_logprobs: [[[-0.25, 5, null]]] } };
  },
});

test.each([
  [true, 'processed'],
  [false, 'raw'],
])('SGLang: ids behind the text, the stop token asked for again, processed is %s', async (processed, mode) => {
  const { record, asked } = await talk('sglang', sglangChunks, sglangRoutes(processed));
  expect(record).toMatchObject({
    prompt_ids: [1, 2],
    ids: [3, 4, 5],
    logprobs: [-3, -4, -0.25],
    logprobs_mode: mode,
  });
  expect(asked[0]).toMatchObject({ return_input_ids_in_sglext: true, return_output_ids_in_sglext: true });
  expect(asked[0]).not.toHaveProperty('return_token_ids');
});

test('SGLang that cannot tell the stop token’s log-prob: exact ids, no log-probs', async () => {
  const { record } = await talk('sglang', sglangChunks, {});
  expect(record).toMatchObject({ ids: [3, 4, 5], logprobs: null, text: 'Hé you' });
});

const llamaChunks = [
  said('Hé', { id: 3, token: 'Hé', logprob: -3 }),
  said(' you', { id: 4, token: ' you', logprob: -4 }),
  stop,
  chunk([], { usage: { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 } }),
];
const llamaRoutes = (rival: number) => ({
  '/v1/chat/completions': lists(false),
  '/apply-template': () => ({ prompt: 'rendered' }),
  '/tokenize': ({ content }: Record<string, unknown>) => ({ tokens: content === 'rendered' ? [1, 2] : [5] }),
  '/props': () => ({ eos_token: '<end>' }),
  '/completion': (body: Record<string, unknown>) => {
    expect(body).toMatchObject({ prompt: [1, 2, 3, 4], logit_bias: [[5, 1000]] });
    const end = { id: 5, token: '', logprob: -0.25 };
    return { completion_probabilities: [{ ...end, top_logprobs: [end, { id: 6, token: '', logprob: rival }] }] };
  },
});

test('llama-server: ids of its log-probs, the prompt rendered again, the one possible end', async () => {
  const { record, asked } = await talk('llamacpp', llamaChunks, llamaRoutes(-20));
  expect(record).toMatchObject({
    prompt_ids: [1, 2],
    ids: [3, 4, 5],
    logprobs: [-3, -4, -0.25],
    logprobs_mode: 'raw',
  });
  expect(asked[0]).toMatchObject({ top_logprobs: 1 });
});

test('llama-server: where two ends could have been drawn, the ids are unknown', async () => {
  const { record } = await talk('llamacpp', llamaChunks, llamaRoutes(-1));
  expect(record).toMatchObject({ prompt_ids: [1, 2], ids: null });
});

test('llama-server: a token without a row, as parts of characters have none, makes the ids unknown', async () => {
  const usage = chunk([], { usage: { prompt_tokens: 2, completion_tokens: 4, total_tokens: 6 } });
  const { record } = await talk('llamacpp', [...llamaChunks.slice(0, -1), usage], llamaRoutes(-20));
  expect(record).toMatchObject({ ids: null });
});

test('a server that says nothing of itself is asked nothing behind its answer', async () => {
  const { record, asked } = await talk('somebody', [said('Hé', { token: 'Hé', logprob: -3 }), stop], {});
  expect(record).toMatchObject({ prompt_ids: null, ids: null, logprobs: [-3], logprobs_mode: null });
  expect(asked[0]).toMatchObject({ return_token_ids: true });
});
