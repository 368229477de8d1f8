import { html, nothing, type TemplateResult } from 'lit';
import { unsafeHTML } from 'lit/directives/unsafe-html.js';
import type { TrendsView } from '../../core/review-protocol.ts';
import { WORDS } from './words.ts';

/** Pictures over all conversations; the same as in a report. */
export function trendsTab(view: TrendsView | null): TemplateResult | typeof nothing {
  if (view === null) return nothing;
  return html`<section class="trends" aria-label=${WORDS.tabs.trends}>
    <p class="muted">${view.words} ${view.thumbs ?? nothing}</p>
    <div class="pictures">
      ${view.pictures.map(
        ({ title, words, svg }) =>
          html`<figure>
            <figcaption>${title}</figcaption>
            ${unsafeHTML(svg)}
            <p class="muted">${words}</p>
          </figure>`,
      )}
    </div>
  </section>`;
}
