import { html, LitElement, type PropertyValues, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { TurnView } from '../core/webview-protocol.ts';
import './turn.ts';
import type { OnTurnIntent, TurnElement } from './turn.ts';

/** Up to this many turns all of them stay drawn; in a longer list those far from the window give their content back. */
export const ALL_DRAWN = 200;
/** Of a longer list, so many of the newest are drawn at once; the others when they come near the window. */
const DRAWN_FIRST = 20;

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
    const long = this.turns.length > ALL_DRAWN;
    const drawnFrom = this.turns.length - DRAWN_FIRST;
    return html`${repeat(
      this.turns,
      (turn) => turn.index,
      (turn, at) =>
        html`<tw-turn
          .turn=${turn}
          .drawnFirst=${!long || at >= drawnFrom}
          .onIntent=${this.onIntent}
          ?open=${this.open === turn.index}
          .picked=${this.picked?.turn === turn.index ? this.picked.option : null}
          ?mayBranch=${this.mayBranch}
          ?busy=${this.busy && (turn.versions !== null || turn.replyVersions !== null)}
        ></tw-turn>`,
    )}`;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('turns') || this.turns.length > ALL_DRAWN) return;
    // Short again (another conversation): whoever slept is needed.
    for (const turn of this.querySelectorAll<TurnElement>('tw-turn')) turn.asleep = false;
  }

  readonly #onComeAndGo = (event: Event): void => {
    if (!isTurn(event.target)) return;
    const { skipped } = event as ContentVisibilityAutoStateChangeEvent;
    event.target.asleep = skipped && this.turns.length > ALL_DRAWN;
  };
}

customElements.define('tw-turns', TurnListElement);

function isTurn(target: EventTarget | null): target is TurnElement {
  return target instanceof HTMLElement && target.localName === 'tw-turn';
}
