import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openChat, type ChatServer } from '../../src/backends/chat.ts';
import type { ChatEvent, GenerationRecord, Sampling } from '../../src/core/backend.ts';
import { sendJson, startProtocolServer, type Answerer } from './protocol-server.ts';

const messages = [{ role: 'user' as const, content: 'hi' }];
const sampling: Sampling = { temperature: 0.7, top_p: 0.9, top_k: 20, seed: 5, max_tokens: 9 };

const event = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
const chunk = (choice: object, more: object = {}): string =>
  event({
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'served',
    ...more,
    choices: [{ index: 0, ...choice }],
  });
const token = (content: string, id: number): string =>
  chunk({
    delta: { content },
    finish_reason: null,
    token_ids: [id],
    logprobs: { content: [{ token: content, logprob: -id }] },
  });

const WHOLE = [
  chunk(
    { delta: { role: 'assistant', content: '' }, finish_reason: null },
    { prompt_token_ids: [1, 2], logprobs_mode: 'raw' },
  ),
  token('Hé', 3),
  token(' you', 4),
  chunk({
    delta: { content: '' },
    finish_reason: 'stop',
    token_ids: [5],
    logprobs: { content: [{ token: '', logprob: -5 }] },
  }),
  event({
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'served',
    choices: [],
    usage: { total_tokens: 5 },
  }),
  'data: [DONE]\n\n',
].join('');

let answer: Answerer;
let bodies: Record<string, unknown>[] = [];
let server: Awaited<ReturnType<typeof startProtocolServer>>;
beforeAll(async () => {
  server = await startProtocolServer((request, response, body) => {
    if (request.url === '/v1/models') {
      sendJson(response, 200, { data: [{ id: 'served' }, { id: 'other' }] });
      return;
    }
    expect(request.url).toBe('/v1/chat/completions');
    bodies.push(JSON.parse(body) as Record<string, unknown>);
    answer(request, response, body);
  });
});
afterAll(() => server.close());
beforeEach(() => {
  bodies = [];
});

const streaming = (text: string | Buffer): void => {
  answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(text);
  };
};

type Limits = Pick<ChatServer, 'silenceMs' | 'maxAnswerBytes'>;
async function talk(
  options: Limits & { model?: string; signal?: AbortSignal; url?: string } = {},
): Promise<ChatEvent[]> {
  const { model = null, url = server.url, signal, ...limits } = options;
  const chat = openChat({ url, apiKey: 'secret', model, name: 'The server', ...limits });
  const events: ChatEvent[] = [];
  for await (const said of chat.stream(messages, { sampling, ...(signal ? { signal } : {}) })) events.push(said);
  return events;
}

function recordOf(events: readonly ChatEvent[]): GenerationRecord {
  const last = events.at(-1);
  if (last?.type === 'finished' || last?.type === 'stopped') return last.record;
  throw new Error(`ended with ${JSON.stringify(last)}`);
}

describe('a whole answer', () => {
  test('is captured exactly', async () => {
    streaming(WHOLE);
    const events = await talk();
    expect(events.map(({ type }) => type)).toEqual(['delta', 'delta', 'finished']);
    expect(recordOf(events)).toMatchObject({
      text: 'Hé you',
      finish: 'stop',
      prompt_ids: [1, 2],
      ids: [3, 4, 5],
      logprobs: [-3, -4, -5],
      logprobs_mode: 'raw',
      sampling,
      model: 'served',
      model_revision: null,
      server: 'The server',
      template_sha: null,
    });
    expect(bodies).toEqual([
      {
        model: 'served',
        messages,
        stream: true,
        stream_options: { include_usage: true },
        temperature: 0.7,
        top_p: 0.9,
        top_k: 20,
        seed: 5,
        max_tokens: 9,
        logprobs: true,
        return_token_ids: true,
      },
    ]);
  });

  test('without ids has none, instead of some', async () => {
    streaming(WHOLE.replace('"token_ids":[4],', ''));
    expect(recordOf(await talk())).toMatchObject({ text: 'Hé you', ids: null, logprobs: [-3, -4, -5] });
    streaming(WHOLE.replaceAll(/"token_ids":\[\d\],?/g, '').replace(/"prompt_token_ids":\[1,2\],/, ''));
    expect(recordOf(await talk())).toMatchObject({ text: 'Hé you', prompt_ids: null, ids: null });
  });

  test('with log-probs that are not parallel to its ids has none', async () => {
    streaming(WHOLE.replace(',"logprobs":{"content":[{"token":"","logprob":-5}]}', ''));
    expect(recordOf(await talk())).toMatchObject({ ids: [3, 4, 5], logprobs: null });
  });

  test('is the same however the network cuts it', async () => {
    const bytes = Buffer.from(WHOLE);
    for (let at = 1; at < bytes.length; at += 7) {
      answer = (_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(bytes.subarray(0, at), () => setImmediate(() => response.end(bytes.subarray(at))));
      };
      expect(recordOf(await talk())).toMatchObject({ text: 'Hé you', ids: [3, 4, 5] });
    }
  });
});

