// Connects, waits for a line, asks for scores, leaves before they come, and has nothing more to do.
import { once } from 'node:events';
import { openLlamaServer } from '../../../src/backends/llama-server.ts';
import { openCompletions } from '../../../src/backends/openai-completions.ts';
import { openSglang } from '../../../src/backends/sglang.ts';
import { openVllm } from '../../../src/backends/vllm.ts';
import { TurnwiseError } from '../../../src/core/error.ts';

const OPEN = {
  vllm: openVllm,
  sglang: openSglang,
  'llama-server': openLlamaServer,
  'openai-completions': openCompletions,
} as const;
export type ScorerKind = keyof typeof OPEN;

const [kind = 'vllm', url = '', folder = ''] = process.argv.slice(2);
const open = OPEN[kind as ScorerKind];
const backend = open({ url, model: null, apiKey: null, tokenizer: folder === '' ? null : folder });
await backend.facts();
console.log('connected');
await once(process.stdin, 'data');
process.stdin.destroy();
const leaving = new AbortController();
const ids = Array.from({ length: 20 }, (_, at) => 65 + at);
const scoring = backend.score([{ ids, from: 5, to: 20 }], { signal: leaving.signal });
setTimeout(() => {
  leaving.abort();
}, 100);
await scoring.catch((thrown: unknown) => {
  console.log(thrown instanceof TurnwiseError ? thrown.reason : 'something else');
});
await backend.close();
