import { startEngine } from '../app/engine-process.ts';
import { TurnwiseError } from '../core/error.ts';
import { interruptSignal, printJson, type Register } from './command.ts';
import { integer, positive } from './numbers.ts';

interface ServeFlags {
  readonly model?: string;
  readonly port: number;
  readonly context?: number;
  readonly threads?: number;
  readonly gpu?: boolean;
}

/** `turnwise serve`: the local engine in the foreground, until Ctrl-C or a TERM. */
export const registerServe: Register = (program) => {
  program
    .command('serve')
    .description(
      'Serve a GGUF model on this machine alone; prints one JSON line {url, token_file, pid, model_sha} when it is ready',
    )
    .option('--model <gguf>', 'model to serve; default: the bundled toy')
    .option('--port <n>', 'port on 127.0.0.1; 0 takes a free one', integer, 0)
    .option('--context <n>', "longest sequence in tokens; default 8192, at most the model's own", positive)
    .option('--threads <n>', 'threads; default: all cores but one', positive)
    .option('--gpu', 'use a GPU where the installed engine has one; scores are bit-exact on a CPU only')
    .option('--json', 'accepted everywhere; the one line is JSON in any case')
    .action(async (flags: ServeFlags) => {
      const interrupt = interruptSignal();
      try {
        const { model: modelPath, port, context: contextSize, threads, gpu } = flags;
        const engine = await startEngine({ modelPath, port, contextSize, threads, gpu, signal: interrupt.signal });
        try {
          printJson({ url: engine.url, token_file: engine.tokenFile, pid: engine.pid, model_sha: engine.modelSha });
          await Promise.race([engine.ended, abortOf(interrupt.signal)]);
          if (!interrupt.signal.aborted) throw engineLost();
        } finally {
          await engine.close();
        }
      } finally {
        interrupt.dispose();
      }
    });
};

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}

function engineLost(): TurnwiseError {
  return new TurnwiseError(
    'environment',
    'engine_lost',
    'The engine process has ended unexpectedly; start it again, with a smaller model or --context if memory is short.',
  );
}
