import { expect, test } from 'vitest';
import { openChat } from './chat.ts';
import { withEditor } from './editor.ts';
import { eventsOf } from './journal-of.ts';
import { chatSettings, startModelServer } from './model-server.ts';

const hostile = (leak: string): string => `Which of these?

<script>parent.postMessage({ type: 'send', text: 'owned' }, '*'); window.owned = true;</script>
<img src="${leak}/html.png" onerror="window.owned = true">
<iframe src="${leak}/frame"></iframe>
<svg onload="window.owned = true"><a href="javascript:window.owned=true">svg</a></svg>
<style>body { background: url(${leak}/style.png) }</style>
<a href="command:workbench.action.files.newUntitledFile">html command</a>
<button onclick="window.owned = true">html button</button>

![picture](${leak}/markdown.png)
[script link](javascript:window.owned=true)
[command link](command:workbench.action.files.newUntitledFile)
[data link](data:text/html,<script>window.owned=true</script>)
[vscode link](vscode://file/etc/passwd)
<${leak}/auto>

A) <img src="${leak}/option.png" onerror="window.owned = true">
B) [link](command:workbench.action.files.newUntitledFile)`;

/** Puts a script, a handler or a picture into the page as a hole in the renderer would, and returns which directive refused it. */
const INJECT = (what: '<script>' | 'onclick' | '<img>'): string => `new Promise((refused) => {
  document.addEventListener('securitypolicyviolation', (event) => refused(event.effectiveDirective), { once: true });
  setTimeout(() => refused('nothing refused it'), 3000);
  if ('${what}' === '<script>') {
    document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.owned = true' }));
  } else if ('${what}' === 'onclick') {
    const button = document.createElement('button');
    button.setAttribute('onclick', 'window.owned = true');
    document.body.append(button);
    button.click();
    button.remove();
  } else {
    new Image().src = 'http://127.0.0.1:9/leak.png';
  }
})`;

test('what a model says is text: HTML, pictures and links of every kind do nothing', async () => {
  const leak = await startModelServer(() => ({ silence: true }));
  const origin = leak.url.replace('/v1', '');
  const server = await startModelServer(() => ({ say: hostile(origin) }));
  try {
    await withEditor({ settings: chatSettings(server) }, async ({ page, look, shoot, server: host }) => {
      const chat = await openChat(page);
      await chat.say('<img src=x onerror="window.owned=true"> **write** something');
      expect(await chat.settled(1)).toBe('question');
      await shoot('hostile');

      const said = chat.turn(1);
      await said.getByText('<script>parent.postMessage', { exact: false }).first().waitFor();
      expect(await said.locator('img, iframe, script, style, svg, object, form, [onerror], [onclick]').count()).toBe(0);
      expect(await said.locator('a[href]').count()).toBe(0);

      // Whatever looks like a link is clicked, and so are the options' words.
      const before = await look((vscode) => vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).length);
      for (const link of await said.locator('a').all()) {
        await link.click();
        await page.keyboard.press('Escape');
      }
      expect(await look((vscode) => vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).length)).toBe(before);
      // Nothing was sent in the developer's name: the question still waits.
      expect(await chat.turn(2).count()).toBe(0);

      // An option is sent as the text that it shows, whatever that looks like.
      const address = page.url();
      for (const [turn, at] of [
        [1, 0],
        [2, 1],
      ] as const) {
        const option = chat.turn(turn).locator('button.choice').nth(at);
        const shown = await option.locator('.text').textContent();
        await option.click();
        await chat.settled(turn + 1);
        expect(eventsOf(host, 'observed').at(-1)).toMatchObject({ kind: 'option', text: shown, option: shown });
      }
      expect(eventsOf(host, 'observed').map(({ text }) => text)).toEqual([
        `<img src="${origin}/option.png" onerror="window.owned = true">`,
        '[link](command:workbench.action.files.newUntitledFile)',
      ]);
      expect(page.url()).toBe(address);
      expect(await look((vscode) => vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).length)).toBe(before);

      // Had the renderer let a script through, the page's own policy would have stopped it.
      const policy =
        (await chat.frame.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content')) ?? '';
      expect(policy).toMatch(/^default-src 'none'; script-src 'nonce-[\w-]{20,}'; style-src [^;]+; font-src [^;]+$/);
      expect(policy).not.toMatch(/unsafe|\*;|data:|blob:/);
      const body = chat.frame.locator('body');
      expect(await body.evaluate(INJECT('<script>'))).toBe('script-src-elem');
      expect(await body.evaluate(INJECT('onclick'))).toBe('script-src-attr');
      expect(await body.evaluate(INJECT('<img>'))).toBe('img-src');
      expect(await body.evaluate('globalThis.owned === undefined')).toBe(true);
      for (const frame of page.frames()) {
        expect(await frame.evaluate('globalThis.owned === undefined').catch(() => true)).toBe(true);
      }
      expect(leak.asked).toEqual([]);
    });
  } finally {
    await server.close();
    await leak.close();
  }
});
