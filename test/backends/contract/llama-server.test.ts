import { expect, test } from 'vitest';
import { openLlamaServer } from '../../../src/backends/llama-server.ts';
import { startLlamaServer } from '../protocol/llama-server.ts';
import { NOT_REAL } from '../protocol/serve.ts';
import { faultSuite } from './fault-suite.ts';
import { PROTOCOL, protocolSubject } from './protocol-subject.ts';
import { contractSuite } from './suite.ts';

contractSuite(
  `llama-server (${NOT_REAL})`,
  () => protocolSubject(openLlamaServer, (key) => startLlamaServer({ key })),
  {
    ...PROTOCOL,
  },
);
faultSuite('llama-server', {
  start: startLlamaServer,
  open: openLlamaServer,
  kind: 'llama-server',
  cutEvery: 23,
  rows: {
    nan: 'nan_row',
    minus_9999: 'impossible_logprob',
    lowest_float: 'impossible_logprob',
    positive: 'impossible_logprob',
    infinite: 'impossible_logprob',
    no_row: 'short_rows',
    wrong_token: 'wrong_token_row',
    short: 'short_rows',
    missing_first: 'short_rows',
    wrong_count: 'wrong_count',
  },
  tellsTemplate: true,
});

test(`a draft model makes every log-prob 0, which is no log-prob (${NOT_REAL})`, async () => {
  const server = await startLlamaServer({ speculative: true });
  const backend = openLlamaServer({ url: server.url, model: null, apiKey: null, tokenizer: null });
  const sequence = { ids: [65, 66, 67, 68, 69, 70, 71, 72], from: 2, to: 8 };
  await expect(backend.score([sequence])).rejects.toMatchObject({ reason: 'impossible_logprob' });
  await server.close();
});
