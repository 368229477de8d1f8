import { expect, test } from 'vitest';
import { openVllm } from '../../../src/backends/vllm.ts';
import { trueLogprobs } from '../protocol/byte-model.ts';
import { NOT_REAL } from '../protocol/serve.ts';
import { startVllm, type VllmOptions } from '../protocol/vllm.ts';
import { faultSuite } from './fault-suite.ts';
import { protocolSubject, PROTOCOL } from './protocol-subject.ts';
import { contractSuite } from './suite.ts';
import { sequencesOfTalk, worst } from './talks.ts';

const subject = (options: VllmOptions) => () => protocolSubject(openVllm, (key) => startVllm({ key, ...options }));

const LIMITS = { overLimit: 1.1, liveOverLimit: 1.25 };
contractSuite(`vLLM, older runner (${NOT_REAL})`, subject({ noise: 1e-5, nanEvery: 0 }), {
  ...PROTOCOL,
  ...LIMITS,
  exact: false,
});
contractSuite(`vLLM, older runner, often with a NaN (${NOT_REAL})`, subject({ nanEvery: 2 }), PROTOCOL);
contractSuite(
  `vLLM, older runner, often with a NaN, counting nothing (${NOT_REAL})`,
  subject({ nanEvery: 2, countsCached: false }),
  PROTOCOL,
);
contractSuite(`vLLM, newer runner (${NOT_REAL})`, subject({ runner: 'newer' }), { ...PROTOCOL, ...LIMITS });
contractSuite(
  `vLLM without its token-in routes (${NOT_REAL})`,
  subject({ scaleOut: false, countsCached: false }),
  PROTOCOL,
);

const VLLM_ROWS = {
  nan: 'nan_row',
  minus_9999: 'impossible_logprob',
  lowest_float: 'impossible_logprob',
  positive: 'impossible_logprob',
  infinite: 'impossible_logprob',
  no_row: 'nan_row',
  wrong_token: 'wrong_token_row',
  short: 'short_rows',
  missing_first: 'missing_first_row',
  stale: 'stale_row',
  rank_zero: 'stale_row',
  wrong_count: 'wrong_count',
} as const;
faultSuite('vLLM', {
  start: startVllm,
  open: openVllm,
  kind: 'vllm',
  cutEvery: 7,
  rows: VLLM_ROWS,
  tellsTemplate: true,
});
faultSuite('vLLM without its token-in routes', {
  start: (options) => startVllm({ ...options, scaleOut: false }),
  open: openVllm,
  kind: 'vllm',
  cutEvery: 13,
  rows: VLLM_ROWS,
  echoIgnored: 'short_rows',
  tellsTemplate: true,
});

test.each([
  ['a token that did not come next, though it was made to', {}, 'wrong_next'],
  ['the certainty of a token that was made to come next', { processed: true }, null],
] as const)(`%s is not taken for its log-prob (${NOT_REAL})`, async (_, options, fault) => {
  const server = await startVllm({ nanEvery: 2, ...options });
  const backend = openVllm({ url: server.url, model: null, apiKey: null, tokenizer: null });
  const talk = await sequencesOfTalk(backend, 'next', 4);
  if (fault !== null) server.fault = { what: 'rows', fault };
  for (let session = 0; session < 6; session += 1) {
    const { logprobs } = await backend.score(talk, { session: String(session) });
    expect(worst(logprobs, talk.map(trueLogprobs))).toBeLessThan(1e-9);
  }
  await server.close();
});

test(`the same job over and over in one session is scored truly, though nobody says what came from the cache (${NOT_REAL})`, async () => {
  const server = await startVllm({ nanEvery: 0, countsCached: false });
  const backend = openVllm({ url: server.url, model: null, apiKey: null, tokenizer: null });
  const talk = await sequencesOfTalk(backend, 'again', 4);
  for (let time = 0; time < 6; time += 1) {
    const { logprobs } = await backend.score(talk, { session: 'again' });
    expect(worst(logprobs, talk.map(trueLogprobs))).toBeLessThan(1e-9);
  }
  await server.close();
});

test(`an answer that it refuses costs what nobody knows, and is the first to be advised on (${NOT_REAL})`, async () => {
  const server = await startVllm({ nanEvery: 2 });
  const backend = openVllm({ url: server.url, model: null, apiKey: null, tokenizer: null });
  const talk = await sequencesOfTalk(backend, 'refused', 4);
  expect((await backend.facts()).advice).toEqual([]);
  expect((await backend.score(talk, { session: 'refused' })).tokensEvaluated).toBeNull();
  const { advice } = await backend.facts();
  expect(advice).toEqual([expect.stringMatching(/MALLOC_PERTURB_=255 .* refused \d+ of \d+ answers/)]);
  await server.close();
});
