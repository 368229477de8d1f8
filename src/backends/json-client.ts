import type { z } from 'zod';
import { errorText, TurnwiseError } from '../core/error.ts';
import { chunksOf, MAX_ANSWER_BYTES, SILENCE_MS, watchSilence, wholeText, type SilenceWatch } from './http-body.ts';
import { refusalOf, toldError, toldIn } from './http-refusal.ts';

/** JSON over HTTP with one server; every failure is a `TurnwiseError` with a stable reason, and nothing is retried. */
export interface JsonClient {
  readonly name: string;
  /** Without a final `/v1`. */
  readonly url: string;
  get<T>(path: string, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T>;
  post<T>(path: string, body: object, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T>;
  /** Posts, and yields one parsed JSON value per line of the answer; a line `{error}` throws. */
  postForLines(path: string, body: object, signal?: AbortSignal): AsyncGenerator<unknown, void, void>;
  /** A `protocol` error: the server answered with `what`. */
  protocolError(reason: string, what: string): TurnwiseError;
}

/** A key shorter than this is none. */
const SHORTEST_KEY = 6;

export interface JsonServer {
  /** Begins the sentences about it ("The local engine"). */
  readonly name: string;
  /** With or without the final `/v1`. */
  readonly url: string;
  readonly key: string | null;
  readonly silenceMs?: number | undefined;
  readonly maxAnswerBytes?: number | undefined;
}

/**
 * Opens a client. Throws `backend`/`unreachable`, `connection_lost`, `hung` and what `refusalOf` names; `protocol`/
 * `malformed_answer`, `cut_off`, `nan_row`, `answer_too_large`; and `aborted`. Whatever ends a request also closes its socket.
 */
export function openJsonClient(server: JsonServer): JsonClient {
  const { name, key, silenceMs = SILENCE_MS, maxAnswerBytes = MAX_ANSWER_BYTES } = server;
  const url = server.url.replace(/\/+$/, '').replace(/\/v1$/, '');

  const tooLarge = (): TurnwiseError => protocolError('answer_too_large', `more than ${maxAnswerBytes} bytes`);

  /** Pieces of the answer's body. A refusal is thrown in the server's own words. */
  async function* request(
    method: string,
    path: string,
    body: object | null,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array, void, void> {
    const watch = watchSilence(silenceMs, signal);
    let begun = false;
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
          ...(body === null ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === null ? {} : { body: JSON.stringify(body) }),
        signal: watch.signal,
      });
      begun = true;
      watch.heard();
      if (response.ok) {
        yield* chunksOf(response, watch, maxAnswerBytes, tooLarge);
        return;
      }
      const text = await wholeText(chunksOf(response, watch, maxAnswerBytes, tooLarge)).catch(() => '');
      signal?.throwIfAborted();
      throw refusalOf({ name, url, path }, response.status, jsonOrNull(withoutKey(text)));
    } catch (thrown) {
      throw failure(thrown, watch, begun, signal);
    } finally {
      watch.end();
    }
  }

  function failure(thrown: unknown, watch: SilenceWatch, begun: boolean, signal?: AbortSignal): TurnwiseError {
    if (thrown instanceof TurnwiseError) return thrown;
    if (signal?.aborted) return abortedError(signal);
    if (watch.expired() || TIMEOUTS.has(causeCode(thrown))) {
      return new TurnwiseError(
        'backend',
        'hung',
        `${name} has said nothing for ${Math.round(silenceMs / 1000)} s and counts as hung; look at it, restart it, and try again.`,
        { cause: thrown },
      );
    }
    if (begun || MIDWAY.has(causeCode(thrown))) {
      return new TurnwiseError(
        'backend',
        'connection_lost',
        `${name} went away in the middle of its answer (${causeText(thrown)}); check that it still runs, and try again.`,
        { cause: thrown },
      );
    }
    return new TurnwiseError(
      'backend',
      'unreachable',
      `${name} does not answer at ${url} (${causeText(thrown)}); check that it runs and that the address is right.`,
      { cause: thrown },
    );
  }

  /** A server may repeat the key that it refuses, whatever it looks like. One of a few letters is part of many words. */
  function withoutKey(text: string): string {
    return key === null || key.length < SHORTEST_KEY ? text : text.replaceAll(key, '<redacted:key>');
  }

  function parse<T>(text: string, schema: z.ZodType<T>): T {
    const parsed = schema.safeParse(jsonOf(text));
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw protocolError('malformed_answer', `a bad "${issue?.path.join('.') ?? ''}"`);
  }

  function jsonOf(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      if (isCutOff(text)) throw protocolError('cut_off', 'half an answer');
      // Python writes these words where JSON has none.
      if (/[[:,]\s*-?(NaN|Infinity)\s*[,\]}]/.test(text)) throw protocolError('nan_row', 'NaN for a number');
      throw protocolError('malformed_answer', 'something that is not JSON');
    }
  }

  function protocolError(reason: string, what: string): TurnwiseError {
    return new TurnwiseError(
      'protocol',
      reason,
      `${name} answered with ${what}; check that ${url} is the right server and of a known version.`,
    );
  }

  return {
    name,
    url,
    protocolError,
    get: async (path, schema, signal) => parse(await wholeText(request('GET', path, null, signal)), schema),
    post: async (path, body, schema, signal) => parse(await wholeText(request('POST', path, body, signal)), schema),
    async *postForLines(path, body, signal) {
      for await (const text of linesOf(request('POST', path, body, signal))) {
        const value = jsonOf(text);
        const told = toldIn(value);
        if (told) throw toldError(name, { ...told, message: withoutKey(told.message) });
        yield value;
      }
    },
  };
}

/** Complete lines of a body, blank ones left out; what stands behind the last line break is not one. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    yield* parts.filter((part) => part.trim() !== '');
  }
}

/** Whether a text begins as JSON and ends before a bracket or a string of it does. */
function isCutOff(text: string): boolean {
  if (text.trim() === '') return true;
  if (!/^\s*[[{]/.test(text)) return false;
  const outside = text.replace(/"(?:[^"\\]|\\.)*"/gs, '');
  if (outside.includes('"')) return true;
  const opened = outside.match(/[[{]/g)?.length ?? 0;
  const closed = outside.match(/[\]}]/g)?.length ?? 0;
  return opened > closed;
}

/** What a caller who left is told: their own words where they gave some. */
export function abortedError(signal: AbortSignal): TurnwiseError {
  const { reason } = signal as { readonly reason: unknown };
  const words = reason instanceof TurnwiseError ? reason.message : 'Interrupted; ask again when you like.';
  return new TurnwiseError('usage', 'aborted', words, { cause: reason });
}

const TIMEOUTS: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
/** The connection stood, and broke before the answer came. */
const MIDWAY: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

function causeCode(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}

/** `fetch failed` says nothing; its cause does. */
function causeText(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return cause instanceof Error && cause.message !== '' ? cause.message : errorText(thrown);
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