describe('a broken answer', () => {
  test('cut at any byte is failed with what had come, and never finished', async () => {
    const bytes = Buffer.from(WHOLE);
    // The chunk that says why it ended is the last that counts; its line break does not.
    const closing = WHOLE.indexOf('\n\n', WHOLE.indexOf('"finish_reason":"stop"'));
    const complete = Buffer.byteLength(WHOLE.slice(0, closing));
    const chat = openChat({ url: server.url, apiKey: null, model: 'served', name: 'The server' });
    for (let length = 0; length < complete; length += 1) {
      streaming(bytes.subarray(0, length));
      const events: ChatEvent[] = [];
      for await (const said of chat.stream(messages, { sampling })) events.push(said);
      const last = events.at(-1);
      expect(last?.type).toBe('failed');
      if (last?.type !== 'failed') continue;
      expect(['cut_off', 'malformed_answer', 'connection_lost']).toContain(last.reason);
      expect('Hé you'.startsWith(last.partial)).toBe(true);
    }
  });

  test('whose connection breaks is failed with what had come', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(WHOLE.slice(0, WHOLE.indexOf(' you')), () => setTimeout(() => response.destroy(), 20));
    };
    expect((await talk()).at(-1)).toMatchObject({ type: 'failed', reason: 'connection_lost', partial: 'Hé' });
  });

  test.each([
    ['garbage', 'data: {"choices": [}\n\n', 'malformed_answer'],
    ['a chunk of another kind', event({ hello: 1 }), 'malformed_answer'],
    ['an error inside the stream', event({ error: { message: 'no memory', type: 'server_error' } }), 'server_error'],
    ['a filter', chunk({ delta: {}, finish_reason: 'content_filter' }), 'unexpected_finish'],
  ])('%s is failed', async (_, text, reason) => {
    streaming(token('Hé', 3) + text + 'data: [DONE]\n\n');
    expect((await talk()).at(-1)).toMatchObject({ type: 'failed', reason, partial: 'Hé' });
  });
});

describe('an answer without an end', () => {
  const without = (begun: string): void => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(begun);
    };
  };

  test('in silence is hung, with what had come', async () => {
    without(token('Hé', 3));
    expect((await talk({ silenceMs: 150 })).at(-1)).toMatchObject({ type: 'failed', reason: 'hung', partial: 'Hé' });
    answer = () => undefined;
    expect(await talk({ silenceMs: 150 })).toMatchObject([{ type: 'failed', reason: 'hung', partial: '' }]);
  });

  test('of too many words is ended', async () => {
    without(token('Hé', 3).repeat(100));
    const last = (await talk({ maxAnswerBytes: 2000 })).at(-1);
    expect(last).toMatchObject({ type: 'failed', reason: 'answer_too_large' });
  });

  test('a refusal that does not end is one all the same', async () => {
    answer = (_, response) => {
      response.writeHead(500, { 'content-type': 'text/html' });
      const more = (): void => {
        while (response.write('x'.repeat(65_536)));
        response.once('drain', more);
      };
      more();
    };
    expect((await talk({ model: 'served' })).at(-1)).toMatchObject({ type: 'failed', reason: 'server_error' });
  });
});

