import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { root } from '../../host/cache.mjs';
import { openChat } from './chat.ts';
import { withEditor } from './editor.ts';
import { episodesIn } from './episodes.ts';

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
    if (process.env['TURNWISE_SCREENSHOTS']) {
      const media = join(root, 'media/screenshots');
      await mkdir(media, { recursive: true });
      await cp(join(root, `test-results/turnwise-${name}.png`), join(media, `turnwise-${name}.png`));
    }
  });
});

/** Drags the edge between side bar and editor. */
async function widenSideBar(page: Page, width: number): Promise<void> {
  const box = await page.locator('.part.sidebar').boundingBox();
  if (!box) throw new Error('The side bar is not shown.');
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width, y);
  await page.mouse.down();
  await page.mouse.move(box.x + width, y, { steps: 5 });
  await page.mouse.up();
}
