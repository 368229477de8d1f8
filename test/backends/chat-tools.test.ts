import { afterEach, expect, test } from 'vitest';
import { openChat } from '../../src/backends/chat.ts';
import { wireMessages } from '../../src/backends/chat-tools.ts';
import type { ChatEvent, Sampling, ToolOffer } from '../../src/core/backend.ts';
import type { Message } from '../../src/core/message.ts';
import { toolCallText } from '../../src/core/tool-call.ts';
import { sendJson, startProtocolServer } from './protocol-server.ts';

const sampling: Sampling = { temperature: 0.7, top_p: 1, top_k: null, seed: null, max_tokens: 9 };
const tools: ToolOffer = {
  choice: 'auto',
  definitions: [{ name: 'read_file', description: 'Read it.', parameters: { type: 'object', properties: {} } }],
};
const CALL = toolCallText('Looking.', [
  { name: 'read_file', arguments: '{"path": "a.py"}' },
  { name: 'read_file', arguments: '{"path": "b.py"}' },
]);
const talk: Message[] = [
  { role: 'user', content: 'Fix it.' },
  { role: 'assistant', content: CALL },
  { role: 'tool', content: 'x = 1' },
  { role: 'tool', content: 'y = 2' },
];

const chunk = (delta: object, finish_reason: string | null, more: object = {}): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason, ...more }] })}\n\n`;
const piece = (index: number, call: object): object => ({ tool_calls: [{ index, type: 'function', function: call }] });
const CALLING = [
  chunk({ role: 'assistant', content: 'Looking.' }, null),
  chunk(piece(0, { name: 'read_file', arguments: '' }), null),
  chunk(piece(0, { arguments: '{"pa' }), null),
  chunk(piece(0, { arguments: 'th":"a.py"}' }), null),
  chunk(piece(1, { name: 'read_file', arguments: '{"path": "b.py"}' }), null),
  chunk({}, 'tool_calls'),
  'data: [DONE]\n\n',
].join('');

let close: (() => Promise<void>) | undefined;
afterEach(() => close?.());

/** A server that answers as told, or refuses a request with tools. */
async function serve(body: string, refusal: string | null = null) {
  const bodies: Record<string, unknown>[] = [];
  const server = await startProtocolServer((request, response, text) => {
    if (request.url === '/v1/models') {
      sendJson(response, 200, { data: [{ id: 'm' }] });
      return;
    }
    const asked = JSON.parse(text) as Record<string, unknown>;
    bodies.push(asked);
    if (refusal !== null && asked['tools'] !== undefined) sendJson(response, 400, { error: { message: refusal } });
    else response.writeHead(200, { 'content-type': 'text/event-stream' }).end(body);
  });
  close = () => server.close();
  const chat = openChat({ url: server.url, apiKey: null, model: null, name: 'The server' });
  const say = async (messages: readonly Message[], offer: ToolOffer | undefined): Promise<ChatEvent | undefined> => {
    let last: ChatEvent | undefined;
    for await (const event of chat.stream(messages, { sampling, tools: offer })) last = event;
    return last;
  };
  return { bodies, say };
}

test('tools go into the request, and calls come back as text, piece by piece', async () => {
  const { bodies, say } = await serve(CALLING);
  const said = await say(talk.slice(0, 1), tools);
  expect(said).toMatchObject({
    type: 'finished',
    record: { text: CALL, finish: 'stop', ids: null, offered_tools: ['read_file'] },
  });
  expect(bodies[0]).toMatchObject({
    tool_choice: 'auto',
    tools: [{ type: 'function', function: { name: 'read_file', description: 'Read it.' } }],
  });
});

test('calls and results of the history are told in the terms of the server', async () => {
  const { bodies, say } = await serve(CALLING);
  await say(talk, tools);
  expect(bodies[0]?.['messages']).toEqual([
    talk[0],
    {
      role: 'assistant',
      content: 'Looking.',
      tool_calls: [
        { id: 'call_1_0', type: 'function', function: { name: 'read_file', arguments: '{"path": "a.py"}' } },
        { id: 'call_1_1', type: 'function', function: { name: 'read_file', arguments: '{"path": "b.py"}' } },
      ],
    },
    { role: 'tool', content: 'x = 1', tool_call_id: 'call_1_0' },
    { role: 'tool', content: 'y = 2', tool_call_id: 'call_1_1' },
  ]);
});

test.each([
  ['names them', '"auto" tool choice requires --enable-auto-tool-choice', 1],
  ['does not say why', 'bad request', 3],
])(
  'a server that refuses tools and %s is asked without, and no second time with them',
  async (_name, refusal, tries) => {
    const { bodies, say } = await serve(chunk({ content: 'Hm?' }, 'stop') + 'data: [DONE]\n\n', refusal);
    const said = await say(talk, tools);
    expect(said).toMatchObject({ type: 'finished', record: { text: 'Hm?' } });
    expect(said).not.toHaveProperty('record.offered_tools');
    expect(bodies.map((body) => 'tools' in body)).toEqual([...Array.from({ length: tries }, () => true), false]);
    // It reads the same words as plain text.
    expect(bodies.at(-1)?.['messages']).toEqual([
      talk[0],
      talk[1],
      { role: 'user', content: 'x = 1' },
      { role: 'user', content: 'y = 2' },
    ]);
    await say(talk, tools);
    expect(bodies).toHaveLength(tries + 2);
  },
);

test('without an offer nothing is said of tools', async () => {
  const { bodies, say } = await serve(chunk({ content: 'Hm?' }, 'stop') + 'data: [DONE]\n\n');
  await say(talk.slice(0, 1), undefined);
  expect(Object.keys(bodies[0] ?? {})).not.toContain('tools');
});

test('ids of a call count only where they are all there', async () => {
  const usage = (completion_tokens: number): string =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage: { prompt_tokens: 3, completion_tokens } })}\n\n`;
  const stream = (tokens: number): string =>
    chunk(piece(0, { name: 'read_file', arguments: '{}' }), null, { token_ids: [7, 8] }) +
    chunk({}, 'tool_calls', { token_ids: [9] }) +
    usage(tokens) +
    'data: [DONE]\n\n';
  const whole = await serve(stream(3));
  expect(await whole.say(talk.slice(0, 1), tools)).toMatchObject({ record: { ids: [7, 8, 9] } });
  await close?.();
  const parts = await serve(stream(5));
  expect(await parts.say(talk.slice(0, 1), tools)).toMatchObject({ record: { ids: null } });
});

test('a history with a call that has no result is plain text', () => {
  const open: Message[] = [...talk.slice(0, 3), { role: 'user', content: 'go on' }];
  expect(wireMessages(open, true)).toEqual([talk[0], talk[1], { role: 'user', content: 'x = 1' }, open[3]]);
});

test('imported messages with ids of their own pass as they are', () => {
  const own: Message[] = [{ role: 'tool', content: 'ok', tool_call_id: 'abc' }];
  expect(wireMessages(own, true)).toEqual(own);
});