describe('a refusal', () => {
  const told = (message: string, code: unknown = null): object => ({ error: { message, type: 'x', code } });
  test.each([
    [401, told('bad key sk-123'), 'unauthorized'],
    [404, told('no such model'), 'model_not_served'],
    [429, told('slow down'), 'rate_limited'],
    [500, 'oops', 'server_error'],
    [503, told('loading'), 'server_error'],
    [400, told("This model's maximum context length is 4096 tokens."), 'too_long'],
    [400, told('x', 'context_length_exceeded'), 'too_long'],
    [400, told('temperature must be below 2'), 'refused_request'],
  ])('%d %j is %s', async (status, body, reason) => {
    answer = (_, response) => {
      sendJson(response, status, body);
    };
    const events = await talk({ model: 'served' });
    expect(events).toMatchObject([{ type: 'failed', reason, partial: '' }]);
    expect(JSON.stringify(events)).not.toContain('sk-123');
  });

  test('is not repeated', async () => {
    answer = (_, response) => {
      sendJson(response, 500, 'oops');
    };
    await talk();
    expect(bodies).toHaveLength(1);
  });

  test('of the vendor’s keys is met with fewer, remembered, and told in the record', async () => {
    answer = (request, response, body) => {
      if (body.includes('return_token_ids') || body.includes('"logprobs"')) {
        sendJson(response, 400, told('Unrecognized request argument supplied'));
      } else {
        streaming(WHOLE.replaceAll(/"token_ids":\[\d\],?/g, ''));
        answer(request, response, body);
        refuse();
      }
    };
    const refuse = ((again) => () => {
      answer = again;
    })(answer);
    const chat = openChat({ url: `${server.url}/v1/`, apiKey: null, model: 'served', name: 'The server' });
    for (const requests of [3, 1]) {
      bodies = [];
      const events: ChatEvent[] = [];
      for await (const said of chat.stream(messages, { sampling })) events.push(said);
      expect(bodies).toHaveLength(requests);
      expect(recordOf(events).sampling).toEqual({ ...sampling, top_k: null, seed: null });
    }
    expect(bodies[0]).toMatchObject({ max_completion_tokens: 9 });
  });
});

describe('leaving', () => {
  const hanging = (begun: string): Promise<void> =>
    new Promise((left) => {
      answer = (_, response) => {
        response.on('close', () => {
          left();
        });
        if (begun === '') return;
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(begun);
      };
    });

  test('a server that says nothing', async () => {
    const left = hanging('');
    const stopping = new AbortController();
    setTimeout(() => {
      stopping.abort();
    }, 100);
    expect(recordOf(await talk({ signal: stopping.signal }))).toMatchObject({ text: '', finish: 'stopped', ids: null });
    await left;
  });

  test('in the middle keeps what was said', async () => {
    const left = hanging(token('Hé', 3));
    const stopping = new AbortController();
    const chat = openChat({ url: server.url, apiKey: null, model: 'served', name: 'The server' });
    const events: ChatEvent[] = [];
    for await (const said of chat.stream(messages, { sampling, signal: stopping.signal })) {
      events.push(said);
      stopping.abort();
    }
    expect(events.map(({ type }) => type)).toEqual(['delta', 'stopped']);
    expect(recordOf(events)).toMatchObject({ text: 'Hé', finish: 'stopped', ids: [3], logprobs: [-3] });
    await left;
  });

  test('by not reading on ends the request', async () => {
    const left = hanging(token('Hé', 3));
    const chat = openChat({ url: server.url, apiKey: null, model: 'served', name: 'The server' });
    for await (const said of chat.stream(messages, { sampling })) {
      expect(said.type).toBe('delta');
      break;
    }
    await left;
  });

  test('before it began', async () => {
    expect(await talk({ signal: AbortSignal.abort() })).toMatchObject([{ type: 'stopped' }]);
  });
});

test('nothing of this machine goes to a server but the key that is its own', async () => {
  const planted = ['OPENAI_API_KEY', 'OPENAI_ADMIN_KEY', 'OPENAI_CUSTOM_HEADERS', 'OPENAI_ORG_ID', 'OPENAI_PROJECT_ID'];
  const headers: string[] = [];
  answer = (request, response, body) => {
    headers.push(JSON.stringify(request.headers));
    streaming(WHOLE);
    answer(request, response, body);
  };
  for (const name of planted) vi.stubEnv(name, 'X-From: planted-value');
  try {
    await talk();
  } finally {
    vi.unstubAllEnvs();
  }
  expect(headers).toHaveLength(1);
  expect(headers[0]).toContain('"authorization":"Bearer secret"');
  for (const word of ['planted', process.version, process.platform, process.arch]) {
    expect(headers[0]).not.toContain(word);
  }
});

test('an answer that does not end, in one event, is read in time that grows with its length', async () => {
  const piece = Buffer.alloc(64 * 1024, 'a');
  answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`${token('Hé', 3)}data: `);
    let left = 256;
    const more = (): void => {
      while (left > 0) {
        left -= 1;
        if (!response.write(piece)) {
          response.once('drain', more);
          return;
        }
      }
      response.end();
    };
    more();
  };
  expect((await talk()).at(-1)).toMatchObject({ type: 'failed', reason: 'cut_off', partial: 'Hé' });
});

test('nobody there', async () => {
  const gone = await startProtocolServer(() => undefined);
  await gone.close();
  expect(await talk({ url: gone.url })).toMatchObject([{ type: 'failed', reason: 'unreachable', partial: '' }]);
  expect(await talk({ url: gone.url, model: 'x' })).toMatchObject([{ type: 'failed', reason: 'unreachable' }]);
});
