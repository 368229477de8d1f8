import { html, LitElement, type PropertyValues, type TemplateResult } from 'lit';
import { guessLanguage, languageNamed } from '../core/guess-language.ts';
import { visibleControls } from '../core/visible-controls.ts';
import type { HighlightView } from '../core/webview-protocol.ts';
import { capped, MOST_DRAWN } from './capped.ts';
import { HighlightRequest } from './highlights.ts';
import { t } from './l10n.ts';

/** Code to look at. `language`: the word on its fence, null where it has none. While it grows it stays plain. */
export interface Code {
  readonly code: string;
  readonly language: string | null;
  readonly growing?: boolean;
}

export function codeBlock({ code, language, growing = false }: Code): TemplateResult {
  return html`<tw-code .code=${code} .language=${language} ?growing=${growing}></tw-code>`;
}

/**
 * Code, coloured once it is whole: the colours come from the host as lengths and colours over the same text, so nothing moves
 * when they come. Inside a markdown list it is written as an element with its text in it.
 */
export class CodeElement extends LitElement {
  static override readonly properties = {
    code: { attribute: false },
    language: { attribute: 'data-language' },
    growing: { type: Boolean },
    coloured: { state: true },
  };

  declare code: string | null;
  declare language: string | null;
  declare growing: boolean;
  declare private coloured: { readonly code: string; readonly highlight: HighlightView } | null;

  constructor() {
    super();
    this.code = null;
    this.language = null;
    this.growing = false;
    this.coloured = null;
  }

  protected override createRenderRoot(): HTMLElement {
    if (this.code === null) {
      this.code = this.textContent;
      this.replaceChildren();
    }
    return this;
  }

  /** Asks for its colours again, after the theme changed; until they come it has none, since those of a dark theme are none on white. */
  refresh(): void {
    this.coloured = null;
    this.#ask();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    // Before it is drawn, so that what is known already has its colours from the first frame on.
    if (this.isConnected && (changed.has('code') || changed.has('language') || changed.has('growing'))) this.#ask();
  }

  protected override render(): TemplateResult {
    const language = this.#language();
    return html`<pre
      tabindex="0"
      role="group"
      aria-label=${language === null ? t('Code') : t('Code, {language}', { language })}
    ><code>${capped(this.code ?? '', (text) => this.#draw(text))}</code></pre>`;
  }

  #draw(text: string): TemplateResult {
    const coloured = this.coloured?.code === text ? this.coloured.highlight : null;
    return coloured === null ? html`${visibleControls(text)}` : html`${spans(text, coloured)}`;
  }

  #ask(): void {
    const code = this.code ?? '';
    const language = this.#language();
    if (this.growing || language === null || code === '' || code.length > MOST_DRAWN) return;
    this.dispatchEvent(
      new HighlightRequest(language, code, (highlight) => {
        if (this.code === code) this.coloured = { code, highlight };
      }),
    );
  }

  #language(): ReturnType<typeof guessLanguage> {
    return this.language === null || this.language === ''
      ? guessLanguage(this.code ?? '')
      : languageNamed(this.language);
  }
}

customElements.define('tw-code', CodeElement);

/** The text in its colours. The page's policy allows no style in markup; a script may set it. */
function spans(text: string, { colours, runs }: HighlightView): DocumentFragment {
  const fragment = document.createDocumentFragment();
  let at = 0;
  for (const [length, colour, look] of runs) {
    const piece = visibleControls(text.slice(at, at + length));
    at += length;
    const value = colours[colour];
    if (value === undefined && look === 0) {
      fragment.append(piece);
      continue;
    }
    const span = document.createElement('span');
    span.textContent = piece;
    if (value !== undefined) span.style.color = value;
    if (look & 1) span.style.fontStyle = 'italic';
    if (look & 2) span.style.fontWeight = 'bold';
    if (look & 4) span.style.textDecoration = 'underline';
    fragment.append(span);
  }
  fragment.append(visibleControls(text.slice(at)));
  return fragment;
}
