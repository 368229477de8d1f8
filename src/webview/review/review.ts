import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { createRef, ref } from 'lit/directives/ref.js';
import { repeat } from 'lit/directives/repeat.js';
import {
  reviewHostMessageSchema,
  type CompareView,
  type GroupView,
  type ReviewHostMessage,
  type ReviewPageMessage,
  type ReviewRow,
  type ReviewView,
  type Tab,
  type TrendsView,
  type TurnDetail,
} from '../../core/review-protocol.ts';
import { withUpdate } from '../../core/review-update.ts';
import { connectPage, type Bridge } from '../host.ts';
import { compareTab } from './compare.ts';
import { columnHeads, legend, reviewHeader } from './header.ts';
import { keyMeaning } from './keys.ts';
import './row.ts';
import { taskTab } from './task.ts';
import { tipContent } from './tip-content.ts';
import { Tip } from './tip.ts';
import { trendsTab } from './trends.ts';
import './turn-detail.ts';
import type { TurnDetailElement } from './turn-detail.ts';
import { vars } from './vars.ts';
import { WORDS } from './words.ts';
import { t } from '../l10n.ts';

/** The review of one episode: what the host says is true, drawn; what the reviewer does, sent. It keeps no truth of its own. */
export class ReviewElement extends LitElement {
  static override readonly properties = {
    view: { state: true },
    words: { state: true },
    tab: { state: true },
    turn: { state: true },
    detail: { state: true },
    compare: { state: true },
    group: { state: true },
    trends: { state: true },
    said: { state: true },
  };

  /** Undefined before the first snapshot; null: no such episode, and `words` say so. */
  declare private view: ReviewView | null | undefined;
  declare private words: string;
  declare private tab: Tab;
  /** The turn that is looked at. */
  declare private turn: number | null;
  declare private detail: TurnDetail | null;
  declare private compare: CompareView | null;
  declare private group: GroupView | null;
  declare private trends: TrendsView | null;
  /** What was just done or refused, for everybody and for screen readers. */
  declare private said: string;

  readonly #host: Bridge<ReviewPageMessage, ReviewHostMessage> = connectPage(reviewHostMessageSchema);
  readonly #list = createRef<HTMLElement>();
  readonly #turnDetail = createRef<TurnDetailElement>();
  #tip: Tip | null = null;
  #seq = 0;
  #awaitingSnapshot = true;

