import type { Drafts } from '../app/chat-ports.ts';
import { editSchema, type EditView } from '../core/webview-protocol.ts';
import type { Memo } from '../store/memo.ts';

/**
 * What a workspace is in the middle of: the conversation that it shows, and words that are written and not yet sent. Kept in
 * the store, so that it outlives the view, the window and a killed editor.
 */
export class Desk {
  readonly #memo: Memo;
  readonly #workspace: string;

  /** `workspace` names the folder that the window shows. */
  constructor(memo: Memo, workspace: string) {
    this.#memo = memo;
    this.#workspace = workspace;
  }

  /** Null: a new conversation. */
  get open(): string | null {
    return this.#memo.get(`open ${this.#workspace}`);
  }

  set open(episode: string | null) {
    if (episode !== this.open) this.#memo.set(`open ${this.#workspace}`, episode);
  }

  /** What is being written in a conversation, or (null) for a new one. */
  get(episode: string | null): string {
    return this.#memo.get(this.#draft(episode)) ?? '';
  }

  set(episode: string | null, text: string): void {
    if (text !== this.get(episode)) this.#memo.set(this.#draft(episode), text === '' ? null : text);
  }

  /** The edit that is being written in a conversation; one that cannot be read is none. */
  edit(episode: string | null): EditView | null {
    const kept = episode === null ? null : this.#memo.get(`edit ${episode}`);
    if (kept === null) return null;
    try {
      return editSchema.parse(JSON.parse(kept));
    } catch {
      return null;
    }
  }

  setEdit(episode: string | null, edit: EditView | null): void {
    if (episode === null) return;
    const key = `edit ${episode}`;
    const kept = edit === null ? null : JSON.stringify(edit);
    if (kept !== this.#memo.get(key)) this.#memo.set(key, kept);
  }

  /** What waits beside the words: `kept-context.ts`. One for the whole workspace, whichever conversation it will go to. */
  get context(): string | null {
    return this.#memo.get(`context of ${this.#workspace}`);
  }

  set context(kept: string | null) {
    if (kept !== this.context) this.#memo.set(`context of ${this.#workspace}`, kept);
  }

  #draft(episode: string | null): string {
    return episode === null ? `draft of new ${this.#workspace}` : `draft ${episode}`;
  }
}

/** A desk for those who must not fail with it: what cannot be kept is told to `attempt`, and lives as long as the window. */
export function keptWords(desk: Desk, attempt: (work: () => void) => void): Drafts & { context: string | null } {
  return {
    get: (episode) => desk.get(episode),
    set: (episode, text) => {
      attempt(() => {
        desk.set(episode, text);
      });
    },
    edit: (episode) => desk.edit(episode),
    setEdit: (episode, edit) => {
      attempt(() => {
        desk.setEdit(episode, edit);
      });
    },
    get context() {
      return desk.context;
    },
    set context(kept) {
      attempt(() => {
        desk.context = kept;
      });
    },
  };
}
