import { parseArgs } from 'node:util';
import { errorText, TurnwiseError } from './core/error.ts';
import { endWithoutLeases } from './engine/leases.ts';
import { inspectGguf } from './engine/inspect-gguf.ts';
import { serve } from './engine/serve.ts';

/**
 * The engine's process: `engine.js --model FILE [--port N] [--context N] [--threads N] [--gpu] [--with-parent]
 * [--leases DIR]`. Prints one
 * JSON line on stdout: `{url, token_file, pid, model_sha}` when it serves, `{error}` when it cannot. With `--with-parent` it
 * ends when its stdin closes, so that no parent's death leaves it behind; with `--leases` when no process is left that holds
 * a lease in that folder. `--inspect FILE` prints what a model's header says, and serves nothing.
 */
async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      model: { type: 'string' },
      port: { type: 'string', default: '0' },
      context: { type: 'string' },
      threads: { type: 'string' },
      gpu: { type: 'boolean', default: false },
      'with-parent': { type: 'boolean', default: false },
      leases: { type: 'string' },
      inspect: { type: 'string' },
    },
  });
  if (values.inspect !== undefined) {
    say(await inspectGguf(values.inspect));
    return;
  }
  if (values.model === undefined) {
    throw new TurnwiseError('usage', 'missing_model', 'Say which GGUF file to serve with --model FILE.');
  }
  const serving = await serve({
    modelPath: values.model,
    port: Number(values.port),
    contextSize: countOf('--context', values.context),
    threads: countOf('--threads', values.threads),
    gpu: values.gpu,
  });
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    // A request in native code may take a while to notice; nobody waits for its answer any more.
    setTimeout(() => process.exit(0), 2000).unref();
    void serving.close().finally(() => process.exit(0));
  };
  process.on('SIGINT', end).on('SIGTERM', end);
  if (values['with-parent']) process.stdin.on('close', end).on('end', end).resume();
  if (values.leases !== undefined) endWithoutLeases(values.leases, end);
  const { url, tokenFile, modelSha } = serving;
  say({ url, token_file: tokenFile, pid: process.pid, model_sha: modelSha });
}

function countOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new TurnwiseError('usage', 'bad_option', `${flag} takes a whole number above 0.`);
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (thrown) {
  const { fault, reason } =
    thrown instanceof TurnwiseError ? thrown : { fault: 'environment', reason: 'engine_failed' };
  say({ error: { fault, reason, message: errorText(thrown) } });
  process.exitCode = 1;
  // Native threads may keep the loop alive.
  setTimeout(() => process.exit(1), 1000).unref();
}
