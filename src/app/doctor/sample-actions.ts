import type { ChatBackend, GenerationRecord, Sampling } from '../../core/backend.ts';
import { TurnwiseError } from '../../core/error.ts';
import { sha256Text } from '../../core/sha.ts';
import { probeMessages, type Probe } from './probes.ts';

/** Longest sampled action, tokens: a gain needs its beginning, and a slow server should not need an hour. */
const MAX_TOKENS = 160;

/**
 * One answer of the chat to a probe's reply, at this temperature and otherwise undisturbed, the same for the same seed where
 * the server can. Throws `TurnwiseError` where the chat fails, `aborted` where it was stopped.
 */
export async function sampleAction(
  chat: ChatBackend,
  probe: Probe,
  reply: string,
  { temperature, signal }: { readonly temperature: number; readonly signal: AbortSignal | undefined },
): Promise<GenerationRecord> {
  const sampling: Sampling = {
    temperature,
    top_p: 1,
    top_k: null,
    seed: Number.parseInt(sha256Text(`${probe.id} ${reply}`).slice(0, 7), 16),
    max_tokens: MAX_TOKENS,
  };
  const messages = probeMessages(probe, reply);
  for await (const event of chat.stream(messages, { sampling, ...(signal ? { signal } : {}) })) {
    switch (event.type) {
      case 'delta':
        break;
      case 'finished':
        return event.record;
      case 'stopped':
        signal?.throwIfAborted();
        throw new TurnwiseError('backend', 'aborted', `${chat.name} was stopped; try again.`);
      case 'failed':
        throw new TurnwiseError('backend', event.reason, event.message);
      default:
        event satisfies never;
    }
  }
  throw new TurnwiseError('protocol', 'cut_off', `${chat.name} ended without an answer; try again.`);
}
