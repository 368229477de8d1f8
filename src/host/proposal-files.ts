import * as vscode from 'vscode';

/** Scheme of the documents that show what a file would become; they live in memory and may be edited. */
export const PROPOSAL_SCHEME = 'turnwise-proposal';

interface Kept {
  bytes: Uint8Array;
  mtime: number;
}

/** Files in memory: the right side of a proposal's diff, which the developer may edit before accepting it. */
export class ProposalFiles implements vscode.FileSystemProvider, vscode.Disposable {
  readonly #files = new Map<string, Kept>();
  readonly #changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly #registration: vscode.Disposable;

  readonly onDidChangeFile = this.#changed.event;

  constructor() {
    this.#registration = vscode.workspace.registerFileSystemProvider(PROPOSAL_SCHEME, this, { isCaseSensitive: true });
  }

  put(uri: vscode.Uri, text: string): void {
    this.writeFile(uri, new TextEncoder().encode(text));
  }

  has(uri: vscode.Uri): boolean {
    return this.#files.has(uri.toString());
  }

  forget(uri: vscode.Uri): void {
    this.#files.delete(uri.toString());
  }

  readFile(uri: vscode.Uri): Uint8Array {
    return this.#required(uri).bytes;
  }

  writeFile(uri: vscode.Uri, bytes: Uint8Array): void {
    const known = this.#files.get(uri.toString());
    this.#files.set(uri.toString(), { bytes, mtime: (known?.mtime ?? 0) + 1 });
  }

  stat(uri: vscode.Uri): vscode.FileStat {
    const { bytes, mtime } = this.#required(uri);
    return { type: vscode.FileType.File, ctime: 0, mtime, size: bytes.byteLength };
  }

  // There are no folders, and nobody but this window writes here.
  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  readDirectory(): [string, vscode.FileType][] {
    return [];
  }

  createDirectory(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changed.dispose();
  }

  #required(uri: vscode.Uri): Kept {
    const kept = this.#files.get(uri.toString());
    if (kept === undefined) throw vscode.FileSystemError.FileNotFound(uri);
    return kept;
  }
}
