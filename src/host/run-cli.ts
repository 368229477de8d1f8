import { spawn } from 'node:child_process';
import * as vscode from 'vscode';
import type { z } from 'zod';
import { TurnwiseError } from '../core/error.ts';

export interface CliRun {
  /** Which program of `dist` runs; the command line, if nothing else is said. */
  readonly program?: 'turnwise.js' | 'engine.js';
  readonly env?: Readonly<Record<string, string>>;
  /** Cancelling ends the child. */
  readonly token?: vscode.CancellationToken;
  /** The exit codes of a run that has told what it was asked for; 0 alone, if nothing else is said. */
  readonly told?: readonly number[];
  /** The reason of the error where it says nothing that can be read. */
  readonly reason: string;
}

/**
 * Runs the command line with `--json` in a process of its own, by the editor's own Node: what takes long, or blocks, must not
 * hold up the editor. Null where it was cancelled. Throws `TurnwiseError` with the last sentence that it said.
 */
export async function runCli<T>(
  extensionUri: vscode.Uri,
  command: readonly string[],
  shape: z.ZodType<T>,
  { program = 'turnwise.js', env = {}, token, told = [0], reason }: CliRun,
): Promise<T | null> {
  const cli = vscode.Uri.joinPath(extensionUri, 'dist', program).fsPath;
  const child = spawn(process.execPath, [cli, ...command, ...(program === 'turnwise.js' ? ['--json'] : [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env, ELECTRON_RUN_AS_NODE: '1' },
  });
  const cancel = token?.onCancellationRequested(() => child.kill('SIGTERM'));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  // Its end is what went wrong.
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-4000)));
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    });
    if (token?.isCancellationRequested === true) return null;
    const answer = told.includes(code ?? -1) ? shape.safeParse(jsonIn(stdout)) : null;
    if (answer?.success === true) return answer.data;
    throw new TurnwiseError('environment', reason, lastSentence(stderr));
  } finally {
    cancel?.dispose();
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function lastSentence(stderr: string): string {
  const last = stderr.trim().split('\n').at(-1) ?? '';
  const sentence = last.replace(/^turnwise: /, '');
  return sentence === ''
    ? vscode.l10n.t('It ended without a word; see the log of the extension host, then try again.')
    : sentence;
}
