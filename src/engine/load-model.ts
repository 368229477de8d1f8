import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Native from 'node-llama-cpp';
import type { Llama, LlamaModel } from 'node-llama-cpp';
import { errorText, TurnwiseError } from '../core/error.ts';
import { widenGguf } from './widen-gguf.ts';

export interface LoadOptions {
  readonly modelPath: string;
  /** Default: all cores but one. */
  readonly threads?: number | undefined;
  /** Uses a GPU where the installed binary has one. Only the CPU is bit-exact. */
  readonly gpu?: boolean | undefined;
}

/** Weights in memory, with what the rest of the engine asks of them. */
export interface LoadedModel {
  readonly model: LlamaModel;
  readonly path: string;
  /** SHA-256 of the file. */
  readonly sha: string;
  readonly threads: number;
  /** Name of the GPU interface in use, or null. */
  readonly gpu: string | null;
  /** Whether it computes in float32 throughout; its cache then has to as well. */
  readonly float32: boolean;
  readonly vocabularySize: number;
  dispose(): Promise<void>;
}

/**
 * Loads a GGUF file. Throws `environment`/`engine_missing` without a binary for this machine, `environment`/`out_of_memory`,
 * and `input`/`model_not_found` or `model_unreadable` for the file.
 */
export async function loadModel({ modelPath, threads, gpu = false }: LoadOptions): Promise<LoadedModel> {
  await checkFile(modelPath);
  const native = await importNative();
  const count = threads ?? defaultThreads();
  const llama = await native
    .getLlama({
      gpu: gpu ? 'auto' : false,
      build: 'never',
      skipDownload: true,
      logLevel: native.LlamaLogLevel.error,
      maxThreads: count,
    })
    .catch((cause: unknown) => {
      throw engineMissing(cause);
    });
  try {
    const { model, widened } = await load(llama, modelPath);
    const vocabularySize = [...model.iterateAllTokens()].length;
    return {
      model,
      path: modelPath,
      sha: await sha256File(modelPath),
      threads: count,
      gpu: llama.gpu === false ? null : llama.gpu,
      float32: widened,
      vocabularySize,
      dispose: () => llama.dispose(),
    };
  } catch (cause) {
    await llama.dispose();
    if (cause instanceof native.InsufficientMemoryError) throw outOfMemory(cause);
    throw new TurnwiseError(
      'input',
      'model_unreadable',
      `The engine cannot load ${modelPath} (${firstLine(cause)}); the file may be damaged or of a kind that llama.cpp does not know: choose another GGUF.`,
      { cause },
    );
  }
}

/** F16 models up to this size are computed in float32; beyond it the doubled memory and time would be felt. */
const WIDEN_UP_TO = 64 * 1024 * 1024;

async function load(llama: Llama, modelPath: string): Promise<{ model: LlamaModel; widened: boolean }> {
  const wide = (await stat(modelPath)).size <= WIDEN_UP_TO ? widenGguf(await readFile(modelPath)) : null;
  if (wide === null) return { model: await llama.loadModel({ modelPath }), widened: false };
  const folder = await mkdtemp(join(tmpdir(), 'turnwise-model-'));
  try {
    const copy = join(folder, 'model.gguf');
    await writeFile(copy, wide);
    // Read, not mapped, so that the copy can go at once on every system.
    return { model: await llama.loadModel({ modelPath: copy, useMmap: false }), widened: true };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * One core stays free for whoever is being helped. llama.cpp's threads wait for each other by spinning: one that has to share
 * its core holds up all the others, tenfold on a busy machine of two cores.
 */
function defaultThreads(): number {
  return Math.max(1, availableParallelism() - 1);
}

/** What a machine without enough memory is told. */
export function outOfMemory(cause: unknown): TurnwiseError {
  return new TurnwiseError(
    'environment',
    'out_of_memory',
    'There is not enough memory for this model and context; choose a smaller model or pass a smaller --context.',
    { cause },
  );
}

async function importNative(): Promise<typeof Native> {
  try {
    return await import('node-llama-cpp');
  } catch (cause) {
    throw engineMissing(cause);
  }
}

function engineMissing(cause: unknown): TurnwiseError {
  return new TurnwiseError(
    'environment',
    'engine_missing',
    `The local engine has no binary that runs on ${process.platform}-${process.arch}; run "npm run engine:install" once. Everything but local models works without it, other model servers (--url) included.`,
    { cause },
  );
}

/** "GGUF", version (u32), tensors (u64), metadata entries (u64), all little-endian. */
const HEADER_BYTES = 24;
/** Far beyond any model; a damaged count would keep the parser busy for minutes. */
const MOST_ENTRIES = 1_000_000n;

/** Says what is wrong with a file before native code sees it. */
async function checkFile(path: string): Promise<void> {
  const header = Buffer.alloc(HEADER_BYTES);
  try {
    const file = await open(path);
    try {
      await file.read(header, 0, HEADER_BYTES, 0);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new TurnwiseError(
      'input',
      'model_not_found',
      `Cannot read the model ${path} (${errorText(cause)}); check the path.`,
      { cause },
    );
  }
  const known = header.toString('latin1', 0, 4) === 'GGUF' && [2, 3].includes(header.readUInt32LE(4));
  const counts = [header.readBigUInt64LE(8), header.readBigUInt64LE(16)];
  if (known && counts.every((count) => count > 0n && count < MOST_ENTRIES)) return;
  throw new TurnwiseError(
    'input',
    'model_unreadable',
    `${path} is no GGUF file, or a damaged one; give the engine a model in GGUF format (version 2 or 3).`,
  );
}

async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function firstLine(thrown: unknown): string {
  return errorText(thrown).split('\n')[0] ?? '';
}
