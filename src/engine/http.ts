import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { z } from 'zod';
import { errorText, TurnwiseError, type Fault } from '../core/error.ts';
import { aborted } from './lane.ts';
import { logLine } from './log.ts';

/** A request that was let in: its body, a signal that its sender's leaving aborts, and the answer to write. */
export interface Exchange {
  readonly body: unknown;
  readonly signal: AbortSignal;
  readonly response: ServerResponse;
}

/** Answers with JSON, or writes the response itself and returns nothing. */
export type Handler = (exchange: Exchange) => Promise<object | undefined> | object | undefined;

/** `GET /health` to its handler. */
export type Routes = Readonly<Record<string, Handler>>;

const KEEP_ALIVE_MS = 15 * 60_000;
const LARGEST_BODY = 32 * 1024 * 1024;
/** A request has so long to arrive whole, ms: from its first byte on, head and body. */
const REQUEST_MS = 60_000;
const TYPE: Record<Fault, string> = {
  usage: 'invalid_request_error',
  input: 'invalid_request_error',
  unsupported: 'unsupported',
  backend: 'server_error',
  protocol: 'invalid_request_error',
  corrupt: 'server_error',
  environment: 'server_error',
};
const STATUS_OF_REASON: Readonly<Record<string, number>> = {
  unauthorized: 401,
  not_found: 404,
  model_not_served: 404,
  method_not_allowed: 405,
  body_too_large: 413,
  aborted: 499,
};

/**
 * An HTTP server that wants the bearer token on every route, takes JSON and gives JSON. A request that does not arrive whole
 * within `requestMs` is ended.
 */
export function createJsonServer(token: string, routes: Routes, requestMs = REQUEST_MS): Server {
  const expected = digest(`Bearer ${token}`);
  const limits = {
    requestTimeout: requestMs,
    headersTimeout: requestMs,
    connectionsCheckingInterval: Math.min(requestMs, 5000),
  };
  const server = createServer(limits, (request, response) => {
    void answer(request, response).catch((thrown: unknown) => {
      // Nothing is left to say to anybody; the next request gets a fresh start.
      logLine(errorText(thrown));
      response.destroy();
    });
  });
  // Longer than any client keeps an idle connection: whoever closes first must not be us, or a request may meet a closing one.
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return server;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) gone.abort(aborted());
    });
    try {
      authorize(request, expected);
      const handler = handlerOf(request, routes);
      const body = request.method === 'POST' ? await readJson(request) : undefined;
      const result = await handler({ body, signal: gone.signal, response });
      if (result !== undefined) sendJson(response, 200, result);
    } catch (thrown) {
      sendError(response, thrown);
    }
  }
}

/** Validates a body, or throws `input`/`invalid_request` naming the field. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new TurnwiseError(
    'input',
    'invalid_request',
    `${field === '' ? 'The body' : field}: ${issue?.message ?? 'invalid'}; correct it and send it again.`,
  );
}

/** The JSON that every failure is told in. */
export function errorBody(thrown: unknown): { error: { message: string; type: string; code: string } } {
  if (thrown instanceof TurnwiseError) {
    return { error: { message: thrown.message, type: TYPE[thrown.fault], code: thrown.reason } };
  }
  // The text of an unexpected error may hold anything; it goes to stderr instead.
  return {
    error: { message: 'The engine failed; see its log, and try again.', type: 'server_error', code: 'internal' },
  };
}

function sendError(response: ServerResponse, thrown: unknown): void {
  if (!(thrown instanceof TurnwiseError)) logLine(stackOf(thrown));
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  sendJson(response, statusOf(thrown), errorBody(thrown));
}

function statusOf(thrown: unknown): number {
  if (!(thrown instanceof TurnwiseError)) return 500;
  const status = STATUS_OF_REASON[thrown.reason];
  if (status !== undefined) return status;
  if (thrown.fault === 'environment') return 503;
  return TYPE[thrown.fault] === 'server_error' ? 500 : 400;
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function authorize(request: IncomingMessage, expected: Buffer): void {
  // Digests are of one length, so that not even the token's length shows in the time that this takes.
  if (timingSafeEqual(digest(request.headers.authorization ?? ''), expected)) return;
  throw new TurnwiseError(
    'usage',
    'unauthorized',
    'This engine wants the bearer token of its start; read it from the token file.',
  );
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function handlerOf(request: IncomingMessage, routes: Routes): Handler {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  const handler = routes[`${request.method ?? ''} ${path}`];
  if (handler) return handler;
  if (Object.keys(routes).some((route) => route.endsWith(` ${path}`))) {
    throw new TurnwiseError('usage', 'method_not_allowed', `${path} does not take ${request.method ?? 'that'}.`);
  }
  throw new TurnwiseError('usage', 'not_found', `There is no ${path} here; see the README for the routes.`);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    // What is too much is read to its end and dropped: leaving early would cut the connection before the refusal is heard.
    if (size > LARGEST_BODY) chunks.length = 0;
    else chunks.push(chunk);
  }
  if (size > LARGEST_BODY) {
    throw new TurnwiseError(
      'input',
      'body_too_large',
      `A body may have ${LARGEST_BODY / 1024 / 1024} MB; send fewer sequences at once.`,
    );
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new TurnwiseError('input', 'malformed_json', 'The body is not JSON; send one JSON object.');
  }
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
