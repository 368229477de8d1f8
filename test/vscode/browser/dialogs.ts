import type { Frame, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

/** Runs a command from the palette, by its title. */
export async function runCommand(page: Page, title: string): Promise<void> {
  await page.keyboard.press('F1');
  const input = page.locator('.quick-input-widget input[type=text]');
  await input.waitFor();
  await page.keyboard.type(title);
  await offered(page, title).waitFor();
  await page.keyboard.press('Enter');
}

/** The modal dialog on top of everything. */
export const modal = (page: Page): Locator => page.getByRole('dialog').filter({ has: page.locator('.dialog-message') });

/** A notification that says this. */
export const toast = (page: Page, text: string | RegExp): Locator =>
  page.locator('.notifications-toasts .notification-list-item', { hasText: text });

/** Takes the path that the editor's own file dialog proposes, and returns it. */
export async function takeProposedPath(page: Page): Promise<string> {
  const path = await proposedPath(page);
  await page
    .locator('.quick-input-widget')
    .getByRole('button', { name: /^(OK|Export)$/ })
    .click();
  return path;
}

/** The path that the editor's own file dialog proposes. */
export async function proposedPath(page: Page): Promise<string> {
  const input = page.locator('.quick-input-widget input[type=text]');
  // The field holds the folder first, and the whole path when the dialog is ready.
  await expect.poll(() => input.inputValue()).toMatch(/\/turnwise-[^/]+$/);
  return input.inputValue();
}

/** Types this path into the editor's own file dialog, over what it proposes, and takes it. */
export async function givePath(page: Page, path: string): Promise<void> {
  const dialog = page.locator('.quick-input-widget');
  const input = dialog.locator('input[type=text]');
  await dialog.locator('.monaco-list-row').first().waitFor();
  // When it has read the folder, the dialog writes the folder into the field, over what was typed meanwhile.
  await expect
    .poll(async () => {
      if ((await input.inputValue()) !== path) await input.fill(path);
      await page.waitForTimeout(500);
      return (await dialog.locator('.quick-input-progress.active').count()) === 0
        ? input.inputValue()
        : 'still reading';
    })
    .toBe(path);
  await page.keyboard.press('Enter');
}

/** What Enter would take: before its list is filtered, a picker shows what was used last, and stands on the first of it. */
function offered(page: Page, text: string): Locator {
  return page.locator('.quick-input-list .monaco-list-row.focused', { hasText: text }).first();
}

/** Opens a file of the folder by its name. */
export async function openFile(page: Page, name: string): Promise<void> {
  await page.keyboard.press('Control+p');
  await page.locator('.quick-input-widget input[type=text]').waitFor();
  await page.keyboard.type(name);
  await offered(page, name).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('tab', { name }).waitFor();
}

/** Chooses the entry of an open quick pick that begins with this. */
export async function pick(page: Page, label: string): Promise<void> {
  // A string would match in any case: "Local engine" is not "... for the local engine".
  const exactly = new RegExp(label.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  await page.locator('.quick-input-list .monaco-list-row', { hasText: exactly }).first().click();
}

/** The page of a markdown preview with this heading, once it is shown: within `timeout` ms. */
export async function shownPreview(page: Page, heading: string, timeout: number): Promise<Frame> {
  await page.getByRole('tab', { name: new RegExp(heading) }).waitFor({ timeout });
  let found: Frame | undefined;
  await expect
    .poll(
      async () => {
        for (const frame of page.frames()) {
          const count = await frame
            .getByRole('heading', { name: heading, exact: true })
            .count()
            .catch(() => 0);
          if (count > 0) found = frame;
        }
        return found !== undefined;
      },
      { timeout: 60_000 },
    )
    .toBe(true);
  if (found === undefined) throw new Error(`No preview shows "${heading}".`);
  return found;
}

/** Closes what is open in the editor area. */
export async function closeEditors(page: Page): Promise<void> {
  await runCommand(page, 'View: Close All Editors');
  await page.locator('.editor-group-container.empty').first().waitFor();
}

/** Chooses an entry of the menu that a right click on this opens. */
export async function chooseInMenu(page: Page, target: Locator, label: string): Promise<void> {
  await target.click({ button: 'right' });
  const entry = page.locator('.monaco-menu').getByRole('menuitem', { name: label });
  await entry.hover();
  // Just after it opens a menu takes a click for the end of the one that opened it.
  for (let attempt = 0; attempt < 5 && (await entry.isVisible()); attempt += 1) {
    await entry.click({ timeout: 2000, delay: 100 }).catch(() => undefined);
    await entry.waitFor({ state: 'detached', timeout: 1000 }).catch(() => undefined);
  }
}
