import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChatTemplate } from '../../src/core/backend.ts';
import type { Message } from '../../src/core/message.ts';
import { actionText as textOf, cutContext as cut, rendererOf, type ContextPiece } from '../../src/core/template.ts';
import { renderChat } from '../../src/core/render-chat.ts';

const tokens = { endOfTurn: ['<|im_end|>'], bosToken: null, eosToken: '<|im_end|>' };

const chatml: ChatTemplate = {
  ...tokens,
  source:
    "{%- for m in messages -%}{{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>' + '\\n' -}}{%- endfor -%}{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}",
};
const trimming: ChatTemplate = { ...chatml, source: chatml.source.replace('m.content', '(m.content | trim)') };
const shouting: ChatTemplate = { ...chatml, source: chatml.source.replace('m.content', '(m.content | upper)') };
const refusing: ChatTemplate = { ...chatml, source: "{{ raise_exception('only user and assistant') }}" };

const talk: Message[] = [
  { role: 'user', content: 'Average a list.' },
  { role: 'assistant', content: 'And None?' },
  { role: 'user', content: 'skip them' },
  { role: 'assistant', content: 'Noted.' },
];

const cutContext = async (
  template: ChatTemplate,
  messages: readonly Message[],
  observations: readonly number[],
): Promise<ContextPiece[] | null> => (await cut(rendererOf({ template, render: null }), messages, observations)).pieces;
const actionText = (
  template: ChatTemplate,
  messages: readonly Message[],
  action: number,
  options: { readonly ended: boolean },
): Promise<string> => {
  const render = rendererOf({ template, render: null });
  return textOf({ render, endOfTurn: template.endOfTurn }, messages, action, options);
};

describe('cutContext', () => {
  test('marks the reply alone: role markers stay outside', async () => {
    expect(await cutContext(chatml, talk.slice(0, 3), [2])).toEqual([
      {
        text: '<|im_start|>user\nAverage a list.<|im_end|>\n<|im_start|>assistant\nAnd None?<|im_end|>\n<|im_start|>user\n',
        observation: false,
      },
      { text: 'skip them', observation: true },
      { text: '<|im_end|>\n<|im_start|>assistant\n', observation: false },
    ]);
  });

  test('marks several observations of one turn', async () => {
    const messages: Message[] = [...talk.slice(0, 3), { role: 'tool', content: 'exit code 1' }];
    const texts = (await cutContext(chatml, messages, [2, 3]))?.filter((piece) => piece.observation);
    expect(texts?.map((piece) => piece.text)).toEqual(['skip them', 'exit code 1']);
  });

  test('takes what a trimming template printed', async () => {
    const messages: Message[] = [...talk.slice(0, 2), { role: 'user', content: '  skip them \n' }];
    expect((await cutContext(trimming, messages, [2]))?.[1]).toEqual({ text: 'skip them', observation: true });
  });

  test('knows when a template rewrites the reply', async () => {
    expect(await cutContext(shouting, talk.slice(0, 3), [2])).toBeNull();
  });

  test('names a template that refuses the conversation', async () => {
    await expect(cutContext(refusing, talk, [2])).rejects.toMatchObject({
      fault: 'protocol',
      reason: 'template_failed',
    });
  });

  test('adds up to the rendering for any texts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 3, maxLength: 6 }), async (contents) => {
        const messages = contents.map((content, k): Message => ({ role: k % 2 === 0 ? 'user' : 'assistant', content }));
        const pieces = await cutContext(chatml, messages, [contents.length - 1]);
        const whole = renderChat(chatml, messages, { addGenerationPrompt: true });
        expect(pieces?.map((piece) => piece.text).join('')).toBe(whole);
        expect(pieces?.find((piece) => piece.observation)?.text).toBe(contents.at(-1));
      }),
    );
  });
});

describe('actionText', () => {
  test('ends with the end-of-turn token that the model had to emit', async () => {
    expect(await actionText(chatml, talk, 3, { ended: true })).toBe('Noted.<|im_end|>');
    expect(await actionText(chatml, talk, 1, { ended: true })).toBe('And None?<|im_end|>');
  });

  test('has none after a stop', async () => {
    expect(await actionText(chatml, talk, 3, { ended: false })).toBe('Noted.');
  });

  test('has none where the template shows none', async () => {
    const bare: ChatTemplate = { ...chatml, source: '{%- for m in messages -%}{{ m.content }}\n{%- endfor -%}' };
    expect(await actionText(bare, talk, 3, { ended: true })).toBe('Noted.');
  });
});
