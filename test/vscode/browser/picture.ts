import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { root } from '../../host/cache.mjs';

/** Takes a picture of this run over into the documents, where `npm run screenshots` asks for it. */
export async function keepPicture(name: string): Promise<void> {
  if (!process.env['TURNWISE_SCREENSHOTS']) return;
  const media = join(root, 'media/screenshots');
  await mkdir(media, { recursive: true });
  await cp(join(root, `test-results/${name}.png`), join(media, `${name}.png`));
}

/** Drags the edge between side bar and editor. */
export async function widenSideBar(page: Page, width: number): Promise<void> {
  const box = await page.locator('.part.sidebar').boundingBox();
  if (!box) throw new Error('The side bar is not shown.');
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width, y);
  await page.mouse.down();
  await page.mouse.move(box.x + width, y, { steps: 5 });
  await page.mouse.up();
}
