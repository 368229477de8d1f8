import * as vscode from 'vscode';
import { knownValues } from '../app/secret-values.ts';
import type { KnownValue } from '../core/secrets/find.ts';
import { loggable } from '../core/secrets/redactor.ts';

/** For how long what was read of the `.env` files holds, ms: lines of a log come in bursts. */
const FRESH_MS = 5000;

/**
 * The extension's log, and its only one: whatever is written to it is rid of secrets, of the values of the workspace's `.env`
 * and of the names of user and machine, since people attach logs to reports.
 */
export function createLog(): vscode.LogOutputChannel {
  const channel = vscode.window.createOutputChannel('Turnwise', { log: true });
  let known: readonly KnownValue[] = [];
  let readAt = -Infinity;
  const clean = (text: string): string => {
    if (performance.now() - readAt > FRESH_MS) {
      const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
      known = knownValues(folders.map(({ uri }) => uri.fsPath));
      readAt = performance.now();
    }
    return loggable(text, 'all', known);
  };
  const words = (thrown: unknown): string =>
    clean(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
  const cleaning = {
    trace: (message: string, ...args: unknown[]) => {
      channel.trace(clean(message), ...args.map(words));
    },
    debug: (message: string, ...args: unknown[]) => {
      channel.debug(clean(message), ...args.map(words));
    },
    info: (message: string, ...args: unknown[]) => {
      channel.info(clean(message), ...args.map(words));
    },
    warn: (message: string, ...args: unknown[]) => {
      channel.warn(clean(message), ...args.map(words));
    },
    error: (error: unknown, ...args: unknown[]) => {
      channel.error(words(error), ...args.map(words));
    },
    append: (value: string) => {
      channel.append(clean(value));
    },
    appendLine: (value: string) => {
      channel.appendLine(clean(value));
    },
    replace: (value: string) => {
      channel.replace(clean(value));
    },
  } satisfies Partial<vscode.LogOutputChannel>;
  // What writes no words (show, clear, dispose, ...) is the channel's own.
  return Object.create(channel, Object.getOwnPropertyDescriptors(cleaning)) as vscode.LogOutputChannel;
}
