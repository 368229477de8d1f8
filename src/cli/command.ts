import type { Command } from 'commander';
import { errorText, TurnwiseError } from '../core/error.ts';
import type { Backend, ChatBackend } from '../core/backend.ts';
import { tell } from './output.ts';

/** Which server to talk to, as a person says it on the command line. */
export interface ServerChoice {
  /** `engine` or the kind of a remote server. */
  readonly backend: string;
  /** Base URL; without one the engine is started as a child process. */
  readonly url?: string | undefined;
  /** A GGUF file for the engine, the served model's name elsewhere. */
  readonly model?: string | undefined;
  /** Name of the environment variable that holds the key; keys never stand on a command line. */
  readonly apiKeyEnv?: string | undefined;
  readonly tokenizer?: string | undefined;
}

/** What the root gives to the commands: the only place where servers are opened. Whoever opens closes. */
export interface Servers {
  openScorer(choice: ServerChoice): Promise<Backend>;
  /** A scorer and a chat on the same engine, as `turnwise demo` needs them; `close` ends the engine. */
  openEngine(choice: ServerChoice): Promise<{ scorer: Backend; chat: ChatBackend; close(): Promise<void> }>;
  /** Any scorer, with the chat of the same model at the same address: a server that scores need not chat. */
  openModel(choice: ServerChoice): Promise<{ scorer: Backend; chat: ChatBackend; close(): Promise<void> }>;
}

/** One command per file: adds itself to the program. */
export type Register = (program: Command, servers: Servers) => void;

/** Exit codes: 0 ok, 1 failed, 2 bad usage. */
export function exitCodeOf(thrown: unknown): 1 | 2 {
  return thrown instanceof TurnwiseError && thrown.fault === 'usage' ? 2 : 1;
}

/** One sentence on stderr for a person; with `TURNWISE_DEBUG` set, the stack as well. */
export function reportError(thrown: unknown): void {
  tell(`turnwise: ${errorText(thrown)}`);
  if (process.env['TURNWISE_DEBUG'] && thrown instanceof Error) tell(thrown.stack ?? '');
}

/** One JSON object on stdout, on a line of its own. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** A signal that Ctrl-C or a TERM aborts, so that children end and temporary files go; a second Ctrl-C ends at once. */
export function interruptSignal(): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new TurnwiseError('usage', 'interrupted', 'Interrupted; nothing half-written was left.'));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    dispose: () => {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    },
  };
}
