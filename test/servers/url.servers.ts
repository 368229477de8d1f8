import { z } from 'zod';
import { openLlamaServer } from '../../src/backends/llama-server.ts';
import { openCompletions } from '../../src/backends/openai-completions.ts';
import type { RemoteServer } from '../../src/backends/remote-server.ts';
import { openSglang } from '../../src/backends/sglang.ts';
import { openVllm } from '../../src/backends/vllm.ts';
import type { Backend } from '../../src/core/backend.ts';
import { contractSuite } from '../backends/contract/suite.ts';
import { doctorSuite } from './doctor.ts';

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
    /** What its chat's log-probs are, where that is known: the doctor has to find the same. */
    SERVER_MODE: z.enum(['raw', 'processed']).optional(),
    /** It serves the toy's weights, whose gains are known. */
    SERVER_TOY: z.literal('1').optional(),
  })
  .parse(process.env);

const remote: RemoteServer = {
  url: live.SERVER_URL,
  model: live.SERVER_MODEL ?? null,
  apiKey: live.SERVER_KEY ?? null,
  tokenizer: live.SERVER_TOKENIZER ?? null,
};
const open = (changes: { readonly apiKey?: string; readonly model?: string } = {}): Backend =>
  OPEN[live.SERVER_KIND]({ ...remote, ...changes });

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

const print = (what: string, value: number | string, unit = '', limit = ''): void => {
  console.log(`${what}: ${value} ${unit}${limit === '' ? '' : ` (${limit})`}`);
};
doctorSuite(
  () => remote,
  { add: print },
  {
    kind: live.SERVER_KIND,
    mode: live.SERVER_MODE ?? null,
    tolerance: live.SERVER_TOLERANCE,
    reusesPrefix: null,
    toy: live.SERVER_TOY !== undefined,
  },
);
