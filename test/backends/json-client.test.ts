import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openJsonClient } from '../../src/backends/json-client.ts';
import { sendJson, startProtocolServer, type Answerer } from './protocol-server.ts';

let answer: Answerer;
let server: Awaited<ReturnType<typeof startProtocolServer>>;
beforeAll(async () => {
  server = await startProtocolServer((request, response, body) => {
    answer(request, response, body);
  });
});
afterAll(() => server.close());

const ask = (options: { silenceMs?: number; maxAnswerBytes?: number } = {}): Promise<unknown> =>
  openJsonClient({ name: 'It', url: `${server.url}/v1/`, key: null, ...options }).post('/x', {}, z.unknown());
const answering = (status: number, body: unknown): void => {
  answer = (request, response) => {
    expect(request.url).toBe('/x');
    sendJson(response, status, body);
  };
};

describe('a refusal is told in the server’s own words', () => {
  test.each([
    ['OpenAI', 404, { error: { message: 'The model `x` does not exist.', code: 'model_not_found' } }, 'unknown_model'],
    [
      'vLLM',
      404,
      { error: { message: 'The model `x` does not exist.', type: 'NotFoundError', code: 404 } },
      'unknown_model',
    ],
    ['vLLM of old', 400, { object: 'error', message: "This model's maximum context length is 9 tokens." }, 'too_long'],
    ['SGLang', 400, { error: { message: 'The input is longer than the model’s context length.' } }, 'too_long'],
    ['llama.cpp', 400, { error: { code: 400, message: 'request exceeds the available context size' } }, 'too_long'],
    ['llama.cpp, ids', 400, { error: { code: 400, message: 'Prompt contains invalid tokens' } }, 'bad_token'],
    ['Ollama', 404, { error: 'model "x" not found, try pulling it first' }, 'unknown_model'],
    ['FastAPI', 404, { detail: 'Not Found' }, 'route_missing'],
    ['a NaN', 400, { error: { message: 'Out of range float values are not JSON compliant' } }, 'nan_row'],
    ['a gateway', 502, '<html>', 'server_error'],
    ['a crowd', 429, { error: { message: 'Slow down' } }, 'rate_limited'],
    ['a key', 403, {}, 'unauthorized'],
    ['something else', 400, { error: { message: 'No.' } }, 'refused_request'],
  ])('%s', async (_, status, body, reason) => {
    answering(status, body);
    await expect(ask()).rejects.toMatchObject({ reason });
  });

  test('but not with what a validator repeats of the input', async () => {
    answering(422, { detail: [{ loc: ['body', 'prompt'], msg: 'bad type', input: 'a secret conversation' }] });
    const message = await ask().catch(String);
    expect(message).toMatch(/body\.prompt: bad type/);
    expect(message).not.toMatch(/secret/);
  });

  test('and a key can be given in the editor and on the command line', async () => {
    answering(401, {});
    await expect(ask()).rejects.toThrow(/Set Server Key.*--api-key-env/);
  });
});

test('who says nothing counts as hung, before and in the middle of an answer', async () => {
  answer = () => undefined;
  await expect(ask({ silenceMs: 50 })).rejects.toMatchObject({ reason: 'hung' });
  answer = (_, response) => {
    response.writeHead(200).write('{"a":');
  };
  await expect(ask({ silenceMs: 50 })).rejects.toMatchObject({ reason: 'hung' });
});

test('who says a little from time to time does not', async () => {
  answer = (_, response) => {
    response.writeHead(200);
    let said = 0;
    const timer = setInterval(() => {
      said += 1;
      if (said < 8) response.write(' ');
      else {
        clearInterval(timer);
        response.end('{}');
      }
    }, 50);
  };
  await expect(ask({ silenceMs: 300 })).resolves.toEqual({});
});

test('an answer without an end is not taken in', async () => {
  answering(200, { a: 'x'.repeat(5000) });
  await expect(ask({ maxAnswerBytes: 1000 })).rejects.toMatchObject({ reason: 'answer_too_large' });
});

test.each([
  ['', 'cut_off'],
  ['{"a":[1,2', 'cut_off'],
  ['{"a":"}', 'cut_off'],
  ['{"a":NaN}', 'nan_row'],
  ['<html>', 'malformed_answer'],
  ['{"a" 1}', 'malformed_answer'],
])('%j is %s', async (body, reason) => {
  answering(200, body);
  await expect(ask()).rejects.toMatchObject({ reason });
});
