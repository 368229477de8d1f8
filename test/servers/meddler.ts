import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { freePort } from './process.ts';

/** What happens to one request on its way to the real server and back. */
export type Meddling =
  /** Nothing. */
  | 'pass'
  /** The server does the work, and the connection breaks before its answer arrives. */
  | 'lose'
  /** The server does the work, and its answer becomes vLLM's own complaint about a NaN among rows that nobody asked for. */
  | 'nan'
  /** There is no such route. */
  | 'hide';

export interface Meddler {
  readonly url: string;
  /** Requests by what was done to them. */
  readonly counts: Readonly<Record<Meddling, number>>;
  /** Bodies of the requests that the real server itself answered with 400 and more. */
  readonly refused: readonly string[];
  close(): Promise<void>;
}

const NAN = {
  error: {
    message: 'Out of range float values are not JSON compliant',
    type: 'BadRequestError',
    param: null,
    code: 400,
  },
};

/** Stands between a client and the real server; what passes is the real server's, byte for byte. */
export async function startMeddler(target: string, meddle: (path: string, body: string) => Meddling): Promise<Meddler> {
  const counts = { pass: 0, lose: 0, nan: 0, hide: 0 };
  const refused: string[] = [];

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request);
    const what = meddle(request.url ?? '', body);
    counts[what] += 1;
    if (what === 'hide') {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"detail":"Not Found"}');
      return;
    }
    const answer = await fetch(target + (request.url ?? ''), {
      method: request.method ?? 'GET',
      headers: headersOf(request),
      ...(body === '' ? {} : { body }),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (answer.status >= 400) refused.push(body);
    if (what === 'lose') response.destroy();
    else if (what === 'nan') response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(NAN));
    else response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(bytes);
  }

  const server = createServer((request, response) => {
    // The client left, or the real server did.
    serve(request, response).catch(() => response.destroy());
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    counts,
    refused,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const kept = ['authorization', 'content-type', 'accept'];
  return Object.fromEntries(kept.flatMap((name) => (typeof headers[name] === 'string' ? [[name, headers[name]]] : [])));
}
