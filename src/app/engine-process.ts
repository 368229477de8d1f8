import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { errorText, TurnwiseError, type Fault } from '../core/error.ts';

/** Loading a model of some gigabytes from a slow disk, and hashing it. */
export const START_TIMEOUT_MS = 120_000;
/** What of a child's stderr is kept for its obituary. */
const LAST_WORDS = 2000;

export interface StartEngineOptions {
  /** A GGUF file; default: the bundled toy. */
  readonly modelPath?: string | undefined;
  /** 0 or none: any free port. */
  readonly port?: number | undefined;
  readonly contextSize?: number | undefined;
  readonly threads?: number | undefined;
  readonly gpu?: boolean | undefined;
  /** Aborting it while the engine starts ends it. */
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  /** The engine's program; default `dist/engine.js`. */
  readonly entry?: string | undefined;
}

export interface RunningEngine {
  readonly url: string;
  readonly token: string;
  /** Where the token stands, readable by its owner alone; gone when the engine is. */
  readonly tokenFile: string;
  readonly pid: number;
  readonly modelSha: string;
  /** Settles when the process has ended, however it came to that. */
  readonly ended: Promise<void>;
  /** Ends the process, by force if it does not listen; safe to call twice. */
  close(): Promise<void>;
}

const readySchema = z.object({
  url: z.url(),
  token_file: z.string(),
  pid: z.int(),
  model_sha: z.string(),
});
const faults = ['usage', 'input', 'backend', 'protocol', 'unsupported', 'corrupt', 'environment'] as const;
const failureSchema = z.object({
  error: z.object({ fault: z.enum(faults satisfies readonly Fault[]), reason: z.string(), message: z.string() }),
});

/**
 * Starts the local engine as a child process and waits until it serves. The child ends with its parent. Throws what the
 * child says (`model_not_found`, `engine_missing`, `out_of_memory`, ...), `engine_died` with its last words, `engine_timeout`,
 * or `aborted`.
 */
export async function startEngine(options: StartEngineOptions = {}): Promise<RunningEngine> {
  const { signal, timeoutMs = START_TIMEOUT_MS } = options;
  if (signal?.aborted) throw startAborted();
  const child = spawn(process.execPath, [options.entry ?? engineEntry(), ...flags(options)], {
    // The child watches its stdin: when this process ends, however it ends, the pipe closes.
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
    child.once('error', () => {
      resolve();
    });
  });
  try {
    const { url, token_file: tokenFile, pid, model_sha: modelSha } = await awaitServing(child, signal, timeoutMs);
    const token = (await readFile(tokenFile, 'utf8')).trim();
    return {
      url,
      token,
      tokenFile,
      pid,
      modelSha,
      ended,
      async close() {
        await endChild(child, ended);
        // A child that was killed could not do this itself.
        await rm(dirname(tokenFile), { recursive: true, force: true });
      },
    };
  } catch (thrown) {
    await endChild(child, ended);
    throw thrown;
  }
}

/** The engine's program, beside the other bundles. */
export function engineEntry(): string {
  return join(packageRoot(), 'dist', 'engine.js');
}

/** The toy model that comes with the package. */
export function bundledModel(): string {
  return join(packageRoot(), 'media', 'models', 'turnwise-toy.gguf');
}

/** The folder that holds `package.json`: this code runs from `dist/` when bundled, from `src/app/` in tests. */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

function flags({ modelPath, port, contextSize, threads, gpu }: StartEngineOptions): string[] {
  return [
    '--with-parent',
    ...['--model', modelPath ?? bundledModel()],
    ...(port === undefined ? [] : ['--port', String(port)]),
    ...(contextSize === undefined ? [] : ['--context', String(contextSize)]),
    ...(threads === undefined ? [] : ['--threads', String(threads)]),
    ...(gpu === true ? ['--gpu'] : []),
  ];
}

/** Waits for the line in which an engine's process says that it serves, or why it does not. Throws as `startEngine` does. */
export async function awaitServing(
  child: ChildProcess,
  signal: AbortSignal | undefined,
  timeoutMs: number,
): Promise<z.infer<typeof readySchema>> {
  let out = '';
  let lastWords = '';
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      settle(() => {
        reject(
          new TurnwiseError(
            'environment',
            'engine_timeout',
            `The engine did not start within ${timeoutMs / 1000} s; try a smaller model.`,
          ),
        );
      });
    }, timeoutMs);
    const onAbort = (): void => {
      settle(() => {
        reject(startAborted());
      });
    };
    const settle = (how: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      how();
    };
    signal?.addEventListener('abort', onAbort);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-LAST_WORDS);
    });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      const end = out.indexOf('\n');
      if (end < 0) return;
      const line = out.slice(0, end);
      settle(() => {
        try {
          resolve(readLine(line));
        } catch (thrown) {
          reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
        }
      });
    });
    child.once('error', (cause) => {
      settle(() => {
        reject(engineDied(errorText(cause), cause));
      });
    });
    child.once('close', (code, killer) => {
      settle(() => {
        const words = lastWords.trim().split('\n').slice(-3).join(' ');
        reject(engineDied(`${killer ?? `exit code ${code ?? '?'}`}${words === '' ? '' : `: ${words}`}`));
      });
    });
  });
}

function readLine(line: string): z.infer<typeof readySchema> {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw engineDied(`it said "${line.slice(0, 200)}"`, cause);
  }
  const failure = failureSchema.safeParse(json);
  if (failure.success) {
    const { fault, reason, message } = failure.data.error;
    throw new TurnwiseError(fault, reason, message);
  }
  const ready = readySchema.safeParse(json);
  if (ready.success) return ready.data;
  throw engineDied('it announced itself in a way this version does not know');
}

async function endChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.stdin?.destroy();
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 3000);
  await ended;
  clearTimeout(force);
}

function engineDied(why: string, cause?: unknown): TurnwiseError {
  return new TurnwiseError(
    'environment',
    'engine_died',
    `The local engine ended before it could serve (${why}); try again, or another model.`,
    { cause },
  );
}

function startAborted(): TurnwiseError {
  return new TurnwiseError('usage', 'aborted', 'The start of the engine was interrupted.');
}
