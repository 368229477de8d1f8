import { openChat } from '../../src/backends/chat.ts';
import type { ChatBackend } from '../../src/core/backend.ts';
import { sendJson, startProtocolServer } from '../backends/protocol-server.ts';
import type { Edge } from './edge.ts';

let bytes: Buffer = Buffer.alloc(0);
let opened: Promise<ChatBackend> | null = null;

/** A chat with a server that streams the bytes of the case, in pieces that cut through everything. */
async function open(): Promise<ChatBackend> {
  const { url } = await startProtocolServer((request, response) => {
    if (request.url?.endsWith('/models') === true) {
      sendJson(response, 200, { data: [{ id: 'm' }] });
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let at = 0; at < bytes.length; at += 97) response.write(bytes.subarray(at, at + 97));
    response.end();
  });
  return openChat({ name: 'The server', url: `${url}/v1`, apiKey: null, model: 'm' });
}

const chunk = (choice: object): object => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, ...choice }],
});
const token = (content: string, id: number): object =>
  chunk({
    delta: { content },
    finish_reason: null,
    token_ids: [id],
    logprobs: { content: [{ token: content, logprob: -id }] },
  });

/** The stream of a chat: server-sent events with a JSON chunk each. */
export const sseEdge: Edge = {
  inputs: [
    [
      chunk({ delta: { role: 'assistant', content: '' }, finish_reason: null }),
      token('Hé', 3),
      token(' you', 4),
      chunk({ delta: {}, finish_reason: 'stop' }),
    ],
    [token('a', 1), chunk({ delta: { content: 'b' }, finish_reason: 'length' })],
    [token('a', 1), { error: { message: 'out of memory', type: 'server_error', code: 500 } }],
  ],
  write: (value, space) =>
    [
      ...(Array.isArray(value) ? value : [value]).map((one: unknown) => {
        const end = space === '' ? '\n\n' : '\r\n\r\n: a remark\r\n\r\n';
        return `data:${space === '' ? ' ' : ''}${JSON.stringify(one)}${end}`;
      }),
      'data: [DONE]\n\n',
    ].join(''),
  read: async (given) => {
    bytes = given;
    const chat = await (opened ??= open());
    const sampling = { temperature: 1, top_p: 1, top_k: null, seed: null, max_tokens: 9 };
    const seen: unknown[] = [];
    try {
      for await (const event of chat.stream([{ role: 'user', content: 'hi' }], { sampling })) {
        if (event.type === 'failed') {
          // What has no name of its own is told as a lost connection; a mistake of ours must not hide there.
          const ours = /cannot read|is not (?:a|an|iterable)|undefined|reading '/i.test(event.message);
          const named = /^[a-z]+(_[a-z]+)*$/.test(event.reason) && /[.!?]$/.test(event.message) && !ours;
          return named ? { end: 'refused', reason: event.reason } : { end: 'unexpected', what: JSON.stringify(event) };
        }
        if (event.type === 'delta') seen.push(event.text);
        else {
          const record = { ...event.record, latency_ms: 0, first_token_ms: 0 };
          return { end: 'understood', value: [seen.join(''), event.type, record] };
        }
      }
    } catch (thrown) {
      return { end: 'unexpected', what: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) };
    }
    return { end: 'unexpected', what: 'the stream ended without an end' };
  },
};
