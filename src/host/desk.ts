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

  #draft(episode: string | null): string {
    return episode === null ? `draft of new ${this.#workspace}` : `draft ${episode}`;
  }
}
