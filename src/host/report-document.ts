import * as vscode from 'vscode';

const SCHEME = 'turnwise-report';

/** A page of words that nobody edits: what a check found out. Shown as the editor shows markdown. */
export class ReportDocument implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  /** By name, the newest page and its address. */
  readonly #pages = new Map<string, { readonly uri: string; readonly text: string }>();
  #shown = 0;

  provideTextDocumentContent(uri: vscode.Uri): string {
    const page = this.#pages.get(uri.path);
    return page?.uri === uri.toString() ? page.text : 'This report was an earlier one; run the command again.';
  }

  /** Shows markdown under a name; an earlier page of that name is replaced. */
  async show(name: string, markdown: string): Promise<void> {
    // An address of its own each time: the editor goes on showing what it read at one before, also after its tab was closed.
    this.#shown += 1;
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}.md`, query: String(this.#shown) });
    this.#pages.set(uri.path, { uri: uri.toString(), text: markdown });
    try {
      await vscode.commands.executeCommand('markdown.showPreview', uri);
    } catch {
      // An editor without the preview shows the text itself.
      await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri));
    }
  }

  dispose(): void {
    this.#registration.dispose();
  }
}
