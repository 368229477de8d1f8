import { createParser } from 'eventsource-parser';
import { TurnwiseError } from '../core/error.ts';
import { chunksOf, MAX_ANSWER_BYTES, SILENCE_MS, watchSilence, wholeText, type SilenceWatch } from './http-body.ts';
import { toldIn } from './http-refusal.ts';

/** A server's no: an HTTP refusal, or an error inside a stream, which has no status. */
export class Refusal extends Error {
  readonly status: number | null;
  /** The server's own word for it. */
  readonly code: unknown;

  constructor(status: number | null, code: unknown, words: string) {
    super([status, words].filter((part) => part !== null && part !== '').join(' '));
    this.status = status;
    this.code = code;
  }
}

/** Nobody answered. */
export class NoConnection extends Error {}

/** The two requests of a chat with an OpenAI-compatible server. */
export interface ChatWire {
  /** The list of models, as JSON or, where it is none, as text. */
  models(signal: AbortSignal): Promise<unknown>;
  /** Begins an answer, and gives its events as JSON values. Throws `Refusal`, `NoConnection`, `SyntaxError` for what is no JSON. */
  complete(body: object, signal: AbortSignal): Promise<AsyncGenerator<unknown, void, void>>;
}

/** Much longer than any list of models, and than any refusal. */
const MAX_TEXT_BYTES = 4 * 2 ** 20;

export interface WireServer {
  /** Begins the sentences about it. */
  readonly name: string;
  /** With its `/v1`. */
  readonly url: string;
  readonly key: string | null;
  readonly silenceMs?: number | undefined;
  readonly maxAnswerBytes?: number | undefined;
}

/**
 * What is sent is what stands here: nothing of this machine's environment, no name of a system or a version. Requests go out
 * once; silence and size have limits (`hung`, `answer_too_large`).
 */
export function openChatWire({
  name,
  url,
  key,
  silenceMs = SILENCE_MS,
  maxAnswerBytes = MAX_ANSWER_BYTES,
}: WireServer): ChatWire {
  const headers = {
    ...(key === null ? {} : { authorization: `Bearer ${key}` }),
    'content-type': 'application/json',
  };
  const tooLarge = (): Error =>
    new TurnwiseError(
      'protocol',
      'answer_too_large',
      `${name} answers without an end; choose another model or server.`,
    );

  async function send(path: string, body: object | null, watch: SilenceWatch): Promise<Response> {
    const request = body === null ? {} : { method: 'POST', body: JSON.stringify(body) };
    let response: Response;
    try {
      response = await fetch(`${url}${path}`, { ...request, headers, signal: watch.signal });
    } catch (cause) {
      throw watch.expired() ? hung() : new NoConnection('fetch failed', { cause });
    }
    watch.heard();
    if (response.ok) return response;
    const text = await wholeText(chunksOf(response, watch, MAX_TEXT_BYTES, tooLarge)).catch(() => '');
    const told = toldIn(jsonOr(text, null));
    throw new Refusal(response.status, told?.code, told?.message ?? text.slice(0, MAX_WORDS));
  }

  async function* eventsOf(response: Response, watch: SilenceWatch): AsyncGenerator<unknown, void, void> {
    const decoder = new TextDecoder();
    const come: string[] = [];
    const parser = createParser({ onEvent: ({ data }) => come.push(data) });
    try {
      for await (const bytes of chunksOf(response, watch, maxAnswerBytes, tooLarge)) {
        parser.feed(decoder.decode(bytes, { stream: true }));
        for (const data of come.splice(0)) {
          if (data === DONE) return;
          yield eventOf(data);
        }
      }
      // The last event counts without the blank line behind it, unless the end cut it short.
      parser.feed('\n\n');
      for (const data of come) {
        const last = data === DONE ? undefined : jsonOr(data, undefined);
        if (last !== undefined) yield eventOf(data);
      }
    } catch (thrown) {
      throw watch.expired() ? hung() : thrown;
    } finally {
      watch.end();
    }
  }

  function hung(): TurnwiseError {
    return new TurnwiseError(
      'backend',
      'hung',
      `${name} has said nothing for ${Math.round(silenceMs / 1000)} s and counts as hung; look at it, restart it, and ask again.`,
    );
  }

  return {
    async models(signal) {
      const watch = watchSilence(silenceMs, signal);
      try {
        const response = await send('/models', null, watch);
        const text = await wholeText(chunksOf(response, watch, MAX_TEXT_BYTES, tooLarge));
        return jsonOr(text, text);
      } finally {
        watch.end();
      }
    },
    async complete(body, signal) {
      const watch = watchSilence(silenceMs, signal);
      try {
        return eventsOf(await send('/chat/completions', body, watch), watch);
      } catch (thrown) {
        watch.end();
        throw thrown;
      }
    },
  };
}

const DONE = '[DONE]';
/** Longest stretch of a refusal that is no JSON. */
const MAX_WORDS = 300;

/** An event of a stream; some servers put an error there as an ordinary one. */
function eventOf(data: string): unknown {
  const event: unknown = JSON.parse(data);
  if (typeof event !== 'object' || event === null || !('error' in event) || !event.error) return event;
  const told = toldIn(event);
  throw new Refusal(null, told?.code, told?.message ?? '');
}

function jsonOr(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}
