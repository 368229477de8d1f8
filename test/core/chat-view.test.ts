import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyToView, chatView, viewUpdate, type ChatSurroundings } from '../../src/core/chat-view.ts';
import type { EventBody } from '../../src/core/event.ts';
import { initialState, reduce, step } from '../../src/core/reduce.ts';
import { chatViewSchema, hostMessageSchema, type ChatView, type HostMessage } from '../../src/core/webview-protocol.ts';
import { eventBody, generationOf, started, stored } from './event-arbitrary.ts';
import { calm } from './calm.ts';

const viewOf = (bodies: readonly EventBody[], around: Partial<ChatSurroundings> = {}): ChatView =>
  chatView(reduce(stored(bodies)), { ...calm, ...around });

const requested: EventBody = { type: 'request_accepted', text: 'Convert it.' };
const begun: EventBody = { type: 'action_started', turn: 0, pid: 1 };
const asked: EventBody = {
  type: 'action_asked',
  turn: 0,
  question: 'Which unit?',
  options: ['metres', 'feet'],
  generation: generationOf('Which unit?'),
};

describe('what the chat offers', () => {
  test.each<[string, readonly EventBody[], Partial<ChatSurroundings>, ChatView['status']['offer']]>([
    ['before the first word', [], {}, 'request'],
    ['before the first word, where nothing can be kept', [], { blocked: 'The disk is full.' }, 'blocked'],
    ['words on the disk, nobody acts', [started, requested], {}, 'continue'],
    ['words on the disk, the action is about to begin', [started, requested], { streaming: '' }, 'stop'],
    ['the agent writes here', [started, requested, begun], { streaming: 'Whi' }, 'stop'],
    ['the agent writes in another window', [started, requested, begun], {}, 'wait'],
    ['the agent asked', [started, requested, begun, asked], {}, 'reply'],
    [
      'found dead at the next start',
      [started, requested, begun, { type: 'action_interrupted', turn: 0 }],
      {},
      'continue',
    ],
    ['all turns are used up', [{ ...started, max_turns: 1 }, requested, begun, asked], {}, 'new'],
    ['closed', [started, requested, begun, asked, { type: 'episode_closed' }], {}, 'new'],
  ])('%s', (_name, bodies, around, offer) => {
    expect(viewOf(bodies, around).status.offer).toBe(offer);
  });

  test('a failure says why until the next action begins', () => {
    const failed: EventBody = { type: 'action_failed', turn: 0, reason: 'x', message: 'It broke; go on.', partial: '' };
    const bodies = [started, requested, begun, failed];
    expect(viewOf(bodies).status.trouble).toBe('It broke; go on.');
    expect(viewOf(bodies, { streaming: '' }).status.trouble).toBeNull();
    expect(viewOf([...bodies, begun, asked]).status.trouble).toBeNull();
  });

  test.each([
    ['the advice', 'Which unit?\nA) metres\nB) feet (recommended)', ['metres', 'feet'], 1],
    ['none', 'Which unit?\nA) metres\nB) feet', ['metres', 'feet'], null],
    ['none of a text that was read otherwise once', 'Which unit?\nA) metres\nB) feet (recommended)', ['metres'], null],
  ])('of a question, %s', (_name, text, options, recommended) => {
    const view = viewOf([started, requested, begun, { ...asked, options, generation: generationOf(text) }]);
    expect(view.turns[0]?.recommended).toBe(recommended);
  });

  test.each([
    ['ids', {}, 3, 2],
    ['counts where it tells no ids', { prompt_ids: null, ids: null, usage: { prompt: 9, completion: 0 } }, 9, 0],
    ['neither', { prompt_ids: null, ids: null }, null, null],
  ])('of what an action cost the server told %s', (_name, told, promptTokens, tokens) => {
    const view = viewOf([started, requested, begun, { ...asked, generation: generationOf('Which unit?', told) }]);
    expect(view.turns[0]?.figures).toEqual({ model: 'm', promptTokens, tokens, firstTokenMs: 3, latencyMs: 12 });
  });

  test('of a long conversation the newest turns are shown, and how many went before', () => {
    const turns = [0, 1, 2].flatMap((turn): EventBody[] => [
      { ...begun, turn },
      { ...asked, turn },
      { type: 'observed', turn, kind: 'typed', text: 'yes', options_shown: [], option: null, latency_ms: null },
    ]);
    const view = viewOf([{ ...started, max_turns: 9 }, requested, ...turns], { shown: 2 });
    expect(view.earlier).toBe(1);
    expect(view.turns.map(({ index }) => index)).toEqual([1, 2]);
  });
});

describe('messages to the chat', () => {
  const number = (message: object, seq: number): HostMessage =>
    hostMessageSchema.parse({ ...message, seq: 'view' in message ? 0 : seq });

  test('applied one by one they give the very view that the host has, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(eventBody, { maxLength: 20 }), fc.array(fc.option(fc.string())), (bodies, streams) => {
        let state = initialState('e');
        let view = chatView(state, calm);
        let page = applyToView(null, { type: 'snapshot', seq: 0, view });
        for (const [at, event] of stored([started, requested, ...bodies]).entries()) {
          state = step(state, event);
          const next = chatView(state, { ...calm, shown: 2, streaming: streams[at] ?? null });
          const update = viewUpdate(view, next);
          if (update !== null) page = applyToView(page, number(update, (page?.seq ?? 0) + 1));
          view = next;
          expect(page?.view).toEqual(view);
          expect(chatViewSchema.safeParse(view).success).toBe(true);
        }
      }),
    );
  });

  test('nothing new is no message', () => {
    const view = viewOf([started, requested, begun, asked]);
    expect(viewUpdate(view, structuredClone(view))).toBeNull();
  });

  test('one new turn is sent alone', () => {
    const reply: EventBody = {
      type: 'observed',
      turn: 0,
      kind: 'option',
      text: 'metres',
      options_shown: ['metres', 'feet'],
      option: 'metres',
      latency_ms: 5,
    };
    const before = viewOf([started, requested, begun, asked, reply, { ...begun, turn: 1 }]);
    const after = viewOf([started, requested, begun, asked, reply, { ...begun, turn: 1 }, { ...asked, turn: 1 }]);
    const update = viewUpdate(before, after);
    expect(update?.type === 'update' && update.turns.map(({ index }) => index)).toEqual([1]);
  });

  test('a gap, a delta for another turn or words before the snapshot ask for a snapshot', () => {
    const view = viewOf([started, requested, begun], { streaming: 'Whi' });
    const page = applyToView(null, { type: 'snapshot', seq: 0, view });
    expect(applyToView(null, { type: 'delta', seq: 0, turn: 0, text: 'ch' })).toBeNull();
    expect(applyToView(page, { type: 'delta', seq: 2, turn: 0, text: 'ch' })).toBeNull();
    expect(applyToView(page, { type: 'delta', seq: 1, turn: 1, text: 'ch' })).toBeNull();
    expect(applyToView(page, { type: 'delta', seq: 1, turn: 0, text: 'ch' })?.view.status.running?.text).toBe('Which');
  });
});
