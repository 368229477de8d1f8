import { expect, test } from 'vitest';
import { openChat } from './chat.ts';
import { withEditor } from './editor.ts';
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

test('what a model says is text: HTML, pictures and links of every kind do nothing', async () => {
  const leak = await startModelServer(() => ({ silence: true }));
  const origin = leak.url.replace('/v1', '');
  const server = await startModelServer(() => ({ say: hostile(origin) }));
  try {
    await withEditor({ settings: chatSettings(server) }, async ({ page, look, shoot }) => {
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
      for (const frame of page.frames()) {
        expect(await frame.evaluate('globalThis.owned === undefined').catch(() => true)).toBe(true);
      }
      expect(leak.asked).toEqual([]);
      // Nothing was sent in the developer's name: the question still waits.
      expect(await chat.turn(2).count()).toBe(0);
    });
  } finally {
    await server.close();
    await leak.close();
  }
});
