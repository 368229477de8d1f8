import type { RemoteServer } from '../../../src/backends/remote-server.ts';
import type { Backend } from '../../../src/core/backend.ts';
import { trueLogprobs } from '../protocol/byte-model.ts';
import type { ProtocolServer } from '../protocol/serve.ts';
import type { Expectations, Subject } from './suite.ts';

const KEY = 'the-key';

/** What the model behind every protocol server lets the suite expect. */
export const PROTOCOL: Expectations = {
  exact: true,
  tolerance: 1e-4,
  overLimit: null,
  liveOverLimit: null,
  truth: trueLogprobs,
  locked: true,
  named: true,
};

/** A client of a protocol server as the contract suite wants it. */
export async function protocolSubject(
  open: (server: RemoteServer) => Backend,
  start: (key: string) => Promise<ProtocolServer>,
  tokenizer: string | null = null,
): Promise<Subject & { readonly server: ProtocolServer }> {
  const server = await start(KEY);
  const remote: RemoteServer = { url: server.url, model: null, apiKey: KEY, tokenizer };
  const backend = open(remote);
  return {
    server,
    backend,
    reopen: (changes) => open({ ...remote, ...changes }),
    asked: () => server.seen.length,
    computed: () => Promise.resolve(server.computed),
    close: async () => {
      await backend.close();
      await server.close();
    },
  };
}
