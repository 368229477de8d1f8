import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { frameWith, violationsIn } from './accessible.ts';
import { openChat } from './chat.ts';
import { sharedEditor } from './editor.ts';
import { plantLongConversation } from './long-conversation.ts';
import { chatSettings, openTap, startModelServer, type Act, type ModelServer } from './model-server.ts';

const TURNS = 600;
/** The machine may be busy with other things. */
const SOON = { timeout: 20_000 };
const QUESTION = `Which unit? So far:

\`\`\`py
def convert(metres):
    return "s"  # note
\`\`\`

A) metres
B) feet`;

let act: () => Act = () => ({ say: QUESTION });
let server: ModelServer;
const folder = mkdtempSync(join(tmpdir(), 'tw-page-'));
const store = join(folder, 'store.sqlite');
beforeAll(async () => {
  server = await startModelServer(() => act());
  plantLongConversation(store, 'long', TURNS);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});
const editor = sharedEditor(() => ({
  settings: { ...chatSettings(server), 'turnwise.store.path': store, 'workbench.colorTheme': 'Default Dark Modern' },
}));

/** Counts what happens to the turns that stand, and keeps a paragraph of the one that grows. */
const WATCH = `globalThis.seen = [];
globalThis.watching = new MutationObserver((records) => {
  for (const { target, type } of records) {
    const turn = target.nodeType === 1 ? target.closest('tw-turn, header') : target.parentElement?.closest('tw-turn, header');
    if (turn) globalThis.seen.push(type + ' in ' + turn.localName);
  }
});
watching.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });`;

test('code is coloured by its language, and nothing that stands is drawn again while an answer streams in', async () => {
  const { page, shoot } = editor();
  const chat = await openChat(page);
  await chat.say('Convert it.');
  expect(await chat.settled(1)).toBe('question');
  const spans = chat.turn(1).locator('tw-code span');
  await expect.poll(() => spans.count(), SOON).toBeGreaterThan(3);
  const frame = await frameWith(page, 'tw-chat');
  const drawn = await frame.evaluate<string[]>(
    `[...new Set([...document.querySelectorAll('tw-turn tw-code span')].map((span) => getComputedStyle(span).color))]`,
  );
  expect(drawn.length).toBeGreaterThan(2);
  expect(await chat.turn(1).locator('tw-code').innerText()).toContain('def convert(metres):\n    return "s"  # note');

  const tap = openTap();
  act = () => ({ live: tap.live });
  await page.keyboard.press('Alt+B');
  tap.give('First paragraph.\n\n```js\nconst a = 1;\n```\n\n');
  const growing = chat.frame.getByRole('article', { name: 'The agent is writing' });
  await growing.getByText('First paragraph.').waitFor();
  // A fence that is whole has its colours while the rest still comes.
  await growing.locator('tw-code span').first().waitFor();
  await frame.evaluate(
    `${WATCH} globalThis.kept = document.querySelector('article[aria-label="The agent is writing"] p')`,
  );
  for (let word = 0; word < 60; word += 1) tap.give(`word${word} `);
  await growing.getByText('word59').waitFor();
  expect(await frame.evaluate('kept.isConnected')).toBe(true);
  expect(await frame.evaluate('seen')).toEqual([]);
  await shoot('page-streaming');
  tap.give('\n\nI WANT TO ANSWER:\ndef convert(feet):\n    return feet * 0.3048\n');
  tap.end();
  expect(await chat.settled(2)).toBe('answer');
  await frame.evaluate('watching.disconnect()');
  // The first turn stood still to the end; the second one is new.
  expect(await frame.evaluate(`seen.filter((what) => what.startsWith('characterData'))`)).toEqual([]);
});

