import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readPrepared, RESULTS } from './prepared.ts';
import { RECIPES, type ServerName } from './recipes.ts';

const SUPERVISOR = join(import.meta.dirname, 'supervise.mjs');
/** Several processes that load PyTorch, on a machine that may be busy. */
const START_TIMEOUT_MS = 240_000;
const LOG_LINES = 15;

/** A real server that answers. */
export interface RunningServer {
  readonly url: string;
  readonly port: number;
  readonly apiKey: string;
  readonly startSeconds: number;
  /** Ends it as a crash would, children included, and waits until it is gone. */
  kill(): Promise<void>;
  /** Ends it kindly, then by force; safe to call twice. */
  close(): Promise<void>;
}

/** In what a start differs from the recipe. */
interface StartChanges {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Behind those of the recipe. */
  readonly args?: readonly string[];
  /** Name of its log; the server's own by default. */
  readonly log?: string;
}

/** Why a server cannot be started on this machine, or null. */
export function reasonMissing(name: ServerName): string | null {
  const { environments, weights, noFolder } = readPrepared();
  const environment = environments[name];
  if (environment === undefined) return 'It was not prepared in this run.';
  if ('missing' in environment) return environment.missing;
  return name === 'llama-server' || weights.folder !== null ? null : `There are no weights for it: ${noFolder ?? ''}`;
}

/**
 * Starts a real server on a free loopback port, or where it was before, and waits until it is healthy. Throws with the end of
 * its log.
 */
export async function startServer(
  name: ServerName,
  before?: { readonly port: number; readonly apiKey: string },
  { env = {}, args: more = [], log: logged = name }: StartChanges = {},
): Promise<RunningServer> {
  const recipe = RECIPES[name];
  const { environments, weights } = readPrepared();
  const environment = environments[name];
  if (!environment || !('python' in environment)) throw new Error(`${recipe.title} is not installed.`);
  const port = before?.port ?? (await freePort());
  const apiKey = before?.apiKey ?? randomBytes(16).toString('hex');
  mkdirSync(RESULTS, { recursive: true });
  const log = join(RESULTS, `${logged}.log`);
  const started = Date.now();
  const args = [...recipe.args({ weights, port, apiKey }), ...more];
  const supervisor = spawn(process.execPath, [SUPERVISOR, log, environment.python, ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, ...recipe.env, ...env },
  });
  const ended = new Promise<void>((resolve) => {
    supervisor.on('exit', () => {
      resolve();
    });
  });
  const close = async (): Promise<void> => {
    supervisor.stdin.end();
    await ended;
  };
  const url = `http://127.0.0.1:${port}`;
  while (!(await answers(url + recipe.health))) {
    if (supervisor.exitCode !== null)
      throw new Error(`${recipe.title} ended while it started; the end of ${log}:\n${tail(log)}`);
    if (Date.now() - started > START_TIMEOUT_MS) {
      await close();
      throw new Error(
        `${recipe.title} was not ready within ${START_TIMEOUT_MS / 1000} s; the end of ${log}:\n${tail(log)}`,
      );
    }
    await sleep(200);
  }
  return {
    url,
    port,
    apiKey,
    startSeconds: (Date.now() - started) / 1000,
    kill: async () => {
      supervisor.kill('SIGUSR2');
      await ended;
    },
    close,
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('A listening socket has no port.');
  return address.port;
}

function tail(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-LOG_LINES).join('\n');
}
