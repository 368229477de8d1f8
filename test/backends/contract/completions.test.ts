import { rmSync } from 'node:fs';
import { afterAll } from 'vitest';
import { openCompletions } from '../../../src/backends/openai-completions.ts';
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
