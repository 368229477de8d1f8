import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { createRef, ref } from 'lit/directives/ref.js';
import type { ContextChip, Offer } from '../core/webview-protocol.ts';
import { contextChips, type ChipIntent } from './context-chips.ts';
import { t } from './l10n.ts';
import { Mentions } from './mentions.ts';
import { LETTERS } from './question-card.ts';

/** An option that was taken into the composer to be edited first. */
export interface EditedOption {
  readonly turn: number;
  readonly option: number;
}

/** What the composer asks for. */
export type ComposerIntent =
  | { readonly type: 'send'; readonly id: string; readonly text: string; readonly option: number | null }
  | { readonly type: 'draft'; readonly text: string }
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
  declare private edited: EditedOption | null;
  declare private problem: string | null;

  readonly #field = createRef<HTMLTextAreaElement>();
  readonly #mentions = new Mentions(this, {
    field: () => this.#field.value,
    find: (query) => {
      this.onIntent({ type: 'find_files', query });
    },
    chosen: (path, text, cursor) => {
      this.begin(text, cursor);
      this.onIntent({ type: 'attach', path });
    },
  });
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
  restore(draft: string, { always }: { readonly always: boolean }): void {
    if (!always && this.#touched) return;
    this.#touched = false;
    this.text = draft;
    this.pending = null;
    this.edited = null;
    this.problem = null;
  }

  /** The words sent under this id are durable. */
  accepted(id: string): void {
    if (this.pending !== id) return;
    this.restore('', { always: true });
  }

  /** The words sent under this id were not taken. */
  refused(id: string, message: string): void {
    if (this.pending !== id) return;
    this.pending = null;
    this.problem = message;
  }

  /** Takes an option in, to be edited and sent. */
  edit(option: EditedOption, text: string): void {
    this.begin(text);
    this.edited = option;
  }

  /** Puts words in as if they had been typed, with the cursor behind them. */
  begin(text: string, cursor = text.length): void {
    this.edited = null;
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
    const { offer } = this;
    const writable = (offer === 'request' || offer === 'reply') && this.pending === null;
    const full = this.text.trim() !== '';
    return html`
      ${
        this.edited === null || this.edited.turn !== this.question
          ? nothing
          : html`<p class="editing">
              ${t('Editing answer {letter}', { letter: LETTERS[this.edited.option] ?? '' })}
              <button
                class="icon"
                aria-label=${t('Send as own words instead')}
                title=${t('Send as own words instead')}
                @click=${this.#forgetOption}
              >
                <span class="codicon codicon-close" aria-hidden="true"></span>
              </button>
            </p>`
      }
      ${contextChips(this.context, this.onIntent)}
      <div class="field">
        ${this.#mentions.list()}
        <textarea
          ${ref(this.#field)}
          rows="1"
          dir="auto"
          aria-label=${t('Message to the agent')}
          aria-describedby="composer-problem"
          aria-autocomplete="list"
          aria-controls="files"
          aria-activedescendant=${this.#mentions.active}
          placeholder=${this.#placeholder()}
          .value=${this.text}
          ?readonly=${this.pending !== null}
          @input=${this.#onInput}
          @keydown=${this.#onKey}
          @compositionend=${this.#onComposed}
          @click=${this.#onCursor}
          @keyup=${this.#onCursor}
          @blur=${this.#onBlur}
        ></textarea>
        ${this.#button(writable && full)}
      </div>
      ${
        this.question !== null && this.pending === null
          ? html`<button class="link skip" title=${t('Let the agent decide')} @click=${this.#ask('skip')}>
              ${t('Skip, use your judgement')}
            </button>`
          : nothing
      }
      <p id="composer-problem" class="problem" role="alert">${this.problem ?? nothing}</p>
    `;
  }

  #button(sendable: boolean): TemplateResult {
    switch (this.offer) {
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
        return this.offer satisfies never;
    }
  }

  #placeholder(): string {
    switch (this.offer) {
      case 'request':
        return t('What should be written?');
      case 'reply':
        return this.options > 0 ? t('Or answer in your own words') : t('Answer, or say what to change');
      case 'stop':
        return t('The agent is writing. Esc stops it.');
      case 'continue':
        return t('Continue first');
      case 'wait':
        return t('Another window is busy with this conversation');
      case 'new':
        return t('This conversation is closed');
      case 'blocked':
        return t('Nothing can be sent; the reason is above');
      default:
        return this.offer satisfies never;
    }
  }

  readonly #ask = (type: 'stop' | 'skip') => () => {
    this.onIntent({ type });
  };

  readonly #forgetOption = (): void => {
    this.edited = null;
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
    if (this.pending === null) this.onIntent({ type: 'draft', text: this.text });
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
    const letter = /^Key([A-E])$/.exec(event.code)?.[1];
    if (event.altKey && !event.ctrlKey && !event.metaKey && letter !== undefined && this.options > 0) {
      event.preventDefault();
      // The editor would take it for the key of a menu.
      event.stopPropagation();
      this.onIntent({ type: 'hotkey', letter: letter.charCodeAt(0) - 65 });
    }
  };

  readonly #send = (): void => {
    const writable = (this.offer === 'request' || this.offer === 'reply') && this.pending === null;
    if (!writable || this.text.trim() === '') return;
    this.#flushDraft();
    this.pending = crypto.randomUUID();
    this.problem = null;
    // Meanwhile another window may have answered the question that the option was of.
    const option = this.edited !== null && this.edited.turn === this.question ? this.edited.option : null;
    this.onIntent({ type: 'send', id: this.pending, text: this.text, option });
  };
}

customElements.define('tw-composer', ComposerElement);
