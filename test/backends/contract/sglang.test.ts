import { expect, test } from 'vitest';
import { openSglang } from '../../../src/backends/sglang.ts';
import { trueLogprobs, VOCABULARY } from '../protocol/byte-model.ts';
import { NOT_REAL } from '../protocol/serve.ts';
import { startSglang, type SglangServer } from '../protocol/sglang.ts';
import { faultSuite } from './fault-suite.ts';
import { PROTOCOL, protocolSubject } from './protocol-subject.ts';
import { contractSuite } from './suite.ts';

const started: SglangServer[] = [];
const start = async (options: Parameters<typeof startSglang>[0]): Promise<SglangServer> => {
  const server = await startSglang(options);
  started.push(server);
  return server;
};

contractSuite(`SGLang (${NOT_REAL})`, () => protocolSubject(openSglang, (key) => start({ key })), {
  ...PROTOCOL,
  overLimit: 1.01,
  liveOverLimit: 1.1,
});
faultSuite('SGLang', {
  start,
  open: openSglang,
  kind: 'sglang',
  cutEvery: 5,
  rows: {
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
    wrong_count: 'wrong_count',
    two_answers: 'wrong_count',
    other_prompt: 'wrong_count',
  },
  tellsTemplate: true,
});

test(`the last id of the vocabulary comes back as 0, and is taken for what it is (${NOT_REAL})`, async () => {
  const server = await start({});
  const backend = openSglang({ url: server.url, model: null, apiKey: null, tokenizer: null });
  const ids = [65, 66, VOCABULARY - 1, 67, VOCABULARY - 1];
  const sequence = { ids, from: 1, to: ids.length };
  expect((await backend.score([sequence])).logprobs).toEqual([trueLogprobs(sequence)]);
  await server.close();
});

test('nothing that kills the real server was ever sent', () => {
  expect(started.length).toBeGreaterThan(1);
  expect(started.flatMap(({ deadly }) => deadly)).toEqual([]);
});
