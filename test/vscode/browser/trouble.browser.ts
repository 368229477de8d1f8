import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { kill } from 'node:process';
import { expect, test } from 'vitest';
import { openChat } from './chat.ts';
import { withEditor } from './editor.ts';
import { enginesOf } from './engines.ts';
import { chatSettings, startModelServer } from './model-server.ts';

test('with no folder open the loop still begins', async () => {
  await withEditor({ folder: false }, async ({ page }) => {
    const chat = await openChat(page);
    await chat.say('Return the peak value. round it properly.');
    await chat.settled(1);
  });
});

test('a server that is gone, or refuses the key, is said in words, and the message stays', async () => {
  const server = await startModelServer((chat) => (chat === 1 ? { refuse: 401 } : { say: 'Which one?' }));
  await withEditor({ settings: chatSettings(server) }, async ({ page }) => {
    const chat = await openChat(page);
    await chat.say('Round a price.');
    await chat.frame
      .getByText(/stand-in refuses the key/)
      .first()
      .waitFor();
    await server.close();
    await chat.frame.getByRole('button', { name: 'Continue' }).click();
    await chat.frame
      .getByText(/stand-in (does not answer|went away)/)
      .first()
      .waitFor();
    await chat.frame.getByText('Round a price.').waitFor();
    expect(await chat.frame.getByRole('button', { name: 'Continue' }).isEnabled()).toBe(true);
  }).finally(() => server.close().catch(() => undefined));
});

test('an engine killed between two answers is started again by Continue', async () => {
  await withEditor({ settings: { 'turnwise.chat.temperature': 0 } }, async ({ page, server }) => {
    const chat = await openChat(page);
    await chat.say('Return the peak value. round it properly.');
    await expect.poll(async () => (await enginesOf(server)).length, { timeout: 60_000 }).toBe(1);
    await chat.settled(1);
    const [engine] = await enginesOf(server);
    if (engine === undefined) throw new Error('no engine runs');
    kill(engine, 'SIGKILL');
    await chat.say('keep 1 decimals');
    const next = chat.turn(2);
    const goOn = chat.frame.getByRole('button', { name: 'Continue' });
    await next.or(goOn).first().waitFor({ timeout: 60_000 });
    if (await goOn.isVisible()) await goOn.click();
    await chat.settled(2);
    expect(await enginesOf(server)).not.toEqual([engine]);
  });
});

test("without this platform's engine binary a server still chats, and scoring says what is missing", async () => {
  const model = await startModelServer((chat) => ({ say: chat === 1 ? 'Which rounding?' : 'Which unit?' }));
  const settings = { ...chatSettings(model), 'turnwise.scoring.enabled': true };
  await withEditor({ settings }, async ({ page, server }) => {
    const extensions = join(server.home, 'extensions');
    const [installed] = (await readdir(extensions)).filter((name) => name.startsWith('turnwise.turnwise-'));
    await rm(join(extensions, installed ?? '', 'dist/node_modules/@node-llama-cpp'), { recursive: true });
    const chat = await openChat(page);
    await chat.say('Round a price.');
    expect(await chat.settled(1)).toBe('question');
    await chat.say('to the nearest euro');
    expect(await chat.settled(2)).toBe('question');
    await page.getByRole('treeitem', { name: /^Turn 1, .*(engine|not scored)/ }).waitFor({ timeout: 60_000 });
  }).finally(() => model.close());
});

test('in a workspace that nobody vouched for, settings that name servers are inert', async () => {
  const server = await startModelServer(() => ({ say: 'Which one?' }));
  await withEditor({ settings: chatSettings(server), trust: false }, async ({ page }) => {
    await page.getByRole('button', { name: /^Restricted Mode/ }).waitFor();
    const chat = await openChat(page);
    await chat.say('Return the peak value. round it properly.');
    await chat.settled(1);
    expect(server.asked).toEqual([]);
  }).finally(() => server.close());
});

test('a journal that cannot be opened is said, with a way to the log', async () => {
  await withEditor({ settings: { 'turnwise.store.path': '/proc/turnwise/journal.sqlite' } }, async ({ page }) => {
    await page.locator('.activitybar').getByRole('tab', { name: 'Turnwise' }).click({ timeout: 60_000 });
    await page.getByText('The journal could not be opened').waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Show Log' }).first().click();
    await page
      .getByText(/turnwise\/journal\.sqlite/)
      .first()
      .waitFor();
  });
});

test('two windows on one folder: the second lists the conversation that runs in the first, which goes on to obey', async () => {
  const server = await startModelServer((chat) => (chat === 1 ? { begin: 'Which roun' } : { say: 'Which rounding?' }));
  await withEditor({ settings: chatSettings(server) }, async ({ page, openWindow }) => {
    const first = await openChat(page);
    await first.say('Round a price.');
    await first.frame.getByText('Which roun').waitFor();
    const other = await openWindow();
    await openChat(other);
    await other
      .getByRole('treeitem', { name: /Round a price/ })
      .first()
      .waitFor();
    await first.frame.getByRole('button', { name: 'Stop' }).click();
    await first.frame.getByRole('button', { name: 'Continue' }).or(first.turn(1)).first().waitFor();
  }).finally(() => server.close());
});
