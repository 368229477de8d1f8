import { parseAction } from '../core/agent-protocol.ts';
import type { ChatBackend, GenerationRecord, Sampling, ToolOffer } from '../core/backend.ts';
import { errorText, TurnwiseError } from '../core/error.ts';
import { generationSchema } from '../core/event.ts';
import type { Message } from '../core/message.ts';
import { splitToolCalls } from '../core/tool-call.ts';

/** What one action reports: deltas while it runs, then exactly one of the others. */
export type AgentEvent =
  | { readonly type: 'delta'; readonly text: string }
  | {
      readonly type: 'asked';
      readonly question: string;
      readonly options: readonly string[];
      readonly generation: GenerationRecord;
    }
  | {
      readonly type: 'answered';
      readonly message: string;
      readonly code: string;
      readonly generation: GenerationRecord;
    }
  | { readonly type: 'called'; readonly generation: GenerationRecord }
  | { readonly type: 'stopped'; readonly generation: GenerationRecord }
  | { readonly type: 'failed'; readonly reason: string; readonly message: string; readonly partial: string };

export interface ActOptions {
  readonly sampling: Sampling;
  readonly marker: string;
  /** The last allowed turn: the whole message is the answer. */
  readonly lastTurn: boolean;
  readonly signal?: AbortSignal | undefined;
  /** What the model is told of; calls in its text count where it was told. */
  readonly tools?: ToolOffer | undefined;
}

/**
 * Lets the model say one thing, and understands it. Never throws for a model's or server's failure: whatever goes wrong is
 * `failed`, with a reason, a sentence, and the text so far. Aborting the signal gives `stopped`.
 */
export async function* actOnce(
  chat: ChatBackend,
  messages: readonly Message[],
  { sampling, marker, lastTurn, signal, tools }: ActOptions,
): AsyncGenerator<AgentEvent, void, void> {
  let partial = '';
  const failed = (reason: string, message: string): AgentEvent => ({ type: 'failed', reason, message, partial });
  try {
    for await (const event of chat.stream(messages, { sampling, tools, ...(signal === undefined ? {} : { signal }) })) {
      switch (event.type) {
        case 'delta':
          partial += event.text;
          yield event;
          continue;
        case 'finished':
        case 'stopped':
          yield understand(event.type, event.record);
          return;
        case 'failed':
          yield event;
          return;
        default:
          event satisfies never;
      }
    }
    yield failed('cut_off', `${chat.name} ended its answer without saying so; choose Continue to ask again.`);
  } catch (thrown) {
    const reason = thrown instanceof TurnwiseError ? thrown.reason : 'unexpected';
    yield failed(reason, errorText(thrown));
  }

  function understand(type: 'finished' | 'stopped', record: GenerationRecord): AgentEvent {
    // A record that the journal could not read back must not be shown as an answer.
    const checked = generationSchema.safeParse(record);
    if (!checked.success) {
      const where = checked.error.issues[0]?.path.join('.') ?? '';
      return failed(
        'invalid_record',
        `${chat.name} reported an answer with a bad "${where}"; choose Continue to retry.`,
      );
    }
    const generation = checked.data;
    if (type === 'stopped') return { type, generation };
    if (generation.text.trim() === '') {
      return failed('empty_text', `${chat.name} answered with nothing; choose Continue to ask again.`);
    }
    if (tools !== undefined && splitToolCalls(generation.text).calls.length > 0) return { type: 'called', generation };
    const parsed = parseAction(generation.text, { marker, lastTurn });
    return parsed.kind === 'answer'
      ? { type: 'answered', message: parsed.message, code: parsed.code, generation }
      : { type: 'asked', question: parsed.question, options: parsed.options, generation };
  }
}
