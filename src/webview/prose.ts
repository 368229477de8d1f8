import { html, type TemplateResult } from 'lit';
import { unsafeHTML } from 'lit/directives/unsafe-html.js';
import { capped } from './capped.ts';
import { codeBlock } from './code-block.ts';
import { markdownBlocks } from './markdown.ts';

/**
 * A model's markdown as text of the page; the renderer has escaped everything that it did not write itself. While the text
 * grows, only the paragraph that grows is drawn again: what is read or selected above it stays.
 */
export function prose(text: string): TemplateResult {
  return html`<div class="prose" dir="auto">${capped(text, (drawn) => blocks(drawn, false))}</div>`;
}

/** The same of a text whose end has not come yet. */
export function growingProse(text: string): TemplateResult {
  return html`<div class="prose" dir="auto">${blocks(text, true)}</div>`;
}

function blocks(text: string, growing: boolean): TemplateResult {
  return html`${markdownBlocks(text).map((block) =>
    block.type === 'html'
      ? unsafeHTML(block.html)
      : codeBlock({ code: block.code, language: block.language, growing: growing && !block.closed }),
  )}`;
}
