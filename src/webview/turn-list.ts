import { html, LitElement, type PropertyValues, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { TurnView } from '../core/webview-protocol.ts';
import './turn.ts';
import type { OnTurnIntent, TurnElement } from './turn.ts';

/** Up to this many turns all of them are drawn at once; in a longer list those far from the window give their content back. */
export const ALL_DRAWN = 200;
/** Of a longer list, so many of the newest are drawn at once; the others when they come near the window. */
const DRAWN_FIRST = 20;
/**
 * Turns that are passed over together, by their index. At every frame the browser looks where each of its parts is, at 5 µs
 * a part: of thousands of turns alone, a key would take longer than a frame.
 */
const STRETCH = 25;

/**
 * The turns of a conversation. It is drawn again when a turn changed or came, never for a token that streams in. The browser
 * lays out only what is near the window, remembers how tall the rest was, and says which turns come and go.
 */
export class TurnListElement extends LitElement {
  static override readonly properties = {
    turns: { attribute: false },
    open: { attribute: false },
    picked: { attribute: false },
    mayBranch: { type: Boolean },
    busy: { type: Boolean },
    onIntent: { attribute: false },
  };

  declare turns: readonly TurnView[];
  /** Index of the turn whose question waits for the developer; null: none does. */
  declare open: number | null;
  /** The option that is on its way or in the composer; null: none is. */
  declare picked: { readonly turn: number; readonly option: number } | null;
  declare mayBranch: boolean;
  /** An action runs in this window. */
  declare busy: boolean;
  declare onIntent: OnTurnIntent;

  constructor() {
    super();
    this.turns = [];
    this.open = null;
    this.picked = null;
    this.mayBranch = false;
    this.busy = false;
    this.onIntent = () => undefined;
    this.addEventListener('contentvisibilityautostatechange', this.#onComeAndGo, { capture: true });
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    return html`${repeat(
      stretchesOf(this.turns),
      ([first]) => stretchOf(first),
      (turns) =>
        html`<div class="stretch">
          ${repeat(
            turns,
            (turn) => turn.index,
            (turn) => this.#turn(turn),
          )}
        </div>`,
    )}`;
  }

  #turn(turn: TurnView): TemplateResult {
    const drawnFirst = this.turns.length <= ALL_DRAWN || turn.index > (this.turns.at(-1)?.index ?? 0) - DRAWN_FIRST;
    return html`<tw-turn
      .turn=${turn}
      .drawnFirst=${drawnFirst}
      .onIntent=${this.onIntent}
      ?open=${this.open === turn.index}
      .picked=${this.picked?.turn === turn.index ? this.picked.option : null}
      ?mayBranch=${this.mayBranch}
      ?busy=${this.busy && (turn.versions !== null || turn.replyVersions !== null)}
    ></tw-turn>`;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('turns') || this.turns.length > ALL_DRAWN) return;
    // Short again (another conversation): whoever slept is needed.
    for (const turn of this.querySelectorAll<TurnElement>('tw-turn')) turn.asleep = false;
    for (const stretch of this.querySelectorAll<HTMLElement>('.stretch')) stretch.style.removeProperty('height');
  }

  readonly #onComeAndGo = (event: Event): void => {
    const stretch = event.target;
    if (!isStretch(stretch)) return;
    const turns = [...stretch.querySelectorAll<TurnElement>('tw-turn')];
    const { skipped } = event as ContentVisibilityAutoStateChangeEvent;
    if (skipped && this.turns.length <= ALL_DRAWN) return;
    // It keeps its height until it is drawn again: nothing that is read moves.
    if (skipped) stretch.style.height = `${stretch.offsetHeight}px`;
    for (const turn of turns) turn.asleep = skipped;
    if (skipped) return;
    void Promise.all(turns.map((turn) => turn.updateComplete)).then(() => {
      stretch.style.removeProperty('height');
    });
  };
}

customElements.define('tw-turns', TurnListElement);

/** Turns in their order, cut where a new stretch begins; none of them is empty. */
function stretchesOf(turns: readonly TurnView[]): TurnView[][] {
  const stretches: TurnView[][] = [];
  for (const turn of turns) {
    const last = stretches.at(-1);
    if (last !== undefined && stretchOf(last[0]) === stretchOf(turn)) last.push(turn);
    else stretches.push([turn]);
  }
  return stretches;
}

function stretchOf(turn: TurnView | undefined): number {
  return Math.floor((turn?.index ?? 0) / STRETCH);
}

function isStretch(target: EventTarget | null): target is HTMLElement {
  return target instanceof HTMLElement && target.classList.contains('stretch');
}
