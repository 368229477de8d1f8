import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type {
  Part,
  Passage,
  ReviewHead,
  ReviewPageMessage,
  ReviewRow,
  TurnDetail,
} from '../../core/review-protocol.ts';
import { arithmetic, creditLine } from './credit-line.ts';
import './override-bar.ts';
import type { OverrideBarElement } from './override-bar.ts';
import { MARK_ICONS } from './row.ts';
import { largest, probe, tokenLegend, tokenText } from './tokens.ts';
import { showAll, WORDS } from './words.ts';

/** Why one turn was worth what it was, and what the developer thinks of it. */
export class TurnDetailElement extends LitElement {
  static override readonly properties = {
    head: { attribute: false },
    row: { attribute: false },
    detail: { attribute: false },
    post: { attribute: false },
    chosen: { state: true },
  };

  declare head: ReviewHead | null;
  declare row: ReviewRow | null;
  /** Of this row's turn, once it has come. */
  declare detail: TurnDetail | null;
  declare post: (message: ReviewPageMessage) => void;
  /** The word whose log-probs are shown. */
  declare private chosen: number | null;

  constructor() {
    super();
    this.head = null;
    this.row = null;
    this.detail = null;
    this.post = () => undefined;
    this.chosen = null;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  /** Puts the cursor into the note of this turn. */
  write(): void {
    this.querySelector<OverrideBarElement>('tw-override')?.write();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before: ReviewRow | null | undefined = changed.get('row');
    if (before && before.index !== this.row?.index) this.chosen = null;
  }

  protected override render(): TemplateResult | typeof nothing {
    const { head, row, detail } = this;
    if (head === null || row === null) return nothing;
    return html`
      <header>
        <h2>${WORDS.turn} ${row.index + 1}</h2>
        ${row.marks.map(
          ({ id, title, rule }) =>
            html`<button class="chip" data-tip="text" data-title=${title} data-text=${rule}>
              <span class="codicon codicon-${MARK_ICONS[id] ?? 'bookmark'}" aria-hidden="true"></span> ${title}
            </button>`,
        )}
        ${
          row.caution === null
            ? nothing
            : html`<span class="chip caution"
                ><span class="codicon codicon-warning" aria-hidden="true"></span> ${row.caution}</span
              >`
        }
      </header>
      ${creditLine(head, row)}
      ${
        row.inherited
          ? html`<p class="muted">${WORDS.review.inherited}</p>`
          : html`<tw-override .turn=${row.index} .override=${row.override} .onChange=${this.post}></tw-override>`
      }
      ${detail === null ? nothing : this.#why(detail)} ${arithmetic(head, row)}
    `;
  }

  #why(detail: TurnDetail): TemplateResult {
    const { said, replies, masked, next } = detail;
    return html`<div class="why">
      <div class="talk">
        <section>
          <h3>${WORDS.agentSaid}</h3>
          ${this.#passage(said, 'said')}
        </section>
        ${replies.map(
          ({ words, passage, alone }) =>
            html`<section class="real">
              <h3>${words}${alone === null ? nothing : html` <span class="num">${alone.label}</span>`}</h3>
              ${this.#passage(passage, 'replies')}
            </section>`,
        )}
        ${
          masked === null
            ? nothing
            : html`<section class="masked">
                <h3>${WORDS.masked}</h3>
                ${masked.passage === null ? nothing : this.#passage(masked.passage, 'masked')}
                <p class="muted">${masked.words}</p>
              </section>`
        }
      </div>
      <section class="went" @click=${this.#onWord} @keydown=${this.#onWordKey} @pointerover=${this.#onWord}>
        <h3>${WORDS.went}</h3>
        ${
          next.tokens === null
            ? html`${next.passage === null ? nothing : this.#passage(next.passage, 'next')}`
            : html`
                ${largest(next.tokens, this.#choose)} ${probe(next.tokens, this.chosen)}
                ${tokenText(next.tokens, this.chosen)}
                ${this.#more(next.tokens.shifts.length, next.tokens.length, 'words', 'next')}
                ${next.tokens.texts === null && next.passage !== null ? this.#passage(next.passage, 'next') : nothing}
                ${tokenLegend()}
              `
        }
        ${next.why === null ? nothing : html`<p class="muted">${next.why}</p>`}
      </section>
    </div>`;
  }

  /** Somebody's words, as text: whatever they look like, nothing in them is drawn or followed. */
  #passage({ text, length }: Passage, part: Part): TemplateResult {
    return html`<div class="passage" dir="auto">${text}</div>
      ${this.#more(text.length, length, 'characters', part)}`;
  }

  #more(shown: number, length: number, of: string, part: Part): TemplateResult | typeof nothing {
    if (shown >= length) return nothing;
    return html`<button
      class="link"
      @click=${() => {
        if (this.row !== null) this.post({ type: 'whole', turn: this.row.index, part });
      }}
    >
      ${showAll(length, of)}
    </button>`;
  }

  readonly #choose = (at: number): void => {
    this.chosen = at;
    void this.updateComplete.then(() => {
      this.querySelector<HTMLElement>(`.tokens [data-at="${at}"]`)?.scrollIntoView({ block: 'nearest' });
    });
  };

  readonly #onWord = (event: Event): void => {
    const at = placeOf(event.target);
    if (at !== null) this.chosen = at;
  };

  readonly #onWordKey = (event: KeyboardEvent): void => {
    const at = placeOf(event.target);
    const move = MOVES[event.key];
    const count = this.detail?.next.tokens?.shifts.length ?? 0;
    if (at === null || move === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const to = Math.max(0, Math.min(count - 1, at + move));
    this.chosen = to;
    void this.updateComplete.then(() => {
      this.querySelector<HTMLElement>(`.tokens [data-at="${to}"]`)?.focus();
    });
  };
}

const MOVES: Readonly<Record<string, number>> = {
  ArrowRight: 1,
  ArrowLeft: -1,
  ArrowDown: 10,
  ArrowUp: -10,
  Home: -Infinity,
  End: Infinity,
};

function placeOf(target: EventTarget | null): number | null {
  const at = target instanceof HTMLElement ? target.closest<HTMLElement>('.tokens [data-at]')?.dataset['at'] : null;
  return at == null ? null : Number(at);
}

customElements.define('tw-turn-detail', TurnDetailElement);
