import * as vscode from 'vscode';

const SCHEME = 'turnwise-report';

/** A page of words that nobody edits: what a check found out. Shown as the editor shows markdown. */
export class ReportDocument implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly #registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  readonly #texts = new Map<string, string>();

  readonly onDidChange = this.#changed.event;

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.path) ?? 'This report is from an earlier session; run the command again.';
  }

  /** Shows markdown under a name; an earlier page of that name is replaced. */
  async show(name: string, markdown: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}.md` });
    this.#texts.set(uri.path, markdown);
    this.#changed.fire(uri);
    try {
      await vscode.commands.executeCommand('markdown.showPreview', uri);
    } catch {
      // An editor without the preview shows the text itself.
      await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri));
    }
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changed.dispose();
  }
}
