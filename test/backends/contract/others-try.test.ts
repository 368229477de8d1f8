import { openSglang } from '../../../src/backends/sglang.ts';
import { openLlamaServer } from '../../../src/backends/llama-server.ts';
import { openCompletions } from '../../../src/backends/openai-completions.ts';
import { startSglang } from '../protocol/sglang.ts';
import { startLlamaServer } from '../protocol/llama-server.ts';
import { startCompletions } from '../protocol/completions.ts';
import { faultSuite } from './fault-suite.ts';
import { protocolSubject, PROTOCOL } from './protocol-subject.ts';
import { contractSuite } from './suite.ts';

const rows = {
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
const which = process.env['WHICH'] ?? '';
if (which.includes('s')) {
  contractSuite('sglang', () => protocolSubject(openSglang, (key) => startSglang({ key })), {
    ...PROTOCOL,
    overLimit: 1.1,
    liveOverLimit: 1.25,
  });
  faultSuite('sglang', {
    start: startSglang,
    open: openSglang,
    rows: { ...rows, stale: 'stale_row' },
    tellsTemplate: true,
  });
}
if (which.includes('l')) {
  contractSuite('llama', () => protocolSubject(openLlamaServer, (key) => startLlamaServer({ key })), {
    ...PROTOCOL,
    overLimit: 1.1,
    liveOverLimit: 1.25,
  });
  faultSuite('llama', {
    start: startLlamaServer,
    open: openLlamaServer,
    rows: { ...rows, no_row: 'short_rows', missing_first: 'wrong_token_row' },
    tellsTemplate: true,
  });
}
if (which.includes('c')) {
  contractSuite(
    'compl',
    () => protocolSubject(openCompletions, (key) => startCompletions({ key, tokenizes: true })),
    PROTOCOL,
  );
  faultSuite('compl', {
    start: (o) => startCompletions(o),
    open: openCompletions,
    needsFolder: true,
    rows,
    echoIgnored: 'echo_ignored',
    tellsTemplate: false,
  });
}
