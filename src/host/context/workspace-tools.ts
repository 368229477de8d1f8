import { resolve } from 'node:path';
import * as vscode from 'vscode';
import { z } from 'zod';
import { runTests, type TestCommand, type TestRun } from '../../app/tools/run-tests.ts';
import { openToolbox, type Toolbox } from '../../app/tools/toolbox.ts';
import type { Problem, ToolWorkspace } from '../../app/tools/tool-workspace.ts';
import { TurnwiseError } from '../../core/error.ts';
import { testTaskOf } from '../../core/test-task.ts';
import type { SettingsReader } from '../settings.ts';
import { excludedGlobs } from './workspace-files.ts';

const packageSchema = z.object({ scripts: z.object({ test: z.string().min(1) }) });

/**
 * What the agent may do in this workspace: look, and ask for the tests. Nothing in a workspace that is not trusted; nothing
 * runs before the developer has seen the command and clicked.
 */
export class WorkspaceTools implements vscode.Disposable {
  readonly #settings: SettingsReader;
  readonly #changed = new vscode.EventEmitter<void>();
  #asked: { readonly command: TestCommand; readonly decide: (run: boolean) => void } | null = null;
  /** Whether the first folder's package.json has tests. */
  #npm = false;
  #running = false;

  /** Something is asked, was decided, or can be run now. */
  readonly onDidChange = this.#changed.event;

  constructor(settings: SettingsReader) {
    this.#settings = settings;
    void this.#look();
  }

  /** The command that waits for the developer's word; null: none does. */
  get asked(): string | null {
    return this.#asked?.command.line ?? null;
  }

  /** What a run of the tests would run; null: nothing is known, or nothing may run here. */
  get testCommand(): string | null {
    return this.#command()?.line ?? null;
  }

  /** Null where the agent may look at nothing. */
  toolbox(): Toolbox | null {
    const folders = localFolders();
    const { 'chat.tools': on, 'chat.maxToolCalls': limit } = this.#settings.current;
    if (!on || limit === 0 || !vscode.workspace.isTrusted || folders.length === 0) return null;
    const command = this.#command();
    return openToolbox(workspaceOf(folders), limit, command === null ? null : (signal) => this.#ask(command, signal));
  }

  /** The developer's word on what was asked. */
  decide(run: boolean): void {
    this.#asked?.decide(run);
  }

  /** Runs the tests on the developer's click, with a notification that can stop them. Throws `TurnwiseError` where nothing can run. */
  async test(): Promise<TestRun> {
    const command = this.#command();
    if (command === null) {
      const message = vscode.l10n.t('No test command is known; set turnwise.tests.command, or trust this workspace.');
      throw new TurnwiseError('usage', 'no_test_command', message);
    }
    return vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: vscode.l10n.t('Running {command}', { command: command.line }),
        cancellable: true,
      },
      (_progress, token) => {
        const abort = new AbortController();
        token.onCancellationRequested(() => {
          abort.abort();
        });
        return this.#run(command, abort.signal);
      },
    );
  }

  dispose(): void {
    this.decide(false);
    this.#changed.dispose();
  }

  async #ask(command: TestCommand, signal: AbortSignal): Promise<TestRun | null> {
    const allowed = await new Promise<boolean>((decide) => {
      this.#asked = { command, decide };
      signal.addEventListener('abort', () => {
        decide(false);
      });
      this.#changed.fire();
    });
    this.#asked = null;
    this.#changed.fire();
    signal.throwIfAborted();
    return allowed ? this.#run(command, signal) : null;
  }

  async #run(command: TestCommand, signal: AbortSignal): Promise<TestRun> {
    // Trust may have been taken back while it was asked.
    if (!vscode.workspace.isTrusted || this.#running) {
      const message = vscode.l10n.t('The tests run already; wait for them, then try again.');
      throw new TurnwiseError('usage', 'tests_running', message);
    }
    this.#running = true;
    try {
      return await runTests(command, signal);
    } finally {
      this.#running = false;
    }
  }

  #command(): TestCommand | null {
    const [folder] = localFolders();
    if (folder === undefined || !vscode.workspace.isTrusted) return null;
    const line = this.#settings.current['tests.command'].trim();
    if (line !== '') return { line, folder: folder.path };
    const task = testTaskOf(vscode.workspace.getConfiguration('tasks', folder.uri).get('tasks'));
    if (task !== null) return { line: task.line, folder: resolve(folder.path, task.cwd ?? '.') };
    return this.#npm ? { line: 'npm test', folder: folder.path } : null;
  }

  async #look(): Promise<void> {
    const [folder] = localFolders();
    if (folder === undefined) return;
    try {
      const bytes = await vscode.workspace.fs.readFile(vscode.Uri.joinPath(folder.uri, 'package.json'));
      this.#npm = packageSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes))).success;
    } catch {
      // No package, or none that can be read: no command.
    }
    if (this.#npm) this.#changed.fire();
  }
}

interface LocalFolder {
  readonly name: string;
  readonly path: string;
  readonly uri: vscode.Uri;
}

/** Folders on this machine; the tools read through the file system. */
function localFolders(): LocalFolder[] {
  return (vscode.workspace.workspaceFolders ?? []).flatMap(({ name, uri }) =>
    uri.scheme === 'file' ? [{ name, path: uri.fsPath, uri }] : [],
  );
}

function workspaceOf(folders: readonly LocalFolder[]): ToolWorkspace {
  return {
    folders,
    excludedIn: (path) => excludedGlobs(vscode.Uri.file(path)),
    unsaved: (path) => {
      const open = vscode.workspace.textDocuments.find(
        ({ uri, isDirty }) => isDirty && uri.scheme === 'file' && uri.fsPath === path,
      );
      return open?.getText() ?? null;
    },
    problems: () =>
      vscode.languages.getDiagnostics().flatMap(([uri, found]) => {
        if (uri.scheme !== 'file' || vscode.workspace.getWorkspaceFolder(uri) === undefined) return [];
        const path = vscode.workspace.asRelativePath(uri);
        return found.flatMap(({ severity, range, message }): Problem[] =>
          severity > vscode.DiagnosticSeverity.Warning
            ? []
            : [
                {
                  ...{ path, line: range.start.line + 1, message },
                  severity: severity === vscode.DiagnosticSeverity.Error ? 'error' : 'warning',
                },
              ],
        );
      }),
  };
}