test('the reader of a long conversation stays where they are; the newest is one click away; few turns are drawn', async () => {
  const { page, look, shoot } = editor();
  await look((vscode) => vscode.commands.executeCommand('turnwise.openEpisode', 'long'));
  const chat = await openChat(page);
  await chat.turn(TURNS).waitFor();
  const frame = await frameWith(page, 'tw-chat');
  const fromEnd = () =>
    frame.evaluate<number>(
      `(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(document.querySelector('main'))`,
    );
  const shown = () => frame.evaluate<number>(`document.querySelectorAll('tw-turn').length`);
  await expect.poll(fromEnd, SOON).toBeLessThan(4);
  expect(await shown()).toBe(40);

  // Up with the wheel: the earlier ones come by themselves, above what is read.
  await chat.turn(TURNS).hover();
  await expect
    .poll(async () => {
      await page.mouse.wheel(0, -2500);
      return shown();
    }, SOON)
    .toBeGreaterThan(40);
  const newest = chat.frame.getByRole('button', { name: 'Newest' });
  await newest.waitFor();
  expect(await fromEnd()).toBeGreaterThan(2000);
  await expect
    .poll(async () => {
      await page.mouse.wheel(0, -20_000);
      return shown();
    }, SOON)
    .toBe(TURNS);
  await page.waitForTimeout(500);

  // In the middle of it, what is read does not move, whatever comes and goes around it.
  const place = `(() => {
    const main = document.querySelector('main').getBoundingClientRect();
    const seen = [...document.querySelectorAll('tw-turn')].find((turn) => turn.getBoundingClientRect().top > main.top);
    return { index: seen.turn.index, top: Math.round(seen.getBoundingClientRect().top) };
  })()`;
  await page.mouse.wheel(0, 9000);
  await page.waitForTimeout(600);
  const before = await frame.evaluate<object>(place);
  await page.waitForTimeout(600);
  expect(await frame.evaluate(place)).toEqual(before);
  await shoot('page-long');

  await newest.click();
  await expect.poll(fromEnd, SOON).toBeLessThan(4);
  await expect.poll(() => newest.count(), SOON).toBe(0);
  await chat.turn(TURNS).waitFor();
  await expect
    .poll(() => frame.evaluate<number>(`document.querySelectorAll('tw-turn article.agent').length`), SOON)
    .toBeLessThan(150);
});

const THEMES = ['Default Dark Modern', 'Default Light Modern', 'Default High Contrast', 'Default High Contrast Light'];

test('the whole of it by keyboard alone: request, an option, apply, accept, rate, a new task', async () => {
  const { page, look, folder: opened } = editor();
  act = () => ({ say: QUESTION });
  await look((vscode) => vscode.commands.executeCommand('turnwise.newConversation'));
  const chat = await openChat(page);
  await page.keyboard.press('Control+Alt+T');
  await expect.poll(() => chat.field.evaluate<boolean>('(field) => field === document.activeElement'), SOON).toBe(true);
  await page.keyboard.type('Convert it to feet.');
  await page.keyboard.press('Enter');
  expect(await chat.settled(1)).toBe('question');

  // What a screen reader meets: a group that says how to answer, buttons with the words, the sentence read out once.
  const card = chat.frame.getByRole('group', { name: /Answer with a click or press A to B/ });
  expect(await card.getByRole('button').count()).toBe(4);
  expect(await card.getByRole('button', { name: 'metres', exact: true }).getAttribute('aria-keyshortcuts')).toBe(
    'A Alt+A',
  );
  const live = chat.frame.locator('[aria-live=polite]');
  await expect.poll(() => live.first().textContent(), SOON).toMatch(/Which unit\?[\s\S]*A: metres\. B: feet\./);

  act = () => ({ say: 'Here it is.\n\nI WANT TO ANSWER:\ndef convert(metres):\n    return metres * 3.28084\n' });
  await page.keyboard.press('Alt+B');
  expect(await chat.settled(2)).toBe('answer');
  const tabTo = async (name: RegExp): Promise<void> => {
    for (let step = 0; step < 40; step += 1) {
      const focused = await (
        await frameWith(page, 'tw-chat')
      ).evaluate<string>(
        `(({ ariaLabel, textContent }) => (ariaLabel ?? textContent ?? '').trim())(document.activeElement ?? document.body)`,
      );
      if (name.test(focused)) return;
      await page.keyboard.press('Shift+Tab');
    }
    throw new Error(`Tab never comes to ${String(name)}.`);
  };
  await page.keyboard.press('Control+Alt+T');
  await tabTo(/^Apply/);
  await page.keyboard.press('Enter');
  await expect
    .poll(() => look((vscode) => vscode.window.tabGroups.activeTabGroup.activeTab?.label ?? ''), SOON)
    .not.toBe('');
  await page.waitForTimeout(500);
  await page.keyboard.press('Control+Alt+Enter');
  await chat.turn(2).getByText('Accepted').waitFor();
  expect(opened.length).toBeGreaterThan(0);

  for (const theme of THEMES) {
    await look(
      (vscode, name) => vscode.workspace.getConfiguration('workbench').update('colorTheme', name, true),
      theme,
    );
    const frame = await frameWith(page, 'tw-chat');
    const kind = theme.includes('High Contrast')
      ? 'vscode-high-contrast'
      : theme.includes('Light')
        ? 'vscode-light'
        : 'vscode-dark';
    await expect.poll(() => frame.evaluate<string>('document.body.className'), SOON).toContain(kind);
    await page.waitForTimeout(700);
    expect.soft(await violationsIn(frame), theme).toEqual([]);
    await editor().shoot(`page-${theme.replaceAll(' ', '-').toLowerCase()}`);
  }
});
