import { describe, expect, test } from 'vitest';
import { markdownBlocks } from '../../src/webview/markdown.ts';

/** All of it as the page gets it; a fence on its own is no HTML, so its words are escaped here as the page's templates do. */
const markdownHtml = (text: string): string =>
  markdownBlocks(text)
    .map((block) => (block.type === 'html' ? block.html : `<pre>${block.code.replaceAll('<', '&lt;')}</pre>`))
    .join('');

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

  test('a fence is code with its language as a word, and nothing of it is HTML', () => {
    expect(markdownBlocks('```py" onload="x\nprint("<b>")\n```')).toEqual([
      { type: 'code', code: 'print("<b>")\n', language: 'py" onload="x', closed: true },
    ]);
  });

  test('inside a list a fence keeps what stands in it, and its language writes no attribute', () => {
    const html = markdownHtml('- so:\n\n  ```py" onload="x\n  print("<b>")\n  ```');
    expect(html).not.toMatch(/onload="x"/);
    expect(html).toContain('<tw-code data-language="py&quot; onload=&quot;x">print(&quot;&lt;b&gt;&quot;)');
  });

  test.each([
    ['```js\nlet a', false],
    ['```js', false],
    ['```js\nlet a\n``', false],
    ['```js\nlet a\n```', true],
    ['````\n```\n', false],
    ['~~~\na\n~~~~\n', true],
    ['```\na\n```\nand then', true],
  ])('%j: whether its code is whole is known: %s', (text, closed) => {
    expect(markdownBlocks(text).find(({ type }) => type === 'code')).toMatchObject({ closed });
  });

  test('of a text that grows all blocks but the last stay equal', () => {
    const text = 'First *one*.\n\n- a\n- b\n\n```py\nx = 1\n```\n\nLast one that goes on';
    const whole = markdownBlocks(text);
    for (let end = 60; end < text.length; end += 1) {
      expect(markdownBlocks(text.slice(0, end)).slice(0, 3)).toEqual(whole.slice(0, 3));
    }
  });

  test.each([
    ['an escape sequence', 'a\u001b[31mred\u001b[0m', 'a␛[31mred␛[0m'],
    ['a direction that is turned', 'safe\u202Eexe.txt', 'safe‹U+202E›exe.txt'],
    ['the same as an entity', 'safe&#x202E;exe', 'safe‹U+202E›exe'],
    ['a bell', 'x\u0007', 'x␇'],
    ['hidden words', 'x\u{E0041}\u{E0042}', 'x‹U+E0041›‹U+E0042›'],
  ])('%s is shown', (_name, hostile, shown) => {
    expect(markdownHtml(hostile)).toContain(shown);
    expect(markdownHtml(`- \`${hostile}\`\n\n  ~~~\n  ${hostile}\n  ~~~`)).not.toMatch(/[^\P{C}\n]/u);
  });
});
