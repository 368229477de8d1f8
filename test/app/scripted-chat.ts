import type { ChatBackend, ChatEvent, GenerationRecord, Sampling } from '../../src/core/backend.ts';
import type { Message } from '../../src/core/message.ts';
import { generationOf } from '../core/event-arbitrary.ts';

/** One action of a script: words, or a list of what the server reports, in which an error is thrown. */
export type Line = string | readonly (ChatEvent | Error)[];

export const sampling: Sampling = { temperature: 1, top_p: 1, top_k: null, seed: 7, max_tokens: 256 };

export const QUESTION = 'Which unit?\nA) metres\nB) feet';
export const ANSWER = 'Metres, then.\nI WANT TO ANSWER:\nx = 1';

/** Not a model: a `ChatBackend` that says its lines in order, letter groups as deltas, and keeps what it was asked. */
export function scriptedChat(lines: readonly Line[]): ChatBackend & {
  readonly asked: { messages: readonly Message[]; sampling: Sampling }[];
} {
  const asked: { messages: readonly Message[]; sampling: Sampling }[] = [];
  return {
    name: 'script',
    asked,
    async *stream(messages, options) {
      const line = lines[asked.length] ?? [];
      asked.push({ messages, sampling: options.sampling });
      for (const event of typeof line === 'string' ? spoken(line, options.sampling) : line) {
        if (event instanceof Error) throw event;
        // A real server is slower than the event loop.
        await Promise.resolve();
        if (options.signal?.aborted === true) {
          yield { type: 'stopped', record: generationOf('Whi', { finish: 'stopped', sampling: options.sampling }) };
          return;
        }
        yield event;
      }
    },
  };
}

function spoken(text: string, asked: Sampling): ChatEvent[] {
  const record: GenerationRecord = generationOf(text, { sampling: asked });
  const deltas = text.match(/.{1,5}/gs) ?? [];
  return [...deltas.map((part): ChatEvent => ({ type: 'delta', text: part })), { type: 'finished', record }];
}
