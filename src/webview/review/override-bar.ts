import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { createRef, ref } from 'lit/directives/ref.js';
import { NOTE_LIMIT, REVIEW_LABELS, type Override } from '../../core/override.ts';
import type { ReviewPageMessage } from '../../core/review-protocol.ts';
import { WORDS } from './words.ts';
import { t } from '../l10n.ts';

/** What the developer thinks of one turn: a label, a note, whether it stays in; never a score. */
export class OverrideBarElement extends LitElement {
  static override readonly properties = {
    turn: { attribute: false },
    override: { attribute: false },
    onChange: { attribute: false },
    draft: { state: true },
  };

  declare turn: number | null;
  declare override: Override | null;
  declare onChange: (message: ReviewPageMessage) => void;
  /** The note as it is being written; null: nobody writes. */
  declare private draft: string | null;

  readonly #field = createRef<HTMLTextAreaElement>();
  #draftOf: number | null = null;

  constructor() {
    super();
    this.turn = null;
    this.override = null;
    this.onChange = () => undefined;
    this.draft = null;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  /** Puts the cursor into the note. */
  write(): void {
    this.#field.value?.focus();
  }

  protected override willUpdate(): void {
    if (this.draft === null || this.#draftOf === this.turn) return;
    // Gone on to another turn: what was written belongs to the one before.
    this.#send(this.#draftOf, this.draft);
    this.draft = null;
  }

  protected override render(): TemplateResult | typeof nothing {
    const { override, turn } = this;
    if (override === null) return nothing;
    const { label, note, excluded, reviewed } = override;
    return html`
      <div class="labels" role="radiogroup" aria-label=${WORDS.review.legend}>
        ${REVIEW_LABELS.map(
          (name, at) =>
            html`<button
              role="radio"
              aria-checked=${label === name}
              title=${`${WORDS.labels[name]} (${at + 1})`}
              @click=${() => {
                this.onChange({ type: 'label', turn, label: label === name ? null : name });
              }}
            >
              <kbd>${at + 1}</kbd> ${WORDS.labels[name]}
            </button>`,
        )}
      </div>
      <div class="switches">
        <button
          class="toggle"
          aria-pressed=${excluded}
          title=${t('Out of the loss: its tokens get loss_mask 0 in an export; the score stays (x)')}
          @click=${() => {
            this.onChange({ type: 'exclude', turn, excluded: !excluded });
          }}
        >
          <kbd>x</kbd> ${excluded ? WORDS.review.excluded : WORDS.review.exclude}
        </button>
        <button
          class="toggle"
          aria-pressed=${reviewed}
          title=${t('Looked at, nothing to say (r)')}
          @click=${() => {
            this.onChange({ type: 'reviewed', turn, reviewed: !reviewed });
          }}
        >
          <kbd>r</kbd> ${WORDS.review.seen}
        </button>
        <button
          class="toggle"
          title=${t('Take back the newest change (u)')}
          @click=${() => {
            this.onChange({ type: 'undo' });
          }}
        >
          <kbd>u</kbd> ${WORDS.review.undo}
        </button>
      </div>
      <textarea
        ${ref(this.#field)}
        rows="1"
        dir="auto"
        maxlength=${NOTE_LIMIT}
        aria-label=${WORDS.review.note}
        placeholder=${WORDS.review.notePlaceholder}
        .value=${this.draft ?? note ?? ''}
        @input=${this.#onInput}
        @blur=${this.#onBlur}
        @keydown=${this.#onKey}
      ></textarea>
    `;
  }

  readonly #onInput = (): void => {
    this.#draftOf = this.turn;
    this.draft = this.#field.value?.value ?? '';
  };

  readonly #onBlur = (): void => {
    if (this.draft === null) return;
    this.#send(this.turn, this.draft);
    this.draft = null;
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.isComposing) return;
    if (event.key === 'Escape') {
      event.stopPropagation();
      this.draft = null;
    } else if (event.key !== 'Enter' || event.shiftKey) return;
    event.preventDefault();
    this.#onBlur();
    this.dispatchEvent(new CustomEvent('done', { bubbles: true }));
  };

  #send(turn: number | null, text: string): void {
    const note = text.trim() === '' ? null : text.trim();
    // Kept until the host says what holds now, so that nothing flickers.
    if (this.override !== null && turn === this.turn) this.override = { ...this.override, note };
    this.onChange({ type: 'note', turn, note });
  }
}

customElements.define('tw-override', OverrideBarElement);
