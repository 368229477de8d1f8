import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { createRef, ref } from 'lit/directives/ref.js';
import type { ContextChip, EditTarget, EditView, Offer } from '../core/webview-protocol.ts';
import { placeholder } from './composer-placeholder.ts';
import { ContextChips, type ChipIntent } from './context-chips.ts';
import { editBanner } from './edit-banner.ts';
import { t } from './l10n.ts';
import { Mentions } from './mentions.ts';

/** What the composer asks for. */
export type ComposerIntent =
  | { readonly type: 'send'; readonly id: string; readonly text: string; readonly option: number | null }
  | { readonly type: 'edit_request'; readonly id: string; readonly text: string }
  | { readonly type: 'edit_reply'; readonly id: string; readonly turn: number; readonly text: string }
  | { readonly type: 'draft'; readonly text: string }
  | { readonly type: 'edit_draft'; readonly edit: EditView | null }
  | { readonly type: 'hotkey'; readonly letter: number }
  | { readonly type: 'find_files'; readonly query: string }
  | { readonly type: 'attach'; readonly path: string }
  | ChipIntent
  | { readonly type: 'stop' | 'skip' };

/** Drafts go to the host this long after the last key, ms; leaving the field sends them at once. */
const DRAFT_DELAY_MS = 150;

/** An Enter this soon after a composition, ms, was the one that ended it. */
const COMPOSED_MS = 30;

/**
 * Where the developer writes. One button sends or stops. The words stay until the host says that they are on the disk; when
 * it refuses them they stay too, with the reason.
 */
export class ComposerElement extends LitElement {
  static override readonly properties = {
    offer: {},
    question: { attribute: false },
    options: { type: Number },
    context: { attribute: false },
    onIntent: { attribute: false },
    text: { state: true },
    pending: { state: true },
    edited: { state: true },
    problem: { state: true },
  };

  declare offer: Offer;
  /** The turn whose question waits for the developer; null: none does. */
  declare question: number | null;
  /** How many options it has. */
  declare options: number;
  /** What may go with the next message. */
  declare context: readonly ContextChip[];
  declare onIntent: (intent: ComposerIntent) => void;
  declare private text: string;
  declare private pending: string | null;
  /** What the words in the field would replace; null: they are new. */
  declare private edited: EditTarget | null;
  declare private problem: string | null;

