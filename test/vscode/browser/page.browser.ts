import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { frameWith, violationsIn } from './accessible.ts';
import { openChat } from './chat.ts';
import { runCommand } from './dialogs.ts';
import { sharedEditor } from './editor.ts';
import { plantLongConversation } from './long-conversation.ts';
import { chatSettings, openTap, startModelServer, type Act, type ModelServer } from './model-server.ts';

const TURNS = 600;
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
  await expect.poll(() => spans.count()).toBeGreaterThan(3);
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
  await expect.poll(fromEnd).toBeLessThan(4);
  expect(await shown()).toBe(40);

  // At the top the earlier ones come by themselves, above what is read: that stays where it is.
  const placeOf = (index: number) =>
    frame.evaluate<number>(
      `[...document.querySelectorAll('tw-turn')].find((one) => one.turn.index === ${index}).getBoundingClientRect().top`,
    );
  await chat.turn(TURNS).hover();
  await page.mouse.wheel(0, -400);
  await frame.evaluate(`document.querySelector('main').scrollTop = 0`);
  await expect.poll(shown).toBeGreaterThan(40);
  await expect.poll(() => placeOf(TURNS - 40)).toBeGreaterThan(0);
  expect(await placeOf(TURNS - 40)).toBeLessThan(400);
  const newest = chat.frame.getByRole('button', { name: 'Newest' });
  await newest.waitFor();
  expect(await fromEnd()).toBeGreaterThan(2000);
  await expect
    .poll(async () => {
      await page.mouse.wheel(0, -20_000);
      return shown();
    })
    .toBe(TURNS);
  await page.waitForTimeout(500);

  await shoot('page-long');

  await newest.click();
  await expect.poll(fromEnd).toBeLessThan(4);
  await expect.poll(() => newest.count()).toBe(0);
  await chat.turn(TURNS).waitFor();
  await expect
    .poll(() => frame.evaluate<number>(`document.querySelectorAll('tw-turn article.agent').length`))
    .toBeLessThan(150);
});

const THEMES = {
  'Default Dark Modern': 'vscode-dark',
  'Default Light Modern': 'vscode-light',
  'Default High Contrast': 'vscode-high-contrast',
  'Default High Contrast Light': 'vscode-high-contrast-light',
};

test('the whole of it by keyboard alone, in every kind of theme without a barrier', async () => {
  const { page, look, shoot } = editor();
  act = () => ({ say: QUESTION });
  await look((vscode) => vscode.commands.executeCommand('turnwise.newConversation'));
  const chat = await openChat(page);
  const frame = await frameWith(page, 'tw-chat');
  const focused = (): Promise<string> =>
    frame.evaluate<string>(
      `(({ ariaLabel, textContent }) => document.hasFocus() ? (ariaLabel ?? textContent ?? '').trim() : '')(document.activeElement ?? document.body)`,
    );
  // From elsewhere, so that the keys that follow cannot come before the field has the focus.
  const toField = async (): Promise<void> => {
    await look((vscode) => vscode.commands.executeCommand('workbench.action.focusActivityBar'));
    await expect.poll(focused).toBe('');
    await page.keyboard.press('Control+Alt+T');
    await expect.poll(focused).toBe('Message to the agent');
  };
  await toField();
  await page.keyboard.type('Convert it to feet.');
  await page.keyboard.press('Enter');
  expect(await chat.settled(1)).toBe('question');

  // What a screen reader meets: a group that says how to answer, buttons with the words, and the question read out whole.
  const card = chat.frame.getByRole('group', { name: /Answer with a click or press A to B/ });
  expect(await card.getByRole('button').count()).toBe(4);
  const metres = card.getByRole('button', { name: /^metres/ });
  expect(await metres.getAttribute('aria-keyshortcuts')).toBe('A Alt+A');
  const said = () => frame.evaluate<string>(`document.querySelector('[aria-live=polite]').textContent`);
  await expect.poll(said).toMatch(/Which unit\?[\s\S]*A: metres\. B: feet\./);

  act = () => ({ say: 'Here it is.\n\nI WANT TO ANSWER:\ndef convert(metres):\n    return metres * 3.28084\n' });
  await page.keyboard.press('Alt+B');
  expect(await chat.settled(2)).toBe('answer');
  await expect.poll(said).toContain('The agent proposes code.');
  const tabTo = async (name: RegExp): Promise<void> => {
    for (let step = 0; step < 40; step += 1) {
      if (name.test(await focused())) return;
      await page.keyboard.press('Shift+Tab');
    }
    throw new Error(`Tab never comes to ${String(name)}.`);
  };
  await tabTo(/^Apply/);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Accept Proposal' }).first().waitFor();
  await page.keyboard.press('Control+Alt+Enter');
  await chat.turn(2).getByText('Accepted').waitFor();
  await toField();
  const thumb = chat.turn(2).locator('button[aria-pressed]').first();
  const label = (await thumb.getAttribute('aria-label')) ?? 'none';
  await tabTo(new RegExp(`^${label}$`));
  await page.keyboard.press('Enter');
  await expect.poll(() => thumb.getAttribute('aria-pressed')).toBe('true');

  for (const [theme, kind] of Object.entries(THEMES)) {
    await look(
      (vscode, name) => vscode.workspace.getConfiguration('workbench').update('colorTheme', name, true),
      theme,
    );
    await expect.poll(() => frame.evaluate<string>('document.body.className')).toMatch(new RegExp(`${kind}( |$)`));
    // Colours change over a moment, and what is between two themes is not what is judged.
    await expect.poll(() => violationsIn(frame), { message: theme, timeout: 20_000 }).toEqual([]);
    await shoot(`page-${kind}`);
  }

  await runCommand(page, 'Turnwise: New Conversation');
  await chat.frame.getByRole('heading', { name: 'It asks first, then it codes' }).waitFor();
  expect.soft(await violationsIn(frame), 'an empty chat').toEqual([]);
});

test('a message of ten megabytes, full of what acts unseen, is drawn in part and stops nobody', async () => {
  const { page, look } = editor();
  act = () => ({ live: bigMessage('a line \u202e turned \u001b[31mred\u001b[0m and <b>so on</b> ', 10_000_000) });
  const chat = await openChat(page);
  await chat.say('Write much.');
  await chat.turn(1).waitFor();
  const all = chat.turn(1).getByRole('button', { name: /^Show all .* characters$/ });
  await all.waitFor();
  const frame = await frameWith(page, 'tw-chat');
  const text = `document.querySelector('tw-turn').textContent`;
  expect(await frame.evaluate<number>(`${text}.length`)).toBeLessThan(200_000);
  // The extension host goes on, and so does the page.
  expect(await look((vscode) => vscode.env.appName)).toBeTruthy();
  await chat.type('still here');
  await expect.poll(() => chat.field.inputValue()).toBe('still here');
  await all.click();
  await expect.poll(() => frame.evaluate<number>(`${text}.length`)).toBeGreaterThan(9_900_000);
  expect(await frame.evaluate(`${text}.slice(200_000, 200_400)`)).toContain(
    '‹U+202E› turned ␛[31mred␛[0m and <b>so on</b>',
  );
  expect(await frame.evaluate(String.raw`/[\u202e\u001b]/.test(document.body.textContent)`)).toBe(false);
});

/** Words in pieces as large as a socket takes. */
async function* bigMessage(words: string, length: number): AsyncGenerator<string> {
  const piece = `${words.repeat(1000)}\n`;
  for (let sent = 0; sent < length; sent += piece.length) {
    yield piece;
    await new Promise((next) => setImmediate(next));
  }
}
