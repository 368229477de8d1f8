import { test } from 'vitest';
import { openLlamaServer } from '../../../src/backends/llama-server.ts';
import { openCompletions } from '../../../src/backends/openai-completions.ts';
import type { RemoteServer } from '../../../src/backends/remote-server.ts';
import { openSglang } from '../../../src/backends/sglang.ts';
import { openVllm } from '../../../src/backends/vllm.ts';
import { contractSuite } from './suite.ts';

/**
 * The contract against servers that run somewhere, a GPU box for example: their addresses in the environment.
 * `TURNWISE_LIVE_KEY`, `TURNWISE_LIVE_MODEL` and `TURNWISE_LIVE_TOKENIZER` (a folder) go with all of them.
 */
const KINDS = [
  // What each may compute over the causal limit depends on its blocks.
  ['TURNWISE_LIVE_VLLM', openVllm, 1.3],
  ['TURNWISE_LIVE_SGLANG', openSglang, 1.05],
  ['TURNWISE_LIVE_LLAMA_SERVER', openLlamaServer, null],
  ['TURNWISE_LIVE_COMPLETIONS', openCompletions, null],
] as const;

const { TURNWISE_LIVE_KEY: key, TURNWISE_LIVE_MODEL: model, TURNWISE_LIVE_TOKENIZER: tokenizer } = process.env;
const live = KINDS.filter(([variable]) => process.env[variable] !== undefined);

test.runIf(live.length === 0)('no address of a live server is in the environment', (context) => {
  context.skip(`Set ${KINDS.map(([variable]) => variable).join(', ')} to a URL.`);
});

for (const [variable, open, overLimit] of live) {
  const url = process.env[variable] ?? '';
  const remote: RemoteServer = { url, model: model ?? null, apiKey: key ?? null, tokenizer: tokenizer ?? null };
  contractSuite(
    `live, ${url}`,
    () => {
      const backend = open(remote);
      return Promise.resolve({
        backend,
        reopen: (changes) => open({ ...remote, ...changes }),
        close: () => backend.close(),
      });
    },
    {
      exact: false,
      // Half precision and other batches; a wrong row is off by whole nats.
      tolerance: 0.1,
      overLimit,
      liveOverLimit: overLimit,
      locked: key !== undefined,
      named: true,
    },
  );
}
