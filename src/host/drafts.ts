import type * as vscode from 'vscode';

/** What is being written and not yet sent, by conversation; outlives the view, the window and the editor. */
export class Drafts {
  readonly #memento: vscode.Memento;

  constructor(memento: vscode.Memento) {
    this.#memento = memento;
  }

  get(episode: string | null): string {
    return this.#memento.get<unknown>(keyOf(episode))?.toString() ?? '';
  }

  set(episode: string | null, text: string): void {
    // Readable at once; the editor writes it to the disk in its own time.
    void this.#memento.update(keyOf(episode), text === '' ? undefined : text);
  }
}

function keyOf(episode: string | null): string {
  return `turnwise.draft.${episode ?? 'new'}`;
}