  constructor() {
    super();
    this.view = undefined;
    this.words = '';
    this.tab = 'turns';
    this.turn = null;
    this.detail = null;
    this.compare = null;
    this.group = null;
    this.trends = null;
    this.said = '';
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#host.listen(this.#receive, () => {
      this.#resync();
    });
    document.addEventListener('keydown', this.#onKey);
    this.addEventListener('done', () => this.#list.value?.focus());
    this.#tip = new Tip(document.body, (target) => (this.view ? tipContent(this.view, target) : null));
    this.#host.post({ type: 'ready' });
  }

  protected override render(): TemplateResult {
    const { view } = this;
    if (view === undefined) return html`<p class="loading">${WORDS.opening}</p>`;
    return html`
      ${
        view === null
          ? html`<header class="head"><p class="help">${this.words}</p></header>`
          : reviewHeader(view.head, view.rows.filter(({ override }) => override.excluded).length, {
              post: this.#post,
              openChat: () => {
                this.#post({ type: 'open_chat' });
              },
              score: () => {
                this.#post({ type: 'score' });
              },
            })
      }
      ${view === null ? nothing : this.#tabs()}
      <main>
        ${
          view === null
            ? this.#tab(view)
            : html`<div class="panel" id="panel" role="tabpanel" aria-labelledby="tab-${this.tab}">
                ${this.#tab(view)}
              </div>`
        }
      </main>
      <footer>
        <span class="keys">${view !== null && this.tab === 'turns' ? WORDS.keys : nothing}</span>
        <span class="said" role="status">${this.said}</span>
      </footer>
    `;
  }

  #tab(view: ReviewView | null): TemplateResult | typeof nothing {
    const { tab } = this;
    if (view === null) return trendsTab(this.trends);
    switch (tab) {
      case 'turns':
        return this.#turns(view);
      case 'task':
        return taskTab(this.group, this.#post);
      case 'compare':
        return compareTab(this.compare, this.#post);
      case 'trends':
        return trendsTab(this.trends);
      default:
        return tab satisfies never;
    }
  }

  #tabs(): TemplateResult {
    const tabs = Object.entries(WORDS.tabs) as [Tab, string][];
    return html`<div
      class="tabs"
      role="tablist"
      aria-label=${t('Views of this conversation')}
      @keydown=${this.#onTabKey}
    >
      ${tabs.map(
        ([tab, title]) =>
          html`<button
            role="tab"
            id="tab-${tab}"
            aria-selected=${tab === this.tab}
            aria-controls="panel"
            tabindex=${tab === this.tab ? 0 : -1}
            @click=${() => {
              this.#show(tab);
            }}
          >
            ${title}
          </button>`,
      )}
    </div>`;
  }

  #turns({ head, rows }: ReviewView): TemplateResult {
    const row = rows.find(({ index }) => index === this.turn) ?? null;
    const { total, mean } = head.axes;
    const band = head.band ?? { low: 0, high: 0 };
    return html`<div
        class="sheet"
        ${vars({
          'total-low': total.low,
          'total-high': total.high,
          'mean-low': mean.low,
          'mean-high': mean.high,
          'band-low': band.low,
          'band-high': band.high,
        })}
      >
        ${rows.length === 0 ? nothing : columnHeads(head)}
        ${
          rows.length === 0
            ? nothing
            : html`<div
                class="list"
                role="listbox"
                tabindex="0"
                aria-label=${WORDS.turnsLabel}
                aria-activedescendant=${this.turn === null ? nothing : `turn-${this.turn}`}
                ${ref(this.#list)}
                @click=${this.#onRow}
              >
                ${repeat(
                  rows,
                  ({ index }) => index,
                  (one) =>
                    html`<tw-review-row
                      role="option"
                      id="turn-${one.index}"
                      class=${one.override.excluded ? 'excluded' : ''}
                      aria-selected=${one.index === this.turn}
                      .row=${one}
                      ?banded=${head.band !== null}
                    ></tw-review-row>`,
                )}
              </div>`
        }
        ${rows.some(({ total: { value } }) => value !== null) ? legend(head, rows) : nothing}
        ${head.help === null ? nothing : html`<p class="help">${head.help}</p>`}
      </div>
      ${
        row === null
          ? nothing
          : html`<tw-turn-detail
              role="region"
              aria-label=${`${WORDS.turn} ${row.index + 1}`}
              ${ref(this.#turnDetail)}
              .head=${head}
              .row=${row}
              .detail=${this.detail?.index === row.index ? this.detail : null}
              .post=${this.#post}
            ></tw-turn-detail>`
      }`;
  }

  readonly #receive = (message: ReviewHostMessage): void => {
    if (message.type === 'snapshot') {
      this.#awaitingSnapshot = false;
      this.#seq = 0;
      this.view = message.view;
      this.words = message.words;
      if (message.view === null) this.#show('trends');
      else this.#settle(message.view.rows);
      this.#keep();
      return;
    }
    if (this.#awaitingSnapshot) return;
    if (message.seq !== this.#seq + 1) {
      this.#resync();
      return;
    }
    this.#seq = message.seq;
    switch (message.type) {
      case 'update':
        if (this.view) {
          this.view = withUpdate(this.view, message);
          this.#settle(this.view.rows);
        }
        return;
      case 'detail':
        this.detail = message.detail;
        return;
      case 'compare':
        this.compare = message.compare;
        return;
      case 'group':
        this.group = message.group;
        return;
      case 'trends':
        this.trends = message.trends;
        return;
      case 'go':
        this.#show(message.tab);
        if (message.turn !== null) this.#select(message.turn);
        this.#list.value?.focus();
        return;
      case 'refused':
        this.said = message.message;
        return;
      default:
        message satisfies never;
    }
  };

  /** A turn is looked at as soon as there is one; that stays, whatever comes after. */
  #settle(rows: readonly ReviewRow[]): void {
    if (this.turn !== null && rows.some(({ index }) => index === this.turn)) {
      if (this.detail === null) this.#post({ type: 'select', turn: this.turn });
      return;
    }
    const first = rows.find(({ total }) => total.value !== null) ?? rows[0];
    if (first !== undefined) this.#select(first.index);
  }

  #resync(): void {
    this.#awaitingSnapshot = true;
    this.#host.post({ type: 'ready' });
  }

  readonly #post = (message: ReviewPageMessage): void => {
    this.said = '';
    this.#host.post(message);
  };

  #show(tab: Tab): void {
    this.tab = tab;
    if (tab !== 'turns') this.#post({ type: 'tab', tab });
    else this.#host.post({ type: 'tab', tab });
    this.#keep();
  }

  #select(turn: number): void {
    if (turn === this.turn && this.detail?.index === turn) return;
    this.turn = turn;
    this.#post({ type: 'select', turn });
    this.#keep();
    void this.updateComplete.then(() => {
      this.querySelector(`#turn-${turn}`)?.scrollIntoView({ block: 'nearest' });
    });
  }

  #keep(): void {
    this.#host.keep({ episode: this.view?.head.episode ?? null, tab: this.tab, turn: this.turn });
  }

  readonly #onRow = (event: Event): void => {
    const option = event.target instanceof Element ? event.target.closest('[role=option]') : null;
    const turn = option?.id.replace('turn-', '');
    if (turn !== undefined) this.#select(Number(turn));
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && this.#tip?.shown === true) {
      this.#tip.hide();
      event.stopPropagation();
      return;
    }
    if (this.tab !== 'turns' || !this.view) return;
    const meaning = keyMeaning(event, this.view.rows, this.turn);
    if (meaning === null) return;
    event.preventDefault();
    switch (meaning.type) {
      case 'move':
        this.#select(meaning.turn);
        return;
      case 'write':
        this.#turnDetail.value?.write();
        return;
      default:
        this.#post(meaning);
    }
  };

  readonly #onTabKey = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    const tabs = Object.keys(WORDS.tabs) as Tab[];
    const next = tabs[(tabs.indexOf(this.tab) + step + tabs.length) % tabs.length];
    if (next === undefined) return;
    this.#show(next);
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(`#tab-${next}`)?.focus());
  };
}

customElements.define('tw-review', ReviewElement);
