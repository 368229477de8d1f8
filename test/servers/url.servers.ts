import { z } from 'zod';
import { openLlamaServer } from '../../src/backends/llama-server.ts';
import { openCompletions } from '../../src/backends/openai-completions.ts';
import type { RemoteServer } from '../../src/backends/remote-server.ts';
import { openSglang } from '../../src/backends/sglang.ts';
import { openVllm } from '../../src/backends/vllm.ts';
import type { Backend } from '../../src/core/backend.ts';
import { contractSuite } from '../backends/contract/suite.ts';

const OPEN = {
  vllm: openVllm,
  sglang: openSglang,
  'llama-server': openLlamaServer,
  'openai-completions': openCompletions,
} satisfies Record<string, (server: RemoteServer) => Backend>;

/** A server that runs already, on a machine with a GPU for example; see CONTRIBUTING.md. */
const live = z
  .object({
    SERVER_URL: z.url(),
    SERVER_KIND: z.enum(['vllm', 'sglang', 'llama-server', 'openai-completions']),
    SERVER_MODEL: z.string().optional(),
    SERVER_KEY: z.string().optional(),
    /** A folder with its tokenizer; else what the server itself offers. */
    SERVER_TOKENIZER: z.string().optional(),
    /** Nats by which two scorings of one thing may differ; 16-bit weights need more than 32-bit ones. */
    SERVER_TOLERANCE: z.coerce.number().positive().default(0.1),
  })
  .parse(process.env);

const open = (changes: { readonly apiKey?: string; readonly model?: string } = {}): Backend =>
  OPEN[live.SERVER_KIND]({
    url: live.SERVER_URL,
    model: changes.model ?? live.SERVER_MODEL ?? null,
    apiKey: changes.apiKey ?? live.SERVER_KEY ?? null,
    tokenizer: live.SERVER_TOKENIZER ?? null,
  });

contractSuite(
  `${live.SERVER_KIND} at ${live.SERVER_URL}`,
  () => {
    const backend = open();
    return Promise.resolve({ backend, reopen: open, close: () => backend.close() });
  },
  {
    ...{ exact: false, tolerance: live.SERVER_TOLERANCE, overLimit: null, liveOverLimit: null },
    ...{ locked: live.SERVER_KEY !== undefined, named: true },
  },
);
