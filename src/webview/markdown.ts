import { html, type TemplateResult } from 'lit';
import { unsafeHTML } from 'lit/directives/unsafe-html.js';
import MarkdownIt from 'markdown-it';
import { safeLink } from '../core/webview-protocol.ts';

/**
 * Markdown of a model, which nobody has vouched for: no HTML, no images, no address that the page itself would follow. Links
 * carry `data-href`; the page hands a click to the host.
 */
export function markdown(text: string): TemplateResult {
  // The renderer escapes everything it did not write itself.
  return html`<div class="prose" dir="auto">${unsafeHTML(renderer.render(text))}</div>`;
}

const renderer = new MarkdownIt('default', { html: false, linkify: false, typographer: false, breaks: true });
const { escapeHtml } = renderer.utils;

// The rule stays on, so that the brackets are understood; only the alternative text is shown.
renderer.renderer.rules['image'] = (tokens, index) => escapeHtml(tokens[index]?.content ?? '');

renderer.renderer.rules['link_open'] = (tokens, index) => {
  const href = safeLink(tokens[index]?.attrGet('href') ?? '');
  if (href === null) return '<span>';
  const escaped = escapeHtml(href);
  return `<a role="link" tabindex="0" data-href="${escaped}" title="${escaped}">`;
};

// Nested links do not exist in markdown, so the closing tag belongs to the last opening one.
renderer.renderer.rules['link_close'] = (tokens, index) => {
  const opening = tokens.slice(0, index).findLast((token) => token.type === 'link_open');
  return safeLink(opening?.attrGet('href') ?? '') === null ? '</span>' : '</a>';
};
