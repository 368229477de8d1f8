import type { FrameLocator, Locator, Page } from 'playwright-core';

/** The chat as a person sees and uses it. */
export interface Chat {
  readonly frame: FrameLocator;
  readonly field: Locator;
  /** Types into the composer, key by key. */
  readonly type: (text: string) => Promise<void>;
  /** Types a message and sends it with Enter. */
  readonly say: (text: string) => Promise<void>;
  /** What the agent said in this turn, counted from 1. */
  readonly turn: (number: number) => Locator;
  /** Resolves when this turn is there and the agent is silent again: to a question or an answer. */
  readonly settled: (number: number) => Promise<'question' | 'answer'>;
}

/** Opens Turnwise from the activity bar and waits until its chat can be used. */
export async function openChat(page: Page): Promise<Chat> {
  // The entry comes once the extension host has delivered the manifest.
  const entry = page.locator('.activitybar').getByRole('tab', { name: 'Turnwise' });
  await entry.waitFor();
  const shown = page.locator('.pane', { has: page.getByRole('button', { name: /^Chat/ }) });
  // A reloaded window may be about to show it by itself; a click then hides it, and the next one shows it again.
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const visible = await shown.waitFor({ timeout: attempt === 0 ? 2000 : 15_000 }).then(
      () => true,
      () => false,
    );
    if (visible) break;
    await entry.click();
  }
  return chatIn(page);
}

/** Opens a chat in which nothing has been said yet. */
export async function newChat(page: Page): Promise<Chat> {
  const chat = await openChat(page);
  const welcome = chat.frame.getByRole('heading', { name: 'It asks first, then it codes' });
  // In a chat that is new already, words could be sent before the command behind the button has been run.
  if (!(await welcome.isVisible())) await page.getByRole('button', { name: 'New Conversation' }).first().click();
  await welcome.waitFor();
  return chat;
}

/** The chat in a window that shows it already. */
export async function chatIn(page: Page): Promise<Chat> {
  // VS Code's own page around it, then the extension's.
  const frame = page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
  const field = frame.getByRole('textbox', { name: 'Message to the agent' });
  await field.waitFor();
  const turn = (number: number) => frame.getByRole('article', { name: `Turn ${number}, agent`, exact: true });
  const type = async (text: string) => {
    await field.click();
    await page.keyboard.type(text, { delay: 2 });
  };
  return {
    frame,
    field,
    type,
    say: async (text) => {
      await type(text);
      await page.keyboard.press('Enter');
    },
    turn,
    settled: async (number) => {
      await turn(number).waitFor();
      await frame.getByRole('button', { name: 'Send', exact: true }).waitFor();
      return (await turn(number).getByRole('region', { name: 'Proposed code' }).count()) > 0 ? 'answer' : 'question';
    },
  };
}
