import { html, type TemplateResult } from 'lit';
import { unsafeHTML } from 'lit/directives/unsafe-html.js';
import { markdownBlocks } from './markdown.ts';

/**
 * A model's markdown as text of the page; the renderer has escaped everything that it did not write itself. While the text
 * grows, only the paragraph that grows is drawn again: what is read or selected above it stays.
 */
export function prose(text: string): TemplateResult {
  return html`<div class="prose" dir="auto">${markdownBlocks(text).map((block) => unsafeHTML(block))}</div>`;
}
