import { html, type TemplateResult } from 'lit';
import { unsafeHTML } from 'lit/directives/unsafe-html.js';
import { markdownHtml } from './markdown.ts';

/** A model's markdown as text of the page; the renderer has escaped everything that it did not write itself. */
export function prose(text: string): TemplateResult {
  return html`<div class="prose" dir="auto">${unsafeHTML(markdownHtml(text))}</div>`;
}
