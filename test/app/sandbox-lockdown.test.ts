import { fork } from 'node:child_process';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const child = fileURLToPath(new URL('./sandbox-lockdown-child.ts', import.meta.url));
let server: Server;
let arrived = 0;
const sockets = new Set<Socket>();

beforeEach(async () => {
  arrived = 0;
  server = createServer((socket) => {
    arrived += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise((resolve) => server.close(resolve));
});

/** Names of the attempts that went through. */
async function attempts(mode: 'open' | 'closed'): Promise<string[]> {
  const { port } = server.address() as AddressInfo;
  const running = fork(child, [String(port), mode], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
  return new Promise((resolve, reject) => {
    running.once('message', (names) => {
      resolve(names as string[]);
    });
    running.once('exit', (code) => {
      reject(new Error(`the child ended with ${String(code)} and said nothing`));
    });
  });
}

test('without the lock every attempt goes through, so that the next test can fail', async () => {
  const went = await attempts('open');
  expect(went).toEqual(expect.arrayContaining(['fetch', 'netConnect', 'keptSocket', 'spawn', 'binding', 'importNet']));
  expect(arrived).toBeGreaterThan(3);
});

test('behind the lock nothing does, and nothing reaches a listener', async () => {
  expect(await attempts('closed')).toEqual([]);
  expect(arrived).toBe(0);
});
