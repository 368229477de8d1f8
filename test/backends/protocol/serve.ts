import type { IncomingMessage, ServerResponse } from 'node:http';
import { startProtocolServer } from '../protocol-server.ts';
import { wireJson, type Fault } from './faults.ts';

/** Says so in every report: what is proven here is proven of a protocol. */
export const NOT_REAL = 'protocol server, not the real server';

/** A refusal, thrown by a route. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: unknown;
  constructor(status: number, body: unknown) {
    super(`HTTP ${status}`);
    this.status = status;
    this.body = body;
  }
}

export interface Seen {
  readonly path: string;
  readonly body: unknown;
}

export interface ProtocolServer {
  readonly url: string;
  /** Everything that was asked, in order. */
  readonly seen: Seen[];
  /** What it does wrong from now on; null: nothing. */
  fault: Fault | null;
  /** How often it still does so; the default is always. */
  faultsLeft: number;
  /** Scoring requests that it still answers well before. */
  faultsBefore: number;
  /** Tokens run through the model since the start. */
  computed: number;
  /** Scoring requests that wait for an answer now, and the most that ever did at once. */
  readonly waiting: { now: number; most: number };
  /** Connections of clients that are open now. */
  readonly connections: () => number;
  /** Length of its last whole scoring answer, bytes. */
  answerBytes: number;
  readonly close: () => Promise<void>;
}

/** One request as a route sees it, with the fault that befell it. */
export interface Exchange {
  readonly body: unknown;
  readonly server: ProtocolServer;
  readonly fault: Fault | null;
}

export interface Protocol {
  /** The key it wants; null: none. */
  readonly key: string | null;
  readonly unauthorized: unknown;
  readonly notFound: unknown;
  /** `METHOD /path` to an answer's body, or a `Refusal` thrown. */
  readonly routes: Readonly<Record<string, (exchange: Exchange) => unknown>>;
  /** The routes that faults befall. */
  readonly scoring: readonly string[];
  /** How long a scoring answer takes, ms. */
  readonly delayMs?: number;
}

/** Serves one protocol on a free loopback port. */
export async function serveProtocol(protocol: Protocol): Promise<ProtocolServer> {
  const sockets = new Set<unknown>();
  const started = await startProtocolServer((request, response, text) => {
    if (!sockets.has(request.socket)) {
      sockets.add(request.socket);
      request.socket.once('close', () => sockets.delete(request.socket));
    }
    answer(protocol, server, request, response, text);
  });
  const server: ProtocolServer = {
    url: started.url,
    seen: [],
    fault: null,
    faultsLeft: Infinity,
    faultsBefore: 0,
    computed: 0,
    waiting: { now: 0, most: 0 },
    connections: () => sockets.size,
    answerBytes: 0,
    close: () => started.close(),
  };
  return server;
}

function answer(
  protocol: Protocol,
  server: ProtocolServer,
  request: IncomingMessage,
  response: ServerResponse,
  text: string,
): void {
  const path = (request.url ?? '').replace(/\?.*$/, '');
  const body: unknown = text === '' ? {} : JSON.parse(text);
  server.seen.push({ path, body });
  if (protocol.key !== null && request.headers.authorization !== `Bearer ${protocol.key}` && path !== '/health') {
    send(response, 401, protocol.unauthorized);
    return;
  }
  const fault = takeFault(protocol, server, path);
  const route = protocol.routes[`${request.method ?? ''} ${path}`];
  if (route === undefined || (fault?.what === 'no_route' && fault.paths.includes(path))) {
    send(response, 404, protocol.notFound);
    return;
  }
  const respond = (): void => {
    try {
      const told = route({ body, server, fault });
      const json = wireJson(told);
      if (protocol.scoring.includes(path)) server.answerBytes = Buffer.byteLength(json);
      misbehave(response, json, fault);
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      send(response, thrown.status, thrown.body);
    }
  };
  if (!protocol.scoring.includes(path)) {
    respond();
    return;
  }
  server.waiting.now += 1;
  server.waiting.most = Math.max(server.waiting.most, server.waiting.now);
  response.once('close', () => {
    server.waiting.now -= 1;
  });
  if (protocol.delayMs === undefined) respond();
  else setTimeout(respond, protocol.delayMs);
}

function takeFault(protocol: Protocol, server: ProtocolServer, path: string): Fault | null {
  if (server.fault === null || !protocol.scoring.includes(path) || server.faultsLeft <= 0) return null;
  if (server.faultsBefore > 0) {
    server.faultsBefore -= 1;
    return null;
  }
  server.faultsLeft -= 1;
  return server.fault;
}

function misbehave(response: ServerResponse, text: string, fault: Fault | null): void {
  const bytes = Buffer.from(text, 'utf8');
  switch (fault?.what) {
    case 'status':
      send(response, fault.status, fault.body ?? 'Internal Server Error');
      return;
    case 'hang':
      if (fault.afterBytes === undefined) return;
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length });
      response.write(bytes.subarray(0, fault.afterBytes));
      return;
    case 'drop':
      response.destroy();
      return;
    case 'text':
      response.writeHead(200, { 'content-type': 'text/html' }).end(fault.text);
      return;
    case 'cut': {
      const part = bytes.subarray(0, fault.bytes);
      const whole = fault.how === 'end' ? part.length : bytes.length;
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': whole });
      if (fault.how === 'end') response.end(part);
      else {
        response.flushHeaders();
        response.write(part, () => response.destroy());
      }
      return;
    }
    case 'no_route':
    case 'echo_ignored':
    case 'rows':
    case undefined:
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes);
      return;
    default:
      fault satisfies never;
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json' }).end(text);
}
