import { fork, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TurnwiseError } from '../../core/error.ts';
import type { Answer, Ready, Request } from './messages.ts';

/** What became of one request: the harness's JSON, or why there is none; after `lost` the child is gone. */
export type Outcome =
  { readonly type: 'done'; readonly json: string } | { readonly type: 'lost'; readonly reason: string };

/** One sandboxed Python process. It takes one request at a time. */
export interface PythonChild {
  readonly pid: number | undefined;
  /** Resolves when Python is ready; rejects with `sandbox_failed`. */
  readonly ready: Promise<void>;
  /** Never rejects: a limit in ms that passes, or an aborted signal, kills the child and is `lost`. */
  ask(request: WithoutId<Request>, limitMs: number, signal?: AbortSignal): Promise<Outcome>;
  /** Kills the process and waits for its end. */
  kill(): Promise<void>;
}
type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

/** Where the child's code is, when not beside this file, and what it may use. */
export interface ChildOptions {
  /** The bundled `python-child.js`. */
  readonly childFile?: string | undefined;
  /** The folder of the npm package `pyodide`. */
  readonly pyodideFolder?: string | undefined;
  /** Wall clock from the process's start to `ready`, in ms. */
  readonly startLimitMs?: number | undefined;
}

const HEAP_MIB = 128;
/** 256 MiB in pages of 64 KiB: more is a MemoryError in Python. */
const WASM_PAGES = 4096;
const STDERR_KEPT = 2000;

/**
 * Starts a Python process that may read the interpreter and its own code, and nothing else: no environment, no writing, no
 * processes, no workers, no code from strings, 256 MiB for Python. Throws `unsupported`/`no_permission_model` where this
 * Node cannot confine a process.
 */
export function startChild({ childFile, pyodideFolder, startLimitMs = 60_000 }: ChildOptions = {}): PythonChild {
  const file = childFile ?? besideThisFile();
  const folder = (pyodideFolder ?? dirname(createRequire(import.meta.url).resolve('pyodide/package.json'))) + sep;
  const child = fork(file, [folder], {
    execPath: process.execPath,
    execArgv: [
      permissionFlag(),
      ...readable(file, folder).map((path) => `--allow-fs-read=${path}`),
      '--disallow-code-generation-from-strings',
      `--max-old-space-size=${HEAP_MIB}`,
      `--wasm-max-mem-pages=${WASM_PAGES}`,
      '--disable-warning=ExperimentalWarning',
      '--disable-warning=SecurityWarning',
    ],
    // Electron's binary is a Node only when told so.
    env: process.versions['electron'] === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' },
    // No pipe that a flood of output could fill; stderr is read for the reason of a failed start.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    windowsHide: true,
  });
  return wrap(child, startLimitMs);
}

function wrap(child: ChildProcess, startLimitMs: number): PythonChild {
  let complaint = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (text: string) => {
    complaint = (complaint + text).slice(-STDERR_KEPT);
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      resolve(error.message);
    });
    child.once('exit', (code, signal) => {
      resolve(`the Python process ended (${signal ?? `exit ${code ?? 'unknown'}`})`);
    });
  });
  let lastId = 0;

  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };

  const ready = withLimit(startLimitMs, undefined, (finish) => {
    child.on('message', (message: Ready | Answer) => {
      if (message.type === 'ready') finish({ type: 'done', json: '' });
    });
    void ended.then((reason) => {
      finish({ type: 'lost', reason });
    });
  }).then(async (outcome) => {
    if (outcome.type === 'done') return;
    await kill();
    const detail =
      complaint
        .trim()
        .split('\n')
        .find((line) => line.includes('Error')) ?? outcome.reason;
    throw new TurnwiseError(
      'environment',
      'sandbox_failed',
      `The Python sandbox did not start (${detail.trim()}); run "npm ci" again and check that ${process.execPath} is Node 22.16 or newer.`,
    );
  });
  // Whoever asks first hears of a failed start; before that it is nobody's unhandled rejection.
  ready.catch(() => undefined);

  const ask = async (request: WithoutId<Request>, limitMs: number, signal?: AbortSignal): Promise<Outcome> => {
    const id = (lastId += 1);
    const outcome = await withLimit(limitMs, signal, (finish) => {
      const hear = (message: Ready | Answer): void => {
        if (message.type === 'ready' || message.id !== id) return;
        child.off('message', hear);
        finish(message.type === 'done' ? message : { type: 'lost', reason: message.reason });
      };
      child.on('message', hear);
      void ended.then((reason) => {
        finish({ type: 'lost', reason });
      });
      child.send({ ...request, id }, (error) => {
        if (error) finish({ type: 'lost', reason: error.message });
      });
    });
    if (outcome.type === 'lost') await kill();
    return outcome;
  };
  return { pid: child.pid, ready, ask, kill };
}

/** Runs `begin` until it calls `finish`, the limit passes or the signal aborts, whichever comes first. */
async function withLimit(
  limitMs: number,
  signal: AbortSignal | undefined,
  begin: (finish: (outcome: Outcome) => void) => void,
): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    return await new Promise<Outcome>((resolve) => {
      timer = setTimeout(() => {
        resolve({ type: 'lost', reason: `it ran longer than ${limitMs / 1000} s` });
      }, limitMs);
      onAbort = () => {
        resolve({ type: 'lost', reason: 'it was stopped' });
      };
      if (signal?.aborted) onAbort();
      signal?.addEventListener('abort', onAbort);
      begin(resolve);
    });
  } finally {
    clearTimeout(timer);
    if (onAbort) signal?.removeEventListener('abort', onAbort);
  }
}

/** Node 22.13 dropped the word "experimental" from the flag. */
function permissionFlag(): string {
  const flag = ['--permission', '--experimental-permission'].find((name) =>
    process.allowedNodeEnvironmentFlags.has(name),
  );
  if (flag !== undefined) return flag;
  throw new TurnwiseError(
    'unsupported',
    'no_permission_model',
    `This Node (${process.version}) cannot confine a child process; proposed code is not run. Use Node 22.16 or newer.`,
  );
}

/** In `dist/` the bundle lies beside this code; from the sources, Node runs the TypeScript as it is. */
function besideThisFile(): string {
  const here = fileURLToPath(import.meta.url);
  return join(dirname(here), here.endsWith('.ts') ? 'python-child.ts' : 'python-child.js');
}

/** What the child may read: its own code and the interpreter. */
function readable(file: string, pyodideFolder: string): string[] {
  return [file.endsWith('.ts') ? dirname(file) + sep : file, pyodideFolder];
}
