import { expect, test } from 'vitest';
import { openChat } from './chat.ts';
import { withEditor } from './editor.ts';
import { episodesIn } from './episodes.ts';
import { keepPicture, widenSideBar } from './picture.ts';

const THEMES = { dark: 'Default Dark Modern', light: 'Default Light Modern', contrast: 'Default High Contrast' };

test.each(Object.entries(THEMES))('the %s theme, as a reader of the README sees it', async (name, theme) => {
  const settings = { 'workbench.colorTheme': theme, 'turnwise.chat.temperature': 0, 'editor.minimap.enabled': false };
  await withEditor({ settings, viewport: { width: 1360, height: 840 } }, async ({ page, shoot }) => {
    await page.getByRole('treeitem', { name: 'prices.py' }).dblclick();
    const chat = await openChat(page);
    await widenSideBar(page, 470);
    await chat.say('Return the peak value. the output needs a label; round it properly.');
    if ((await chat.settled(1)) === 'question') {
      await chat.say('label it points');
      await chat.settled(2);
      await episodesIn(page).turn(1).filter({ hasText: 'nats' }).waitFor();
    }
    await page.mouse.move(900, 700);
    await shoot(`turnwise-${name}`);
    const fits: unknown = await chat.frame
      .locator('body')
      .evaluate('document.body.scrollWidth <= document.body.clientWidth');
    expect(fits).toBe(true);
    await keepPicture(`turnwise-${name}`);
  });
});
