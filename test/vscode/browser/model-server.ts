import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/**
 * What the server does with a chat request: says words, calls tools by name with what they take, says the beginning of words and
 * falls silent, says words as they come, never answers, or refuses with a status.
 */
export type Act =
  | { readonly say: string }
  | { readonly call: readonly (readonly [name: string, handed: object])[] }
  | { readonly begin: string }
  | { readonly live: AsyncIterable<string> }
  | { readonly silence: true }
  | { readonly refuse: number };

export interface ModelServer {
  /** Base URL up to /v1. */
  readonly url: string;
  readonly port: number;
  /** Paths of every request that came in. */
  readonly asked: readonly string[];
  /** Bodies of the chat requests, oldest first. */
  readonly chats: readonly ChatRequest[];
  close(): Promise<void>;
}

/** What the model is given: the part of a request that tests look at. */
export interface ChatRequest {
  readonly messages: readonly {
    readonly role: string;
    readonly content: string | null;
    readonly tool_calls?: readonly { readonly function: { readonly name: string; readonly arguments: string } }[];
  }[];
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
}

/**
 * An OpenAI-compatible chat server whose words the test chooses: hostile ones, or none. Everything else of the product is
 * the real thing in these tests; no model can be made to say a given text on a given day.
 */
export async function startModelServer(
  act: (chatNumber: number) => Act,
  { port: wanted = 0 }: { readonly port?: number } = {},
): Promise<ModelServer> {
  const asked: string[] = [];
  const chats: ChatRequest[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/v1/models') {
      json(response, { object: 'list', data: [{ id: 'stand-in', object: 'model', created: 0, owned_by: 'test' }] });
    } else if (request.url === '/v1/chat/completions') {
      void text(request).then((body) => {
        chats.push(JSON.parse(body) as ChatRequest);
        return chat(response, act(chats.length));
      });
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((listening) => server.listen(wanted, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    port,
    asked,
    chats,
    close: () =>
      new Promise((closed) => {
        server.close(() => {
          closed();
        });
        server.closeAllConnections();
      }),
  };
}

async function chat(response: ServerResponse, act: Act): Promise<void> {
  if ('refuse' in act) {
    response.writeHead(act.refuse, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}');
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  if ('silence' in act) return;
  const send = (delta: object, finish_reason: string | null) => {
    const choices = [{ index: 0, delta, finish_reason, logprobs: null }];
    const chunk = { id: 'chat', object: 'chat.completion.chunk', created: 0, model: 'stand-in', choices };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  send({ role: 'assistant', content: '' }, null);
  if ('call' in act) {
    for (const [index, [name, handed]] of act.call.entries()) {
      send({ tool_calls: [{ index, id: `call_${index}`, type: 'function', function: { name, arguments: '' } }] }, null);
      // In pieces, as servers send them.
      for (const piece of JSON.stringify(handed).match(/.{1,9}/gs) ?? []) {
        send({ tool_calls: [{ index, function: { arguments: piece } }] }, null);
      }
    }
  } else if ('live' in act) {
    for await (const piece of act.live) send({ content: piece }, null);
  } else {
    const words = 'say' in act ? act.say : act.begin;
    for (const piece of words.match(/.{1,24}/gs) ?? []) send({ content: piece }, null);
    if ('begin' in act) return;
  }
  send({}, 'call' in act ? 'tool_calls' : 'stop');
  response.end('data: [DONE]\n\n');
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Settings under which the chat speaks to this server. */
export const chatSettings = ({ url }: ModelServer): Readonly<Record<string, unknown>> => ({
  'turnwise.servers': [{ name: 'stand-in', url, model: 'stand-in' }],
  'turnwise.chat.server': 'stand-in',
  'turnwise.scoring.enabled': false,
});

/** Words that the test gives one by one. */
export interface Tap {
  readonly live: AsyncIterable<string>;
  readonly give: (text: string) => void;
  readonly end: () => void;
}

export function openTap(): Tap {
  const words = new TransformStream<string, string>();
  const writer = words.writable.getWriter();
  return {
    live: words.readable,
    // A reader that is gone (the answer was stopped) takes no more.
    give: (text) => void writer.write(text).catch(() => undefined),
    end: () => void writer.close().catch(() => undefined),
  };
}
