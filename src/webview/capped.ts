import { html, LitElement, type PropertyValues, type TemplateResult } from 'lit';
import { visibleControls } from '../core/visible-controls.ts';
import { t } from './l10n.ts';

/** Longer texts than this, in UTF-16 units, are drawn only so far until their reader asks for all. */
export const MOST_DRAWN = 100_000;
/** Up to here "all" still looks as it should; beyond, it is plain text, laid out piece by piece as it comes into sight. */
const MOST_STYLED = 1_000_000;
const PIECE = 20_000;

type Draw = (text: string) => TemplateResult;

/** A text of any length: a message of many megabytes may not stop the page. `draw` makes its look. */
export function capped(text: string, draw: Draw): TemplateResult {
  return text.length <= MOST_DRAWN ? draw(text) : html`<tw-capped .text=${text} .draw=${draw}></tw-capped>`;
}

export class CappedElement extends LitElement {
  static override readonly properties = {
    text: { attribute: false },
    draw: { attribute: false },
    all: { state: true },
  };

  declare text: string;
  declare draw: Draw;
  declare private all: boolean;

  constructor() {
    super();
    this.text = '';
    this.draw = (text) => html`${text}`;
    this.all = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override shouldUpdate(changed: PropertyValues<this>): boolean {
    // How it is drawn follows from what it is; a new closure alone is nothing new.
    return !this.hasUpdated || [...changed.keys()].some((key) => key !== 'draw');
  }

  protected override render(): TemplateResult {
    const { text } = this;
    if (this.all) return text.length <= MOST_STYLED ? this.draw(text) : html`${piecesOf(text).map(piece)}`;
    return html`${this.draw(beginningOf(text))}
      <p class="mark">
        <button
          class="link"
          @click=${() => {
            this.all = true;
          }}
        >
          ${t('Show all {count} characters', { count: text.length.toLocaleString() })}
        </button>
      </p>`;
  }
}

customElements.define('tw-capped', CappedElement);

/** Up to the last line that fits, and never half a character. */
function beginningOf(text: string): string {
  const line = text.lastIndexOf('\n', MOST_DRAWN);
  return text.slice(0, line > MOST_DRAWN / 2 ? line : wholeCharacter(text, MOST_DRAWN));
}

function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (let from = 0; from < text.length;) {
    const line = text.lastIndexOf('\n', from + PIECE);
    const to = line > from ? line + 1 : wholeCharacter(text, from + PIECE);
    pieces.push(text.slice(from, to));
    from = to;
  }
  return pieces;
}

function wholeCharacter(text: string, at: number): number {
  const unit = text.charCodeAt(at - 1);
  return at < text.length && unit >= 0xd800 && unit < 0xdc00 ? at - 1 : at;
}

function piece(text: string): TemplateResult {
  return html`<pre class="plain piece" dir="auto">${visibleControls(text)}</pre>`;
}
