import MarkdownIt from 'markdown-it';
import { safeLink } from '../core/webview-protocol.ts';

/**
 * HTML of a model's markdown, which nobody has vouched for: no HTML of its own, no images, no address that the page itself
 * would follow. A link carries `data-href`; the page hands a click on it to the host.
 */
export function markdownHtml(text: string): string {
  return markdownBlocks(text).join('');
}

/** The same, paragraph by paragraph (or list, table, ...): of a text that grows at its end, all but the last few stay equal. */
export function markdownBlocks(text: string): string[] {
  const env = {};
  const tokens = renderer.parse(text, env);
  let start = 0;
  return tokens.flatMap(({ level, nesting }, at) => {
    if (level > 0 || nesting > 0) return [];
    const block = tokens.slice(start, at + 1);
    start = at + 1;
    return [renderer.renderer.render(block, renderer.options, env)];
  });
}

const renderer = new MarkdownIt('default', { html: false, linkify: false, typographer: false, breaks: true });
const { escapeHtml } = renderer.utils;

// The rule stays on, so that the brackets are understood; only the alternative text is shown.
renderer.renderer.rules['image'] = (tokens, index) => escapeHtml(tokens[index]?.content ?? '');

renderer.renderer.rules['link_open'] = (tokens, index) => {
  const href = hrefOf(tokens[index]);
  if (href === null) return '<span>';
  const escaped = escapeHtml(href);
  return `<a role="link" tabindex="0" data-href="${escaped}" title="${escaped}">`;
};

// Links do not nest in markdown, so a closing tag belongs to the last opening one.
renderer.renderer.rules['link_close'] = (tokens, index) =>
  hrefOf(tokens.slice(0, index).findLast((token) => token.type === 'link_open')) === null ? '</span>' : '</a>';

interface LinkToken {
  attrGet(name: string): unknown;
}

function hrefOf(token: LinkToken | undefined): string | null {
  const href = token?.attrGet('href');
  return typeof href === 'string' ? safeLink(href) : null;
}
