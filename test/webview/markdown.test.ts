import { describe, expect, test } from 'vitest';
import { markdownHtml } from '../../src/webview/markdown.ts';

describe('markdown of a model', () => {
  test.each([
    ['a script', '<script>alert(1)</script>'],
    ['an event handler', '<img src=x onerror=alert(1)>'],
    ['a frame', '<iframe src="https://example.com"></iframe>'],
    ['a style', '<style>body{display:none}</style>'],
    ['a form', '<form action="https://example.com"><input name=a></form>'],
    ['a comment that hides the rest', 'before <!-- after'],
    ['a tag over several lines', '<a\nhref="javascript:alert(1)"\n>x</a>'],
    ['a base address', '<base href="https://example.com">'],
  ])('%s is text', (_name, hostile) => {
    const html = markdownHtml(hostile);
    expect(html).not.toMatch(/<(script|img|iframe|style|form|input|base|!--)/i);
    expect(html).toContain('&lt;');
  });

  test.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:msgbox(1)',
    'command:workbench.action.terminal.new',
    'vscode://file/etc/passwd',
    'file:///etc/passwd',
    'mailto:a@example.com',
    '//example.com/x',
    '#here',
    './relative',
  ])('a link to %s leads nowhere', (href) => {
    const html = markdownHtml(`[click](<${href}>) and <${href}>`);
    expect(html).not.toMatch(/<a\b/);
    expect(html).not.toMatch(/\shref=/);
    expect(html).toContain('click');
  });

  test('a link to a web page carries its address for the host, escaped, and none for the page', () => {
    const html = markdownHtml('[docs](https://example.com/?a=1&b="x"<y> "title")');
    expect(html).not.toMatch(/\shref=/);
    const open = markdownHtml('[docs](https://example.com/?q="><script>)');
    expect(open).not.toContain('<script');
    expect(markdownHtml('[docs](https://example.com/a?b=1&c=2)')).toContain(
      '<a role="link" tabindex="0" data-href="https://example.com/a?b=1&amp;c=2"',
    );
  });

  test('of an image only the words are left', () => {
    expect(markdownHtml('![a <b>cat</b>](https://example.com/cat.png)')).toBe('<p>a &lt;b&gt;cat&lt;/b&gt;</p>\n');
    expect(markdownHtml('[![x](https://e.com/a.png)](https://e.com/)')).not.toMatch(/<img|src=/);
  });

  test('a fence keeps what stands in it, and its language writes no attribute', () => {
    const html = markdownHtml('```py" onload="x\nprint("<b>")\n```');
    expect(html).not.toMatch(/onload="x"/);
    expect(html).toContain('print(&quot;&lt;b&gt;&quot;)');
  });
});
