import { rmSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { openCompletions } from '../../../src/backends/openai-completions.ts';
import { trueLogprobs } from '../protocol/byte-model.ts';
import { startCompletions, type CompletionsOptions } from '../protocol/completions.ts';
import { NOT_REAL, type ProtocolServer } from '../protocol/serve.ts';
import { writeTokenizerFolder } from '../protocol/tokenizer-folder.ts';
import { faultSuite } from './fault-suite.ts';
import { PROTOCOL, protocolSubject } from './protocol-subject.ts';
import { contractSuite } from './suite.ts';

const folder = writeTokenizerFolder();
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const kinds: readonly (readonly [string, CompletionsOptions, string | null])[] = [
  ['that takes ids and tells texts', {}, folder],
  ['that takes ids, tells ids and tokenises', { tellsIds: true, tokenizes: true }, null],
  ['that takes texts alone and wants a token generated', { takesIds: false, takesZeroTokens: false }, folder],
];
for (const [title, options, tokenizer] of kinds) {
  contractSuite(
    `echo completions ${title} (${NOT_REAL})`,
    () => protocolSubject(openCompletions, (key) => startCompletions({ key, ...options }), tokenizer),
    PROTOCOL,
  );
}

const ROWS = {
  nan: 'nan_row',
  minus_9999: 'impossible_logprob',
  lowest_float: 'impossible_logprob',
  positive: 'impossible_logprob',
  infinite: 'impossible_logprob',
  no_row: 'nan_row',
  wrong_token: 'wrong_token_row',
  short: 'short_rows',
  missing_first: 'missing_first_row',
  wrong_count: 'wrong_count',
  two_answers: 'wrong_count',
  uneven: 'wrong_count',
} as const;
faultSuite('echo completions', {
  start: (options): Promise<ProtocolServer> => startCompletions({ ...options }),
  open: openCompletions,
  kind: 'openai-completions',
  cutEvery: 5,
  needsFolder: true,
  rows: ROWS,
  echoIgnored: 'echo_ignored',
  tellsTemplate: false,
});

test(`ids that do not come back from a server of texts are not scored as others (${NOT_REAL})`, async () => {
  const server = await startCompletions({ takesIds: false });
  const backend = openCompletions({ url: server.url, model: null, apiKey: null, tokenizer: folder });
  const [whole = []] = await backend.tokenize(['変数 x']);
  const parted = whole.filter((_, at) => at !== 1);
  const span = { ids: whole, from: 2, to: whole.length };
  expect((await backend.score([span])).logprobs).toEqual([trueLogprobs(span)]);
  const broken = { ids: parted, from: 2, to: parted.length };
  await expect(backend.score([broken])).rejects.toMatchObject({ reason: 'tokenizer_mismatch' });
  await server.close();
});
