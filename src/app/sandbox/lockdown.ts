import childProcess from 'node:child_process';
import cluster from 'node:cluster';
import dgram from 'node:dgram';
import dns from 'node:dns';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import inspector from 'node:inspector';
import module, { registerHooks, syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import tls from 'node:tls';
import vm from 'node:vm';
import workers from 'node:worker_threads';

// `--permission` guards files, processes, workers and add-ons. What follows guards what it leaves open, the network above
// all, and is the second wall behind Python's own: it must hold even where Python gets hold of a JavaScript object.

const NETWORK: readonly object[] = [net, tls, dgram, dns, dns.promises, http, https, http2];
const PROCESSES: readonly object[] = [childProcess, cluster, workers, inspector, vm];
const GLOBALS = [
  'process',
  'global',
  'fetch',
  'Request',
  'Response',
  'Headers',
  'FormData',
  'WebSocket',
  'CloseEvent',
  'EventSource',
  'BroadcastChannel',
  'navigator',
  'localStorage',
  'sessionStorage',
  'Storage',
];

function refuse(): never {
  throw new Error('not available in the sandbox');
}

/** Replaces a property by a refusal that cannot be taken back. A property that does not exist stays so. */
function seal(target: object, name: string, value: unknown): void {
  const found = Object.getOwnPropertyDescriptor(target, name);
  if (!found || !found.configurable) {
    if (found?.writable) Reflect.set(target, name, value);
    return;
  }
  Object.defineProperty(target, name, {
    value,
    writable: false,
    configurable: false,
    enumerable: found.enumerable ?? false,
  });
}

/** Every function and class of a built-in module refuses from now on, for those who hold the module already as well. */
function sealModule(builtin: object): void {
  for (const [name, value] of Object.entries(builtin)) {
    if (typeof value !== 'function') continue;
    const prototype: unknown = Reflect.get(value, 'prototype');
    if (typeof prototype === 'object' && prototype !== null) sealMethods(prototype);
    seal(builtin, name, refuse);
  }
}

const OPENING = ['connect', 'listen', 'bind', 'send', 'sendto', 'lookup', 'resolve', 'request'];

/** Sockets that someone kept the class of must not open either. */
function sealMethods(prototype: object): void {
  for (const name of OPENING) if (Object.hasOwn(prototype, name)) seal(prototype, name, refuse);
}

/** Before the interpreter loads: no socket opens, no name is looked up, nothing is spawned. */
export function closeNetwork(): void {
  for (const builtin of [...NETWORK, ...PROCESSES]) sealModule(builtin);
  syncBuiltinESMExports();
}

/** After the interpreter has loaded: no module is loaded any more, and the names that lead out of the language are gone. */
export function closeLanguage(): void {
  registerHooks({ resolve: refuse, load: refuse });
  seal(module, '_load', refuse);
  seal(module, 'createRequire', refuse);
  for (const name of [
    'binding',
    '_linkedBinding',
    'dlopen',
    'getBuiltinModule',
    'kill',
    'abort',
    'chdir',
    'execve',
    'env',
  ]) {
    seal(process, name, name === 'env' ? Object.freeze({}) : refuse);
  }
  syncBuiltinESMExports();
  for (const name of GLOBALS) {
    Object.defineProperty(globalThis, name, { value: undefined, writable: false, configurable: false });
  }
}
