import MarkdownIt from 'markdown-it';
import { visibleControls } from '../core/visible-controls.ts';
import { safeLink } from '../core/webview-protocol.ts';

/** A piece of a model's markdown: a fence as code, everything else as HTML that is safe to put into the page. */
export type MarkdownBlock =
  | { readonly type: 'html'; readonly html: string }
  | { readonly type: 'code'; readonly code: string; readonly language: string; readonly closed: boolean };

/**
 * A model's markdown, which nobody has vouched for, paragraph by paragraph (or list, table, fence): no HTML of its own, no
 * images, no address that the page itself would follow, nothing that acts unseen. A link carries `data-href`; the page hands a
 * click on it to the host. Of a text that grows at its end, all but the last few blocks stay equal.
 */
export function markdownBlocks(text: string): MarkdownBlock[] {
  const env = {};
  const tokens = renderer.parse(text, env);
  let start = 0;
  return tokens.flatMap((token, at): MarkdownBlock[] => {
    if (token.level > 0 || token.nesting > 0) return [];
    const block = tokens.slice(start, at + 1);
    start = at + 1;
    if (token.type === 'fence') {
      return [
        {
          type: 'code',
          code: token.content,
          language: token.info.trim(),
          closed: at < tokens.length - 1 || endsInFence(text, token.markup),
        },
      ];
    }
    return [{ type: 'html', html: visibleControls(renderer.renderer.render(block, renderer.options, env)) }];
  });
}

const renderer = new MarkdownIt('default', { html: false, linkify: false, typographer: false, breaks: true });
const { escapeHtml } = renderer.utils;
type RenderRule = NonNullable<(typeof renderer.renderer.rules)[string]>;

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

// A fence inside a list or a quotation. The page's own element draws it, as it does the ones outside.
const nestedCode: RenderRule = (tokens, index) => {
  const { content, info } = tokens[index] ?? { content: '', info: '' };
  return `<tw-code data-language="${escapeHtml(info.trim())}">${escapeHtml(content)}</tw-code>\n`;
};
renderer.renderer.rules['fence'] = nestedCode;
renderer.renderer.rules['code_block'] = nestedCode;

/** Whether the last fence, opened with this mark, is closed again where the text ends. */
function endsInFence(text: string, mark: string): boolean {
  const lines = text.trimEnd().split('\n');
  const last = lines.at(-1)?.trim() ?? '';
  return lines.length > 1 && last.startsWith(mark) && last.replaceAll(mark.charAt(0), '') === '';
}

interface LinkToken {
  attrGet(name: string): unknown;
}

function hrefOf(token: LinkToken | undefined): string | null {
  const href = token?.attrGet('href');
  return typeof href === 'string' ? safeLink(href) : null;
}
