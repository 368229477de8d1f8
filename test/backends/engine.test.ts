import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEngineBackend } from '../../src/backends/engine.ts';
import { sendJson, startProtocolServer, type Answerer } from './protocol-server.ts';

const turnwise = {
  model_sha: 'm',
  tokenizer_sha: 't',
  template_sha: 'c',
  template: '{{ messages }}',
  eot: ['<|im_end|>'],
  bos: null,
  eos: null,
  context_size: 100,
  version: '0',
  scoring_problem: null,
  card: { toy: true, agent_prompt: null, placebo: { mean: 0.01, sd: 0.1, n: 30 } },
};
const models = (more: object = {}): object => ({ data: [{ id: 'm', turnwise: { ...turnwise, ...more } }] });
const sequence = { ids: [1, 2, 3, 4], from: 2, to: 4 };
const scores = (logprobs: unknown): string =>
  `{"tokens_done":3}\n\n${JSON.stringify({ logprobs, tokens_evaluated: 3, tokens_reused: 0, tokens_limit: 3 })}\n`;

let answer: Answerer;
let server: Awaited<ReturnType<typeof startProtocolServer>>;
beforeAll(async () => {
  server = await startProtocolServer((request, response, body) => {
    answer(request, response, body);
  });
});
afterAll(() => server.close());

const open = (): ReturnType<typeof openEngineBackend> => openEngineBackend({ url: `${server.url}/`, token: 'secret' });
const answering = (status: number, body: unknown): void => {
  answer = (_, response) => {
    sendJson(response, status, body);
  };
};

describe('facts', () => {
  test('are read from the model list, once', async () => {
    let asked = 0;
    answer = (request, response) => {
      asked += 1;
      expect([request.method, request.url, request.headers.authorization]).toEqual([
        'GET',
        '/v1/models',
        'Bearer secret',
      ]);
      sendJson(response, 200, models());
    };
    const backend = open();
    const facts = await backend.facts();
    expect(await backend.facts()).toBe(facts);
    expect(asked).toBe(1);
    expect(facts).toMatchObject({
      identity: { id: 'm', revision: 'm', tokenizer_sha: 't', template_sha: 'c', backend: 'engine', version: '0' },
      contextSize: 100,
      placebo: { mean: 0.01, sd: 0.1, n: 30 },
      takesAgentPrompt: false,
    });
    expect(facts.notice).toMatch(/toy/);
  });

  test('a model of one’s own has no notice, no placebo, and takes the agent’s prompt', async () => {
    answering(200, models({ card: null }));
    expect(await open().facts()).toMatchObject({ notice: null, placebo: null, takesAgentPrompt: true });
  });

  test.each([
    ['another server', 200, { data: [{ id: 'gpt' }] }, 'unsupported', 'not_an_engine'],
    ['a web page', 200, '<html></html>', 'protocol', 'malformed_answer'],
    ['a wrong key', 401, {}, 'backend', 'unauthorized'],
    ['a gateway', 502, 'Bad gateway', 'backend', 'server_error'],
    ['a model without a template', 200, models({ template: null }), 'unsupported', 'no_template'],
    [
      'a model that cannot score',
      200,
      models({ scoring_problem: { reason: 'cannot_roll_back', message: 'It cannot.' } }),
      'unsupported',
      'cannot_roll_back',
    ],
  ])('%s is a named error, and asked again', async (_, status, body, fault, reason) => {
    const backend = open();
    answering(status, body);
    await expect(backend.facts()).rejects.toMatchObject({ fault, reason });
    answering(200, models());
    await expect(backend.facts()).resolves.toMatchObject({ contextSize: 100 });
  });

  test('nobody there', async () => {
    const gone = await startProtocolServer(() => undefined);
    await gone.close();
    const backend = openEngineBackend({ url: gone.url, token: 'secret' });
    await expect(backend.facts()).rejects.toMatchObject({ fault: 'backend', reason: 'unreachable' });
  });
});

describe('scores', () => {
  test('are handed on when they can be log-probs', async () => {
    answering(200, scores([[-0.5, 1e-7]]));
    const progress: number[] = [];
    const scored = await open().score([sequence], { onProgress: (tokens) => progress.push(tokens) });
    expect(scored).toEqual({ logprobs: [[-0.5, 1e-7]], tokensEvaluated: 3, tokensReused: 0 });
    expect(progress).toEqual([3]);
  });

  test.each([
    ['a missing row', scores([]), 'wrong_count'],
    ['a row too many', scores([[-1, -1], [-1]]), 'wrong_count'],
    ['a short row', scores([[-1]]), 'short_rows'],
    ['a positive log-prob', scores([[-1, 0.1]]), 'impossible_logprob'],
    ['a number that means "unknown"', scores([[-1, -9999]]), 'impossible_logprob'],
    ['a number beyond all numbers', scores([[-1, -1]]).replace('-1,-1', '-1,-1e999'), 'impossible_logprob'],
    ['null', scores([[-1, null]]), 'nan_row'],
    ['NaN', scores([[-1, -1]]).replace('-1,-1', '-1,NaN'), 'nan_row'],
    ['no counts', '{"logprobs":[[-1,-1]]}\n', 'malformed_answer'],
    ['another answer', '{"choices":[]}\n', 'malformed_answer'],
    ['nothing', '', 'cut_off'],
  ])('%s is a protocol error', async (_, body, reason) => {
    answering(200, body);
    await expect(open().score([sequence])).rejects.toMatchObject({ fault: 'protocol', reason });
  });

  test('an answer cut at any byte is never taken for a whole one', async () => {
    const whole = scores([[-0.5, -0.25]]);
    for (let length = 0; length < whole.length; length += 1) {
      answering(200, whole.slice(0, length));
      await expect(open().score([sequence])).rejects.toMatchObject({ fault: 'protocol' });
      answer = (_, response) => {
        response.writeHead(200, { 'content-length': whole.length });
        response.write(whole.slice(0, length), () => response.destroy());
      };
      await expect(open().score([sequence])).rejects.toMatchObject({ name: 'TurnwiseError' });
    }
  });

  test('an error that comes late keeps its name', async () => {
    answering(
      200,
      '{"tokens_done":3}\n{"error":{"message":"Out.","type":"server_error","code":"evaluation_failed"}}\n',
    );
    await expect(open().score([sequence])).rejects.toMatchObject({ fault: 'backend', reason: 'evaluation_failed' });
  });

  test('a server that hangs can be left', async () => {
    const leaving = new AbortController();
    answer = (_, response) => {
      response.writeHead(200).write('{"tokens_done":1}\n');
    };
    const onProgress = (): void => {
      leaving.abort();
    };
    const scoring = open().score([sequence], { signal: leaving.signal, onProgress });
    await expect(scoring).rejects.toMatchObject({ reason: 'aborted' });
  });

  test('of nothing ask nobody', async () => {
    answer = () => {
      throw new Error('asked');
    };
    expect(await open().score([])).toEqual({ logprobs: [], tokensEvaluated: 0, tokensReused: 0 });
    expect(await open().tokenize([])).toEqual([]);
  });
});

test('token lists must be as many as texts', async () => {
  answering(200, { tokens: [[1]] });
  await expect(open().tokenize(['a', 'b'])).rejects.toMatchObject({ fault: 'protocol', reason: 'wrong_count' });
});
