import { APIConnectionError, APIError } from 'openai';
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import { z } from 'zod';
import { errorText } from '../core/error.ts';
import { loggable } from '../core/secrets/redactor.ts';

/** A failure as the chat reports it: a stable word, and a sentence for a person. */
export interface ChatFailure {
  readonly reason: string;
  readonly message: string;
}

/** An HTTP refusal, or an error inside the stream, which has no status. */
interface Refusal {
  readonly status: number | undefined;
  readonly code: unknown;
  readonly message: string;
}

/** Some servers put an error into the stream as an ordinary event. */
export function inStreamError(chunk: ChatCompletionChunk): Error | null {
  if (!('error' in chunk) || typeof chunk.error !== 'object' || chunk.error === null) return null;
  return new APIError(undefined, chunk.error, undefined, undefined);
}

/** Whether the server knows no such route. */
export function isAbsent(thrown: unknown): boolean {
  const status = refusalOf(thrown)?.status;
  return status === 404 || status === 405;
}

/** Whether asking with fewer parameters may help. */
export function mayBeAboutParameters(thrown: unknown): boolean {
  const refusal = refusalOf(thrown);
  return refusal !== null && (refusal.status === 400 || refusal.status === 422) && !isTooLong(refusal);
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
  const refusal = refusalOf(thrown);
  if (refusal) return explainRefusal(name, model, refusal);
  if (thrown instanceof SyntaxError || thrown instanceof z.ZodError || isMisread(thrown)) {
    return {
      reason: 'malformed_answer',
      message: `${name} answered with something that is not its protocol; check that ${url} is an OpenAI-compatible server.`,
    };
  }
  if (thrown instanceof APIConnectionError && !begun) {
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

/** A reader (the OpenAI client's own) stumbled over an answer; a broken connection has a cause, or says so. */
function isMisread(thrown: unknown): boolean {
  return (
    thrown instanceof TypeError &&
    thrown.cause === undefined &&
    !/terminated|fetch failed|network/i.test(thrown.message)
  );
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
        message: `${name} failed${status === undefined ? '' : ` with HTTP ${status}`}; its log says why, then try again.`,
      };
  }
}

// Servers have no common code for it, so their words have to do.
const TOO_LONG = /context (length|size|window)|too long|too many tokens|exceed.{0,40}(context|maximum)/i;

function isTooLong({ code, message }: Refusal): boolean {
  return code === 'too_long' || code === 'context_length_exceeded' || TOO_LONG.test(message);
}

function refusalOf(thrown: unknown): Refusal | null {
  if (!(thrown instanceof APIError) || thrown instanceof APIConnectionError) return null;
  const { status, code, message } = thrown as Refusal;
  return { status, code, message };
}