  readonly #field = createRef<HTMLTextAreaElement>();
  readonly #mentions = new Mentions(this, {
    field: () => this.#field.value,
    find: (query) => {
      this.onIntent({ type: 'find_files', query });
    },
    chosen: (path, text, cursor) => {
      this.#put(text, cursor);
      this.onIntent({ type: 'attach', path });
    },
  });
  readonly #chips = new ContextChips(this, {
    within: this,
    field: () => this.#field.value,
    ask: (intent) => {
      this.onIntent(intent);
    },
  });
  /** New words that wait behind an edit. */
  #aside = '';
  #draftTimer: number | undefined;
  /** When an input method last ended a composition, in the page's own time, ms. */
  #composedAt = -Infinity;
  /** Typed in since the last draft from the host. */
  #touched = false;

  constructor() {
    super();
    this.offer = 'wait';
    this.question = null;
    this.options = 0;
    this.context = [];
    this.onIntent = () => undefined;
    this.text = '';
    this.pending = null;
    this.edited = null;
    this.problem = null;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('visibilitychange', this.#flushDraft);
    window.addEventListener('pagehide', this.#flushDraft);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('visibilitychange', this.#flushDraft);
    window.removeEventListener('pagehide', this.#flushDraft);
  }

  /** Puts back what was being written; with `always` also over what stands there. */
  restore(draft: string, edit: EditView | null, { always }: { readonly always: boolean }): void {
    if (!always && this.#touched) return;
    this.#touched = false;
    this.text = edit?.text ?? draft;
    this.edited = edit?.target ?? null;
    this.#aside = edit === null ? '' : draft;
    this.pending = null;
    this.problem = null;
  }

  /** The words sent under this id are durable. */
  accepted(id: string): void {
    if (this.pending !== id) return;
    this.restore(this.#aside, null, { always: true });
  }

  /** The words sent under this id were not taken. */
  refused(id: string, message: string): void {
    if (this.pending !== id) return;
    this.pending = null;
    this.problem = message;
  }

  /** Takes words in that are there already, to be edited and sent; what was being written waits behind them. */
  edit(target: EditTarget, text: string): void {
    if (this.pending !== null) return;
    const aside = this.edited === null ? this.text : this.#aside;
    this.#flushDraft();
    this.begin(text);
    this.#aside = aside;
    this.edited = target;
  }

  /** What is being edited now. */
  get target(): EditTarget | null {
    return this.edited;
  }

  /** Puts words in as if they had been typed, with the cursor behind them. */
  begin(text: string): void {
    this.edited = null;
    this.#aside = '';
    this.#put(text);
  }

  #put(text: string, cursor = text.length): void {
    this.#touched = true;
    this.text = text;
    this.problem = null;
    this.#saveSoon();
    void this.updateComplete.then(() => {
      this.#field.value?.focus();
      this.#field.value?.setSelectionRange(cursor, cursor);
    });
  }

  /** Files that fit what stands behind an `@`. */
  files(query: string, paths: readonly string[]): void {
    this.#mentions.found(query, paths);
  }

  focusField(): void {
    this.#field.value?.focus();
  }

  protected override render(): TemplateResult {
    const full = this.text.trim() !== '';
    return html`
      ${editBanner(this.#live, { keep: this.#keepAsOwn, cancel: this.#cancelEdit })} ${this.#chips.list(this.context)}
      <div class="field">
        ${this.#mentions.list()}
        <textarea
          ${ref(this.#field)}
          rows="1"
          dir="auto"
          aria-label=${t('Message to the agent')}
          aria-describedby="composer-problem"
          aria-autocomplete="list"
          aria-controls=${this.#mentions.active === nothing ? nothing : 'files'}
          aria-activedescendant=${this.#mentions.active}
          placeholder=${placeholder(this.offer, { branching: this.#branching, hasOptions: this.options > 0 })}
          .value=${this.text}
          ?readonly=${this.pending !== null}
          @input=${this.#onInput}
          @keydown=${this.#onKey}
          @compositionend=${this.#onComposed}
          @click=${this.#onCursor}
          @keyup=${this.#onCursor}
          @blur=${this.#onBlur}
        ></textarea>
        ${this.#button(this.#writable && full)}
      </div>
      ${
        this.question !== null && this.pending === null && !this.#branching
          ? html`<button
              class="link skip"
              title=${t('Let the agent decide (S, or Alt+S while writing)')}
              aria-keyshortcuts="S Alt+S"
              @click=${this.#ask('skip')}
            >
              ${t('Skip, use your judgement')}
            </button>`
          : nothing
      }
      <p id="composer-problem" class="problem" role="alert">${this.problem ?? nothing}</p>
    `;
  }

  /** An option is edited only while its question waits: meanwhile another window may have answered it. */
  get #live(): EditTarget | null {
    return this.edited?.at === 'option' && this.edited.turn !== this.question ? null : this.edited;
  }

  /** What is written goes on in a branch, whatever the conversation itself waits for. */
  get #branching(): boolean {
    return this.edited !== null && this.edited.at !== 'option';
  }

  get #writable(): boolean {
    const due = this.#branching ? this.offer !== 'blocked' : this.offer === 'request' || this.offer === 'reply';
    return due && this.pending === null;
  }

  #button(sendable: boolean): TemplateResult {
    const offer = this.#branching && this.offer === 'stop' ? 'reply' : this.offer;
    switch (offer) {
      case 'stop':
        return html`<button
          class="send stop"
          aria-label=${t('Stop')}
          title=${t('Stop (Esc)')}
          @click=${this.#ask('stop')}
        >
          <span class="codicon codicon-debug-stop" aria-hidden="true"></span>
        </button>`;
      case 'continue':
      case 'new':
      case 'request':
      case 'reply':
      case 'wait':
      case 'blocked':
        return html`<button
          class="send"
          aria-label=${t('Send')}
          title=${t('Send (Enter)')}
          ?disabled=${!sendable}
          @click=${this.#send}
        >
          <span class="codicon codicon-send" aria-hidden="true"></span>
        </button>`;
      default:
        return offer satisfies never;
    }
  }

  readonly #ask = (type: 'stop' | 'skip') => () => {
    this.onIntent({ type });
  };

  /** The option stays behind, its words are the developer's own; nothing that waited behind them is lost. */
  readonly #keepAsOwn = (): void => {
    this.edited = null;
    this.text = [this.text, this.#aside].filter((words) => words !== '').join('\n');
    this.#aside = '';
    this.onIntent({ type: 'edit_draft', edit: null });
    this.onIntent({ type: 'draft', text: this.text });
    this.focusField();
  };

  readonly #cancelEdit = (): void => {
    if (this.pending !== null) return;
    window.clearTimeout(this.#draftTimer);
    this.#draftTimer = undefined;
    this.edited = null;
    this.text = this.#aside;
    this.#aside = '';
    this.problem = null;
    this.onIntent({ type: 'edit_draft', edit: null });
    this.focusField();
  };

  readonly #onInput = (event: Event): void => {
    this.text = (event.currentTarget as HTMLTextAreaElement).value;
    this.#touched = true;
    this.problem = null;
    this.#mentions.look();
    this.#saveSoon();
  };

  readonly #onCursor = (): void => {
    this.#mentions.look();
  };

  readonly #onBlur = (): void => {
    this.#mentions.close();
    this.#flushDraft();
  };

  #saveSoon(): void {
    window.clearTimeout(this.#draftTimer);
    this.#draftTimer = window.setTimeout(this.#flushDraft, DRAFT_DELAY_MS);
  }

  readonly #flushDraft = (): void => {
    if (this.#draftTimer === undefined) return;
    window.clearTimeout(this.#draftTimer);
    this.#draftTimer = undefined;
    // Words on their way are the host's to keep or refuse; their draft is not changed meanwhile.
    if (this.pending !== null) return;
    if (this.edited === null) this.onIntent({ type: 'draft', text: this.text });
    else this.onIntent({ type: 'edit_draft', edit: { target: this.edited, text: this.text } });
  };

  readonly #onComposed = (event: Event): void => {
    this.#composedAt = event.timeStamp;
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    if (this.#mentions.key(event)) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      // While an input method composes, Enter belongs to it; some browsers end the composition just before they say so.
      if (event.isComposing || event.timeStamp - this.#composedAt < COMPOSED_MS) return;
      event.preventDefault();
      this.#send();
      return;
    }
    if (event.key === 'Escape' && this.edited !== null && !event.isComposing) {
      event.preventDefault();
      event.stopPropagation();
      this.#cancelEdit();
      return;
    }
    if (!event.altKey || event.ctrlKey || event.metaKey || this.question === null) return;
    const letter = /^Key([A-ES])$/.exec(event.code)?.[1];
    if (letter === undefined || (letter !== 'S' && this.options === 0)) return;
    event.preventDefault();
    // The editor would take it for the key of a menu.
    event.stopPropagation();
    this.onIntent(letter === 'S' ? { type: 'skip' } : { type: 'hotkey', letter: letter.charCodeAt(0) - 65 });
  };

  readonly #send = (): void => {
    if (!this.#writable || this.text.trim() === '') return;
    this.#flushDraft();
    const id = crypto.randomUUID();
    this.pending = id;
    this.problem = null;
    const { text } = this;
    const target = this.#live;
    switch (target?.at) {
      case 'request':
        this.onIntent({ type: 'edit_request', id, text });
        return;
      case 'reply':
        this.onIntent({ type: 'edit_reply', id, turn: target.turn, text });
        return;
      case 'option':
      case undefined:
        this.onIntent({ type: 'send', id, text, option: target?.option ?? null });
        return;
      default:
        target satisfies never;
    }
  };
}

customElements.define('tw-composer', ComposerElement);
