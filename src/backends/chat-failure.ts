import { z } from 'zod';
import { errorText, TurnwiseError } from '../core/error.ts';
import { loggable } from '../core/secrets/redactor.ts';
import { NoConnection, Refusal } from './chat-wire.ts';

/** A failure as the chat reports it: a stable word, and a sentence for a person. */
export interface ChatFailure {
  readonly reason: string;
  readonly message: string;
}

/** Whether the server knows no such route. */
export function isAbsent(thrown: unknown): boolean {
  return thrown instanceof Refusal && (thrown.status === 404 || thrown.status === 405);
}

/** Whether asking with fewer parameters may help. */
export function mayBeAboutParameters(thrown: unknown): boolean {
  return thrown instanceof Refusal && (thrown.status === 400 || thrown.status === 422) && !isTooLong(thrown);
}

/** A reason and a sentence for whatever ended an answer; `begun`: some of it had come. */
export function explain(server: Asked, thrown: unknown, begun: boolean): ChatFailure {
  const { reason, message } = inWords(server, thrown, begun);
  // A server may repeat the key that it was asked with.
  const words = server.apiKey ? message.replaceAll(server.apiKey, '<redacted:key>') : message;
  return { reason, message: loggable(words, 'secrets') };
}

interface Asked {
  readonly name: string;
  readonly url: string;
  readonly model: string | null;
  readonly apiKey?: string | null;
}

function inWords(server: Asked, thrown: unknown, begun: boolean): ChatFailure {
  const { name, url, model } = server;
  if (thrown instanceof Refusal) return explainRefusal(name, model, thrown);
  if (thrown instanceof TurnwiseError) return { reason: thrown.reason, message: thrown.message };
  if (thrown instanceof SyntaxError || thrown instanceof z.ZodError) {
    return {
      reason: 'malformed_answer',
      message: `${name} answered with something that is not its protocol; check that ${url} is an OpenAI-compatible server.`,
    };
  }
  if (thrown instanceof NoConnection && !begun) {
    return {
      reason: 'unreachable',
      message: `${name} does not answer at ${url}; check that it runs and that the address is right.`,
    };
  }
  // What remains comes from the connection's underside: a stream that ended before its time.
  return {
    reason: 'connection_lost',
    message: `${name} went away in the middle of its answer (${errorText(thrown)}); choose Continue to ask again.`,
  };
}

function explainRefusal(name: string, model: string | null, refusal: Refusal): ChatFailure {
  const { status, message } = refusal;
  if (isTooLong(refusal)) {
    return {
      reason: 'too_long',
      message: `The conversation is longer than ${name} can take; start a new one, or choose a model with a larger context.`,
    };
  }
  switch (status) {
    case 401:
    case 403:
      return {
        reason: 'unauthorized',
        message: `${name} refuses the key (${status}); set the right one and try again.`,
      };
    case 404:
      return {
        reason: 'model_not_served',
        message: `${name} has no model ${model === null ? '' : `"${model}" `}at this address; check both.`,
      };
    case 429:
      return {
        reason: 'rate_limited',
        message: `${name} takes no more requests for now; wait a moment and try again.`,
      };
    case 400:
    case 422:
      return {
        reason: 'refused_request',
        message: `${name} refuses the request (${message}); change what it names.`,
      };
    default:
      return {
        reason: 'server_error',
        message: `${name} failed${status === null ? '' : ` with HTTP ${status}`}; its log says why, then try again.`,
      };
  }
}

// Servers have no common code for it, so their words have to do.
const TOO_LONG = /context (length|size|window)|too long|too many tokens|exceed.{0,40}(context|maximum)/i;

function isTooLong({ code, message }: Refusal): boolean {
  return code === 'too_long' || code === 'context_length_exceeded' || TOO_LONG.test(message);
}
