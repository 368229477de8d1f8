import * as vscode from 'vscode';
import { survivingShare } from '../app/surviving-lines.ts';

/** A proposal that was written into a document: the document's text before and after. */
export interface AcceptedProposal {
  readonly episode: string;
  readonly turn: number;
  readonly target: vscode.Uri;
  readonly before: string;
  readonly after: string;
}

/**
 * Waits for the developer to save a file that a proposal went into, and tells once what is left of it by then. A save that
 * the editor does by itself says nothing of what the developer thinks of the code, and is not counted.
 */
export class AcceptedSaves implements vscode.Disposable {
  readonly #waiting = new Map<string, AcceptedProposal[]>();
  /** Documents whose save the developer asked for. */
  readonly #asked = new Set<string>();
  readonly #subscriptions: readonly vscode.Disposable[];

  /** `share` is that of `survivingShare`: 0 to 1, or null where the proposal added no line. */
  constructor(onSaved: (proposal: AcceptedProposal, share: number | null) => void) {
    this.#subscriptions = [
      vscode.workspace.onWillSaveTextDocument(({ document, reason }) => {
        const key = document.uri.toString();
        this.#moveHere(document);
        if (reason === vscode.TextDocumentSaveReason.Manual && this.#waiting.has(key)) this.#asked.add(key);
      }),
      // By now formatters have run: what is measured is what is on the disk.
      vscode.workspace.onDidSaveTextDocument((document) => {
        const key = document.uri.toString();
        if (!this.#asked.delete(key)) return;
        const proposals = this.#waiting.get(key) ?? [];
        this.#waiting.delete(key);
        const saved = document.getText();
        for (const proposal of proposals) onSaved(proposal, survivingShare({ ...proposal, saved }));
      }),
    ];
  }

  /** From now on the next save of its document counts. */
  watch(proposal: AcceptedProposal): void {
    const key = proposal.target.toString();
    const others = (this.#waiting.get(key) ?? []).filter(
      ({ episode, turn }) => episode !== proposal.episode || turn !== proposal.turn,
    );
    this.#waiting.set(key, [...others, proposal]);
  }

  /**
   * A document that gets its name is another one to the editor: while it is first saved, both are there with the same words.
   */
  #moveHere(document: vscode.TextDocument): void {
    const key = document.uri.toString();
    for (const [from, proposals] of [...this.#waiting]) {
      const old = vscode.workspace.textDocuments.find(({ uri }) => uri.toString() === from);
      if (from === key || old?.isUntitled !== true || !sameWords(old, document)) continue;
      this.#waiting.delete(from);
      this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), ...proposals]);
    }
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }
}

function sameWords(a: vscode.TextDocument, b: vscode.TextDocument): boolean {
  return a.getText().replaceAll('\r\n', '\n') === b.getText().replaceAll('\r\n', '\n');
}
