import * as vscode from 'vscode';
import type { Closed, ClosedFiles } from '../../app/tools/closed-files.ts';
import { holdsSecrets } from '../../app/tools/secret-files.ts';
import { TurnwiseError } from '../../core/error.ts';

/** How long a list of all files is good for, ms: as long as somebody types a name. */
const LIST_MS = 10_000;
/** Files that completion looks among. */
const MOST_FILES = 20_000;

/** The files of the workspace that a message may carry: their names, and whether they are open to a model. */
export class WorkspaceFiles {
  #listed: { readonly at: number; readonly paths: Promise<string[]> } | null = null;

  /** Paths that fit `query`, the best first; nothing that is excluded, ignored or secret. */
  async find(query: string, limit: number): Promise<string[]> {
    if (this.#listed === null || Date.now() - this.#listed.at > LIST_MS) {
      this.#listed = { at: Date.now(), paths: this.#list() };
    }
    const { rankFiles } = await import('../../app/tools/rank-files.ts');
    return rankFiles(await this.#listed.paths, query, limit);
  }

  /** The file that a path of the workspace names. Throws `TurnwiseError` where there is none. */
  async locate(path: string): Promise<vscode.Uri> {
    for (const uri of candidates(path)) {
      if (vscode.workspace.getWorkspaceFolder(uri) === undefined) continue;
      try {
        const { type } = await vscode.workspace.fs.stat(uri);
        if ((type & vscode.FileType.File) !== 0) return uri;
      } catch {
        // The next folder may have it.
      }
    }
    throw new TurnwiseError(
      'usage',
      'no_such_file',
      vscode.l10n.t('There is no file {path} in this workspace; choose one from the list behind @.', { path }),
    );
  }

  /** Throws `TurnwiseError` where a file must not go to a model, with the reason. */
  async refuseClosed(uri: vscode.Uri): Promise<void> {
    const folder = vscode.workspace.getWorkspaceFolder(uri);
    const name = nameOf(uri);
    if (folder === undefined) throw outside(name);
    const inside = relativeTo(folder, uri);
    const closed = await (await closedFiles(folder)).why(inside);
    if (closed !== null) throw refused(name, closed);
  }

  async #list(): Promise<string[]> {
    // Only the editor's own excludes here; the rest is judged file by file.
    const found = await vscode.workspace.findFiles('**/*', undefined, MOST_FILES);
    const folders = new Map<string, ClosedFiles>();
    const paths: string[] = [];
    for (const uri of found) {
      const folder = vscode.workspace.getWorkspaceFolder(uri);
      if (folder === undefined) continue;
      const closed = folders.get(folder.uri.toString()) ?? (await closedFiles(folder));
      folders.set(folder.uri.toString(), closed);
      if ((await closed.why(relativeTo(folder, uri))) === null) paths.push(nameOf(uri));
    }
    return paths.sort();
  }
}

/** What a file is called in chips and messages: its path in the workspace; of one outside its name alone, which tells no home. */
export function nameOf(uri: vscode.Uri): string {
  const name =
    vscode.workspace.getWorkspaceFolder(uri) === undefined ? baseName(uri) : vscode.workspace.asRelativePath(uri);
  return name.replaceAll('\\', '/');
}

/** Where a name may stand: below each folder of the workspace, or, where it begins with a folder's name, below that one. */
export function candidates(path: string): vscode.Uri[] {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const inside = folders.map(({ uri }) => vscode.Uri.joinPath(uri, path));
  const named = folders
    .filter(({ name }) => path.startsWith(`${name}/`))
    .map(({ uri, name }) => vscode.Uri.joinPath(uri, path.slice(name.length + 1)));
  return folders.length > 1 ? [...named, ...inside] : inside;
}

/** Whether a document is one that people write in: not a log, a diff's other side or a settings page. */
export function isWritten({ scheme }: vscode.Uri): boolean {
  return ['file', 'untitled', 'vscode-remote', 'vscode-vfs', 'vscode-test-web'].includes(scheme);
}

/** A file that holds secrets by custom, wherever it is. */
export function refuseSecretFile(uri: vscode.Uri): void {
  if (holdsSecrets(uri.path.replace(/^\/+/, ''))) throw refused(nameOf(uri), 'secret');
}

function baseName(uri: vscode.Uri): string {
  return uri.path.split('/').at(-1) ?? uri.path;
}

function relativeTo(folder: vscode.WorkspaceFolder, uri: vscode.Uri): string {
  return uri.path.slice(folder.uri.path.replace(/\/$/, '').length + 1);
}

/** The rules are read, and the code that reads them is loaded, when something is to be attached. */
async function closedFiles(folder: vscode.WorkspaceFolder): Promise<ClosedFiles> {
  const { ClosedFiles } = await import('../../app/tools/closed-files.ts');
  const read = async (path: string): Promise<string | null> => {
    try {
      return new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.joinPath(folder.uri, path)));
    } catch {
      return null;
    }
  };
  return new ClosedFiles(read, excludedGlobs(folder.uri));
}

/** What `files.exclude` and `search.exclude` hide in a folder. */
export function excludedGlobs(scope: vscode.Uri): string[] {
  return ['files', 'search'].flatMap((section) => {
    const value: unknown = vscode.workspace.getConfiguration(section, scope).get('exclude');
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([glob, on]) => (on === true ? [glob] : []));
  });
}

function outside(name: string): TurnwiseError {
  const message = vscode.l10n.t(
    '{name} is not in this workspace; select the part that matters and add the selection.',
    { name },
  );
  return new TurnwiseError('usage', 'outside_workspace', message);
}

function refused(name: string, closed: Closed): TurnwiseError {
  return new TurnwiseError('usage', `closed_${closed}`, closedSentence(name, closed));
}

function closedSentence(name: string, closed: Closed): string {
  switch (closed) {
    case 'secret':
      return vscode.l10n.t(
        '{name} is a kind of file that holds secrets, so it is not attached; type what matters of it.',
        { name },
      );
    case 'excluded':
      return vscode.l10n.t(
        '{name} is excluded by the settings (files.exclude or search.exclude), so it is not attached; select the part that matters and add the selection.',
        { name },
      );
    case 'ignored':
      return vscode.l10n.t(
        '{name} is ignored by a .gitignore, so it is not attached; select the part that matters and add the selection.',
        { name },
      );
    default:
      return closed satisfies never;
  }
}
