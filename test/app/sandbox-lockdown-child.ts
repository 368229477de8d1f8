import net from 'node:net';
import { connect as keptConnect, Socket } from 'node:net';
import { lookup } from 'node:dns';
import { request } from 'node:http';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { closeLanguage, closeNetwork } from '../../src/app/sandbox/lockdown.ts';

// Started by sandbox-lockdown.test.ts without --permission: what fails here fails by the lock alone.
const port = Number(process.argv[2]);
const closed = process.argv[3] === 'closed';
const send = process.send?.bind(process);
const exit = process.exit.bind(process);
const theProcess = process;
const keptFetch = globalThis.fetch;
if (closed) {
  closeNetwork();
  closeLanguage();
}

const attempts: Record<string, () => unknown> = {
  fetch: () => globalThis.fetch(`http://127.0.0.1:${port}/fetch`),
  keptFetch: () => keptFetch(`http://127.0.0.1:${port}/kept`),
  netConnect: () => net.connect(port, '127.0.0.1'),
  namedConnect: () => keptConnect(port, '127.0.0.1'),
  keptSocket: () => new Socket().connect(port, '127.0.0.1'),
  httpRequest: () => request({ port, host: '127.0.0.1' }).end(),
  webSocket: () => new globalThis.WebSocket(`ws://127.0.0.1:${port}`),
  lookup: () => {
    lookup('localhost', () => undefined);
  },
  spawn: () => spawn(theProcess.execPath, ['--version']),
  worker: () => new Worker('0', { eval: true }),
  binding: () => {
    const binding: unknown = Reflect.get(theProcess, 'binding');
    return typeof binding === 'function' ? (Reflect.apply(binding, theProcess, ['fs']) as unknown) : undefined;
  },
  builtin: () => theProcess.getBuiltinModule('node:fs'),
  createRequire: () => createRequire(import.meta.url)('node:net') as unknown,
  importNet: () => import('node:tls'),
  globalProcess: () => globalThis.process.pid,
};

const went: string[] = [];
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    const result = await attempt();
    if (result !== null && typeof result === 'object' && 'on' in result && typeof result.on === 'function') {
      (result.on as (event: string, listener: () => void) => void)('error', () => undefined);
    }
    went.push(name);
  } catch {
    // Refused, as it should be.
  }
}
// Long enough for an opened socket to reach a listener on the same machine.
setTimeout(() => {
  send?.(went, () => exit(0));
}, 300);
