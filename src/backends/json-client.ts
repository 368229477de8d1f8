import { z } from 'zod';
import { errorText, TurnwiseError, type Fault } from '../core/error.ts';

/** JSON over HTTP with one server; every failure is a `TurnwiseError` with a stable reason, and nothing is retried. */
export interface JsonClient {
  readonly url: string;
  get<T>(path: string, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T>;
  post<T>(path: string, body: object, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T>;
  /** Posts, and yields one parsed JSON value per line of the answer; a line `{error}` throws. */
  postForLines(path: string, body: object, signal?: AbortSignal): AsyncGenerator<unknown, void, void>;
  /** A `protocol` error: the server answered with `what`. */
  protocolError(reason: string, what: string): TurnwiseError;
}

const errorSchema = z.object({ error: z.looseObject({ message: z.string(), type: z.unknown(), code: z.unknown() }) });

/**
 * Opens a client; `name` begins its sentences ("The local engine"). Throws `backend`/`unreachable`, `connection_lost`,
 * `unauthorized`, `server_error`; `protocol`/`malformed_answer`; what the server itself names; and `aborted`.
 */
export function openJsonClient(server: {
  readonly name: string;
  readonly url: string;
  readonly key: string | null;
}): JsonClient {
  const { name, key } = server;
  const url = server.url.replace(/\/+$/, '');

  async function send(method: string, path: string, body: object | null, signal?: AbortSignal): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
          ...(body === null ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === null ? {} : { body: JSON.stringify(body) }),
        ...(signal ? { signal } : {}),
      });
    } catch (cause) {
      if (signal?.aborted) throw abortedError(signal);
      throw new TurnwiseError(
        'backend',
        'unreachable',
        `${name} does not answer at ${url} (${causeText(cause)}); check that it runs and that the address is right.`,
        { cause },
      );
    }
    if (response.ok) return response;
    throw refusal(response.status, await readText(response, signal).catch(() => ''));
  }

  async function readText(response: Response, signal?: AbortSignal): Promise<string> {
    try {
      return await response.text();
    } catch (cause) {
      throw lost(cause, signal);
    }
  }

  function parse<T>(text: string, schema: z.ZodType<T>): T {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      throw protocolError('malformed_answer', 'something that is not JSON');
    }
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw protocolError('malformed_answer', `a bad "${issue?.path.join('.') ?? ''}"`);
  }

  function refusal(status: number, text: string): TurnwiseError {
    if (status === 401 || status === 403) {
      return new TurnwiseError(
        'backend',
        'unauthorized',
        `${name} refuses the key (${status}); name the environment variable that holds it with --api-key-env.`,
      );
    }
    const told = errorSchema.safeParse(jsonOrNull(text));
    if (told.success) return toldError(told.data.error, status);
    return new TurnwiseError(
      'backend',
      'server_error',
      `${name} failed with HTTP ${status} at ${url}; its log says why.`,
    );
  }

  function toldError(
    { message, type, code }: { readonly message: string; readonly type?: unknown; readonly code?: unknown },
    status: number,
  ): TurnwiseError {
    const fault: Fault = type === 'unsupported' ? 'unsupported' : 'backend';
    return new TurnwiseError(fault, typeof code === 'string' ? code : `http_${status}`, message);
  }

  function lost(cause: unknown, signal?: AbortSignal): TurnwiseError {
    if (signal?.aborted) return abortedError(signal);
    return new TurnwiseError(
      'backend',
      'connection_lost',
      `${name} went away in the middle of its answer (${causeText(cause)}); check that it still runs, and try again.`,
      { cause },
    );
  }

  function protocolError(reason: string, what: string): TurnwiseError {
    return new TurnwiseError(
      'protocol',
      reason,
      `${name} answered with ${what}; check that ${url} is the right server and of a known version.`,
    );
  }

  return {
    url,
    get: async (path, schema, signal) => parse(await readText(await send('GET', path, null, signal), signal), schema),
    post: async (path, body, schema, signal) =>
      parse(await readText(await send('POST', path, body, signal), signal), schema),
    async *postForLines(path, body, signal) {
      const response = await send('POST', path, body, signal);
      for await (const text of linesOf(response, (cause) => lost(cause, signal))) {
        const value = parse(text, z.unknown());
        const told = errorSchema.safeParse(value);
        if (told.success) throw toldError(told.data.error, response.status);
        yield value;
      }
    },
    protocolError,
  };
}

/** Complete lines of a body, blank ones left out; what stands behind the last line break is not one. */
async function* linesOf(
  response: Response,
  lost: (cause: unknown) => TurnwiseError,
): AsyncGenerator<string, void, void> {
  if (!response.body) return;
  const decoder = new TextDecoder();
  let rest = '';
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw lost(cause);
      });
      if (done) return;
      const parts = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = parts.pop() ?? '';
      yield* parts.filter((part) => part.trim() !== '');
    }
  } finally {
    // Leaving early must not leave the connection open.
    await reader.cancel().catch(() => undefined);
  }
}

function abortedError(signal: AbortSignal): TurnwiseError {
  const { reason } = signal as { readonly reason: unknown };
  const words = reason instanceof TurnwiseError ? reason.message : 'Interrupted; ask again when you like.';
  return new TurnwiseError('usage', 'aborted', words, { cause: reason });
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
