import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

/** Runs a command from the palette, by its title. */
export async function runCommand(page: Page, title: string): Promise<void> {
  await page.keyboard.press('F1');
  const input = page.locator('.quick-input-widget input[type=text]');
  await input.waitFor();
  await page.keyboard.type(title);
  await page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first().waitFor();
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
  // The field is filled when the dialog is ready.
  await expect.poll(() => input.inputValue()).toMatch(/[^/]$/);
  return input.inputValue();
}

/** Opens a file of the folder by its name. */
export async function openFile(page: Page, name: string): Promise<void> {
  await page.keyboard.press('Control+p');
  await page.locator('.quick-input-widget input[type=text]').waitFor();
  await page.keyboard.type(name);
  await page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first().waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('tab', { name }).waitFor();
}
