import { readdirSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningEngine } from '../../src/app/engine-process.ts';
import { createJsonServer } from '../../src/engine/http.ts';
import { startToy } from './model.ts';

const SOURCE = join(import.meta.dirname, '../../src/engine');

let engine: RunningEngine;
beforeAll(async () => {
  engine = await startToy();
});
afterAll(() => engine.close());

/** Every route that the engine serves, as its source names them. */
const routes = [...readFileSync(join(SOURCE, 'serve.ts'), 'utf8').matchAll(/'(GET|POST) (\/[^']*)'/g)].map(
  ([, method = '', path = '']) => ({ method, path }),
);

test('every route, and what is no route, wants the token: none, a wrong one of the same length, one in the address', async () => {
  expect(routes.length).toBeGreaterThan(6);
  const { token, url } = engine;
  const wrong = `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`;
  const given = [undefined, '', token, `Bearer ${wrong}`, `Bearer ${token} `, `bearer ${token}x`, `Basic ${token}`];
  for (const { method, path } of [...routes, { method: 'GET', path: '/nowhere' }, { method: 'PUT', path: '/score' }]) {
    for (const authorization of given.filter((one) => one?.trim() !== `Bearer ${token}`)) {
      const headers = authorization === undefined ? {} : { authorization };
      const body = method === 'GET' ? null : '{}';
      const response = await fetch(`${url}${path}?token=${token}`, { method, headers, body });
      expect([response.status, path, authorization]).toEqual([401, path, authorization]);
      expect(await response.text()).not.toContain(token);
    }
  }
});

test('no path in a request names a file: what climbs or encodes is no route, and no route reads one', async () => {
  const { hostname, port } = new URL(engine.url);
  for (const path of [
    '/../../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '//etc/passwd',
    '/v1/models/..%2f..%2fx',
    '/health%00',
  ]) {
    // Not `fetch`, which tidies a path up before it sends it.
    const asked = request({ hostname, port, path, headers: { authorization: `Bearer ${engine.token}` } });
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.resume();
    expect([path, response.statusCode]).toEqual([path, 404]);
  }
  const touching = readdirSync(SOURCE).filter((file) => /from 'node:fs/.test(readFileSync(join(SOURCE, file), 'utf8')));
  // The model is read at the start, the token written; nothing that a request reaches is among them.
  expect(touching.filter((file) => /route|http|requests|generate|scorer|track/.test(file))).toEqual([]);
});

test('a request that does not arrive is ended', async () => {
  const server = createJsonServer('secret', { 'POST /score': () => ({}) }, 200);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    for (const start of [
      'POST /score HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\nContent-Length: 100\r\n\r\n{"half"',
      'POST /score HTTP/1.1\r\nHost: x\r\nX-',
    ]) {
      const socket = connect(port, '127.0.0.1');
      let heard = '';
      socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
      socket.on('error', () => undefined);
      socket.write(start);
      await once(socket, 'close');
      expect(heard).not.toMatch(/200 OK/);
    }
    // The next one is served.
    const headers = { authorization: 'Bearer secret' };
    const response = await fetch(`http://127.0.0.1:${port}/score`, { method: 'POST', headers, body: '{}' });
    expect(response.status).toBe(200);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
