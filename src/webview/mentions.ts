import { html, nothing, type ReactiveController, type ReactiveControllerHost, type TemplateResult } from 'lit';
import { t } from './l10n.ts';
import { mentionAt, withMention, type Mention } from '../core/mention.ts';

/** What completion of file names does with the field that it belongs to. */
export interface MentionPorts {
  readonly field: () => HTMLTextAreaElement | undefined;
  readonly find: (query: string) => void;
  /** A file was chosen: `text` are the words with its name in them, the cursor at `cursor`. */
  readonly chosen: (path: string, text: string, cursor: number) => void;
}

/** Files that are offered while a name is typed behind an `@`: arrows choose, Enter and Tab take, Escape leaves. */
export class Mentions implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #ports: MentionPorts;
  #mention: Mention | null = null;
  /** A name that was left with Escape is not offered again before another begins. */
  #left: number | null = null;
  #paths: readonly string[] = [];
  #at = 0;

  constructor(host: ReactiveControllerHost, ports: MentionPorts) {
    this.#host = host;
    this.#ports = ports;
    host.addController(this);
  }

  hostConnected(): void {
    this.close();
  }

  /** The words or the cursor have changed. */
  look(): void {
    const field = this.#ports.field();
    const cursor = field?.selectionStart ?? 0;
    const mention = field === undefined || cursor !== field.selectionEnd ? null : mentionAt(field.value, cursor);
    if (mention === null || mention.at !== this.#left) this.#left = null;
    const next = this.#left === null ? mention : null;
    if (next?.at === this.#mention?.at && next?.query === this.#mention?.query) return;
    this.#mention = next;
    if (next === null) this.#paths = [];
    else this.#ports.find(next.query);
    this.#host.requestUpdate();
  }

  /** The host has found these. */
  found(query: string, paths: readonly string[]): void {
    if (this.#mention?.query !== query) return;
    this.#paths = paths;
    this.#at = 0;
    this.#host.requestUpdate();
  }

  close(): void {
    if (this.#mention === null) return;
    this.#left = this.#mention.at;
    this.#mention = null;
    this.#paths = [];
    this.#host.requestUpdate();
  }

  /** True where the key was meant for the list. */
  key(event: KeyboardEvent): boolean {
    if (this.#mention === null || this.#paths.length === 0 || event.isComposing) return false;
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp': {
        const step = event.key === 'ArrowDown' ? 1 : -1;
        this.#at = (this.#at + step + this.#paths.length) % this.#paths.length;
        this.#host.requestUpdate();
        break;
      }
      case 'Enter':
      case 'Tab':
        if (event.shiftKey) return false;
        this.#take(this.#at);
        break;
      case 'Escape':
        this.close();
        break;
      default:
        return false;
    }
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  /** Id of the row that the arrows stand on, for the field's `aria-activedescendant`. */
  get active(): string | typeof nothing {
    return this.#paths.length === 0 ? nothing : `file-${this.#at}`;
  }

  list(): TemplateResult | typeof nothing {
    if (this.#mention === null || this.#paths.length === 0) return nothing;
    return html`<div id="files" class="files" role="listbox" aria-label=${t('Files of the workspace')}>
      ${this.#paths.map((path, index) => {
        const name = path.split('/').at(-1) ?? path;
        const folder = path.slice(0, Math.max(path.length - name.length - 1, 0));
        return html`<div
          id=${`file-${index}`}
          role="option"
          aria-selected=${index === this.#at}
          @mousedown=${(event: Event) => {
            // The field keeps the focus.
            event.preventDefault();
            this.#take(index);
          }}
        >
          <span class="codicon codicon-file" aria-hidden="true"></span><span class="name">${name}</span
          ><span class="folder">${folder}</span>
        </div>`;
      })}
    </div>`;
  }

  #take(index: number): void {
    const path = this.#paths[index];
    const field = this.#ports.field();
    if (this.#mention === null || path === undefined || field === undefined) return;
    const { text, cursor } = withMention(field.value, this.#mention, path);
    this.#mention = null;
    this.#paths = [];
    this.#ports.chosen(path, text, cursor);
  }
}
