import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Server } from '../../host/server.mjs';
import { type Chat, newChat, openChat } from './chat.ts';
import { chooseInMenu, closeEditors, givePath, openFile, toast } from './dialogs.ts';
import { sharedEditor } from './editor.ts';
import { eventsOf, newestEvents } from './journal-of.ts';
import { chatSettings, startModelServer, type Act, type ModelServer } from './model-server.ts';
import { keepPicture, widenSideBar } from './picture.ts';

/** What the agent does next; each test writes its own. */
let script: Act[] = [];
let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer(() => script.shift() ?? { say: 'Anything else?' });
});
afterAll(() => server.close());

const LEGACY = ['"""Kept as it was."""', '', 'def total(basket):', '    return 0', '', 'LAST = 1', ''].join('\r\n');
const CHECK = ['echo ran >> ran.txt', "echo 'Tests  1 failed | 2 passed (3)'", 'exit 1', ''].join('\n');
const editor = sharedEditor(() => ({
  settings: { ...chatSettings(server), 'turnwise.tests.command': 'sh check.sh', 'files.autoSave': 'off' },
  files: {
    'legacy.py': LEGACY,
    'check.sh': CHECK,
    '.env': 'TOKEN=very-secret-words\n',
    'long.txt': 'x'.repeat(50_000),
  },
  viewport: { width: 1280, height: 1000 },
}));

/** A new conversation in which the agent will do these things. */
function begin(...acts: readonly Act[]): Promise<Chat> {
  script = [...acts];
  return newChat(editor().page);
}

const answer = (code: string): Act => ({ say: `Here it is.\nI WANT TO ANSWER:\n\`\`\`python\n${code}\`\`\`` });
const chips = (chat: Chat) => chat.frame.getByRole('list', { name: 'Goes with the message' });
const proposal = (chat: Chat, turn: number) => chat.turn(turn).getByRole('region', { name: 'Proposed code' });
/** What the model read last. */
const lastSaid = () => server.chats.at(-1)?.messages.at(-1)?.content ?? '';
const textOf = (path: string) =>
  editor().look(
    (vscode, name) => vscode.workspace.textDocuments.find(({ uri }) => uri.path.endsWith(name))?.getText() ?? null,
    path,
  );

/** What the extension has logged. */
function logOf({ home }: Server): string {
  const logs = join(home, 'user/logs');
  const files = readdirSync(logs, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('Turnwise.log'),
  );
  return files.map((path) => readFileSync(join(logs, path), 'utf8')).join('');
}

/** Opens a file and gives its text; its tab is there before its document is. */
async function open(name: string): Promise<string> {
  const { page, look } = editor();
  await openFile(page, name);
  const read = () =>
    look((vscode, wanted) => {
      const document = vscode.window.activeTextEditor?.document;
      return document?.uri.path.endsWith(`/${wanted}`) === true ? document.getText() : '';
    }, name);
  await expect.poll(read).not.toBe('');
  return read();
}

/** Selects whole lines of the open file, from 1, by keyboard, and waits until the editor has them selected. */
async function selectLines(page: Page, from: number, to: number): Promise<void> {
  const { look } = editor();
  await page.locator('.monaco-editor .view-lines').first().click();
  await page.keyboard.press('Control+Home');
  for (let line = 1; line < from; line += 1) await page.keyboard.press('ArrowDown');
  for (let line = from; line <= to; line += 1) await page.keyboard.press('Shift+ArrowDown');
  await expect
    .poll(() =>
      look((vscode) => {
        const selected = vscode.window.activeTextEditor?.selection;
        return selected === undefined ? null : [selected.start.line + 1, selected.end.line];
      }),
    )
    .toEqual([from, to]);
}

test('the open file, a selection and a file behind @ go along as chips, survive a reload, are taken away by keyboard, and are what the model reads', async () => {
  const { page, shoot, server: host } = editor();
  await open('prices.py');
  let chat = await begin({ say: 'Which rounding?' });
  const active = (of: Chat) => of.frame.getByRole('button', { name: 'Attach the open file prices.py' });
  await active(chat).waitFor();
  expect(await active(chat).getAttribute('aria-pressed')).toBe('false');
  const border: unknown = await chat.frame
    .locator('body')
    .evaluate(`getComputedStyle(document.querySelector('button.attachment.toggle')).borderTopStyle`);
  expect(border).toBe('dashed');

  await selectLines(page, 10, 12);
  await page.keyboard.press('Control+Alt+a');
  await chips(chat).getByText('prices.py:10-12').waitFor();
  await chat.type('Round it, see @sho');
  await chat.frame.getByRole('option', { name: /shop\.py/ }).waitFor();
  await shoot('chips-files');
  await page.keyboard.press('Enter');
  await chips(chat).getByText('shop.py', { exact: true }).waitFor();
  await active(chat).click();
  await expect.poll(() => active(chat).getAttribute('aria-pressed')).toBe('true');
  await shoot('chips');

  await page.reload();
  await page.locator('.monaco-workbench').waitFor();
  chat = await openChat(page);
  for (const name of ['prices.py:10-12', 'shop.py']) await chips(chat).getByText(name, { exact: true }).waitFor();
  await expect.poll(() => active(chat).getAttribute('aria-pressed')).toBe('true');

  // Back from the field the chips come in their order, and the keys stay among them.
  await chat.field.click();
  const leave = (name: string) => chat.frame.getByRole('button', { name: `Leave out ${name}` });
  const focused = () => chat.frame.locator(':focus').first();
  await page.keyboard.press('Shift+Tab');
  await expect.poll(() => focused().getAttribute('aria-label')).toBe('Leave out shop.py');
  await page.keyboard.press('Enter');
  await leave('shop.py').waitFor({ state: 'detached' });
  await expect.poll(() => focused().getAttribute('aria-label')).toBe('Leave out prices.py:10-12');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Space');
  await expect.poll(() => active(chat).getAttribute('aria-pressed')).toBe('false');
  await page.keyboard.press('Space');
  await expect.poll(() => active(chat).getAttribute('aria-pressed')).toBe('true');

  await chat.field.click();
  await page.keyboard.press('Enter');
  await chat.settled(1);
  const said = eventsOf(host, 'request_accepted')[0]?.text ?? '';
  expect(said).toMatch(/^Round it, see shop\.py\n\nAttached: file prices\.py\n```py\n"""Prices of a small shop\."""/);
  expect(said).toMatch(/\n\nAttached: selection prices\.py:10-12\n```py\ndef total\(basket\):\n.*\n.*\n```$/);
  expect(said).not.toContain('if __name__');
  expect(lastSaid()).toBe(said);
  await expect.poll(() => chips(chat).locator('li').count()).toBe(1);
  expect(await active(chat).getAttribute('aria-pressed')).toBe('false');
  // What went along is folded away under the words, and is the very text.
  const mine = chat.frame.getByRole('article', { name: 'You' }).first();
  await mine.getByText('prices.py:10-12').click();
  await mine.getByText('def total(basket):').last().waitFor();
  await shoot('chips-sent');
});

test('a file that holds secrets is not offered behind @ and refused to a tool, one that is too long is refused; the log holds no words', async () => {
  const { page, server: host } = editor();
  const chat = await begin({ call: [['read_file', { path: '.env' }]] }, { say: 'Which rounding?' });
  await chat.type('Look at @env');
  expect(await chat.frame.getByRole('listbox', { name: 'Files of the workspace' }).count()).toBe(0);
  // A name that can be found is offered: what came before it was looked for and not found.
  await chat.type(' @long');
  await chat.frame.getByRole('option', { name: /long\.txt/ }).waitFor();
  await page.keyboard.press('Enter');
  await toast(page, 'long.txt has 50,000 characters').waitFor();
  await page.keyboard.press('Enter');
  await chat.settled(2);
  const [seen] = eventsOf(host, 'observed');
  expect(seen?.kind).toBe('tool');
  expect(seen?.text).not.toContain('very-secret-words');
  expect(JSON.stringify(server.chats)).not.toContain('very-secret-words');
  expect(eventsOf(host, 'request_accepted')).toMatchObject([{ text: 'Look at @env long.txt' }]);
  await expect.poll(() => logOf(host)).toContain('attach was refused');
  expect(logOf(host)).not.toMatch(/Look at|Which rounding|very-secret|Round it|def total/);
});

test('tools that read run by themselves, tests after a click on the command that is shown; results are observations and rows', async () => {
  const { folder, shoot, server: host } = editor();
  const ran = join(folder, 'ran.txt');
  const chat = await begin(
    {
      call: [
        ['read_file', { path: 'shop.py' }],
        ['search', { text: 'catalogue' }],
      ],
    },
    { call: [['run_tests', {}]] },
    { call: [['run_tests', {}]] },
    { say: 'Which rounding?\nA) half up\nB) half even' },
  );
  await chat.say('Print the total rounded.');
  const asked = chat.frame.getByRole('group', { name: 'The agent wants to run the tests' });
  await asked.getByText('sh check.sh', { exact: true }).waitFor();
  await shoot('tools-ask');
  expect(existsSync(ran)).toBe(false);
  await asked.getByRole('button', { name: 'Do Not Run' }).click();
  await chat.turn(2).getByText('The tests were not run').waitFor();
  await asked.getByRole('button', { name: 'Run', exact: true }).click();
  await chat.settled(4);
  expect(await readFile(ran, 'utf8')).toBe('ran\n');

  const seen = eventsOf(host, 'observed');
  expect(seen.map(({ kind }) => kind)).toEqual(['tool', 'tool', 'tool', 'test']);
  expect(seen[0]?.text).toContain('from prices import total');
  expect(seen[1]?.text).toContain('prices.py:3: CATALOGUE = {');
  expect(seen[2]?.text).toBe('The developer does not want the tests run.');
  expect(seen[3]?.text).toMatch(/^The tests failed: 2 of 3\.\n\nTests {2}1 failed/);
  // The model was told of the tools, and has read what they gave under the calls that it made.
  const last = server.chats.at(-1);
  expect(last?.tools?.map((tool) => tool.function.name)).toEqual(
    expect.arrayContaining(['read_file', 'list_files', 'search', 'diagnostics', 'run_tests']),
  );
  expect(last?.messages.filter(({ role }) => role === 'tool').map(({ content }) => content)).toEqual(
    seen.map(({ text }) => text),
  );
  expect(last?.messages.find(({ tool_calls: calls }) => calls !== undefined)?.tool_calls?.[0]?.function.name).toBe(
    'read_file',
  );

  const row = chat.turn(1).getByText('Read', { exact: true });
  await row.click();
  await chat.turn(1).getByText('from prices import total').waitFor();
  await chat.turn(1).getByText('Searched', { exact: true }).waitFor();
  await shoot('tools-rows');
  await row.press('Enter');
  await chat.turn(4).getByRole('button', { name: 'half even', exact: true }).click();
  await chat.settled(5);
  expect(lastSaid()).toBe('half even');
});

test('a proposal takes the place of the selection in the diff, is edited there, keeps CRLF, and is one undo step; the edit is read and what is left is measured', async () => {
  const { page, folder, shoot, server: host } = editor();
  await open('legacy.py');
  const chat = await begin(answer('def total(basket):\n    gross = sum(basket)\n    return round(gross, 2)\n'), {
    say: 'Anything else?',
  });
  await selectLines(page, 3, 4);
  // As the editor's menu offers it, too.
  await chooseInMenu(page, page.locator('.view-line', { hasText: 'return 0' }), 'Add Selection to Turnwise');
  await chips(chat).getByText('legacy.py:3-4').waitFor();
  await chat.say('Make it a real sum.');
  expect(await chat.settled(1)).toBe('answer');
  await proposal(chat, 1).getByRole('button', { name: 'Apply…' }).click();
  const right = page.locator('.monaco-diff-editor .editor.modified');
  await right.locator('.view-line', { hasText: 'gross = sum(basket)' }).click();
  await page.keyboard.press('End');
  await page.keyboard.type(' + 0');
  await right.locator('.view-line', { hasText: 'gross = sum(basket) + 0' }).waitFor();
  await shoot('diff-edited');
  // Nothing is written before the word.
  expect(await readFile(join(folder, 'legacy.py'), 'utf8')).toBe(LEGACY);
  await page.getByRole('button', { name: 'Accept Proposal' }).first().click();
  await page.locator('.monaco-diff-editor').waitFor({ state: 'detached' });
  const written = LEGACY.replace('    return 0', '    gross = sum(basket) + 0\r\n    return round(gross, 2)');
  await expect.poll(() => textOf('legacy.py')).toBe(written);
  await expect.poll(() => eventsOf(host, 'observed').map(({ kind }) => kind)).toEqual(['edit']);
  expect(eventsOf(host, 'proposal_decided')).toMatchObject([{ turn: 0, decision: 'accepted' }]);

  await page.locator('.view-line', { hasText: 'LAST = 1' }).click();
  await page.keyboard.press('Control+z');
  await expect.poll(() => textOf('legacy.py')).toBe(LEGACY);
  await page.keyboard.press('Control+Shift+z');
  await expect.poll(() => textOf('legacy.py')).toBe(written);
  await page.keyboard.press('Control+s');
  // Of the two lines that were proposed, one was edited; the head of the function was there before.
  await expect
    .poll(() => eventsOf(host, 'proposal_saved'))
    .toEqual([{ type: 'proposal_saved', turn: 0, survival: 1 / 2 }]);
  expect(await readFile(join(folder, 'legacy.py'), 'utf8')).toBe(written);

  await chat.say('Thanks.');
  await chat.settled(2);
  const read = server.chats.at(-1)?.messages.map(({ content }) => content ?? '') ?? [];
  expect(read.join('\n')).toContain('+    gross = sum(basket) + 0');
});

test('a proposal inserted at the cursor is one undo step; taken back before the save, nothing of it is left', async () => {
  const { page, look, server: host } = editor();
  const before = await open('shop.py');
  const chat = await begin(answer('TAX = 0.2\n'));
  await chat.say('A constant for the tax.');
  expect(await chat.settled(1)).toBe('answer');
  await page.locator('.monaco-editor .view-lines').first().click();
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('ArrowDown');
  await expect.poll(() => look((vscode) => vscode.window.activeTextEditor?.selection.active.line)).toBe(1);
  await proposal(chat, 1).getByRole('button', { name: 'Insert code at cursor' }).click();
  await proposal(chat, 1).getByText('Accepted').waitFor();
  await expect.poll(() => textOf('shop.py')).toBe(before.replace('\n', '\nTAX = 0.2\n'));
  await page.locator('.view-line', { hasText: 'TAX = 0.2' }).click();
  await page.keyboard.press('Control+z');
  await expect.poll(() => textOf('shop.py')).toBe(before);
  await page.keyboard.press('Control+s');
  await expect.poll(() => eventsOf(host, 'proposal_saved')).toEqual([{ type: 'proposal_saved', turn: 0, survival: 0 }]);
});

test('with no file open a proposal becomes a new document, its tests are its outcome, and the save under a name is its first save', async () => {
  const { page, folder, shoot, server: host } = editor();
  await closeEditors(page);
  const chat = await begin(answer('def gross(net):\n    return net * 1.2\n'));
  await expect.poll(() => chips(chat).count()).toBe(0);
  await chat.say('Add the tax.');
  expect(await chat.settled(1)).toBe('answer');
  await proposal(chat, 1).getByRole('button', { name: 'Apply…' }).click();
  await page.locator('.monaco-diff-editor').waitFor();
  await page.getByRole('button', { name: 'Accept Proposal' }).first().click();
  await page.locator('.monaco-diff-editor').waitFor({ state: 'detached' });
  await page.locator('.view-line', { hasText: 'return net * 1.2' }).click();

  await proposal(chat, 1).getByRole('button', { name: 'Run Tests' }).click();
  await expect.poll(() => eventsOf(host, 'tests_run')).toMatchObject([{ turn: 0, passed: 2, total: 3 }]);
  await proposal(chat, 1).getByText('2 of 3').first().waitFor();
  await shoot('new-document');

  await page.locator('.view-line', { hasText: 'return net * 1.2' }).click();
  await page.keyboard.press('Control+s');
  const path = join(folder, 'gross.py');
  await givePath(page, path);
  await expect.poll(() => existsSync(path)).toBe(true);
  await page.getByRole('tab', { name: 'gross.py' }).waitFor();
  await expect
    .poll(() => newestEvents(host).filter(({ type }) => type === 'proposal_saved'))
    .toEqual([{ type: 'proposal_saved', turn: 0, survival: 1 }]);
});

test.each([
  ['dark', 'Default Dark Modern'],
  ['light', 'Default Light Modern'],
])('chips and tools in the %s theme, as a reader of the README sees them', async (name, theme) => {
  const { page, look, shoot } = editor();
  await look(
    (vscode, wanted) => vscode.workspace.getConfiguration('workbench').update('colorTheme', wanted, true),
    theme,
  );
  await page.locator(`.monaco-workbench.${name === 'dark' ? 'vs-dark' : 'vs'}`).waitFor();
  await page.setViewportSize({ width: 1360, height: 840 });
  await closeEditors(page);
  await open('prices.py');
  const chat = await begin(
    {
      call: [
        ['read_file', { path: 'shop.py' }],
        ['search', { text: 'total(' }],
      ],
    },
    {
      say: 'The shop prints the total as it comes. How should it be rounded?\nA) half up, two digits (recommended)\nB) half even, two digits\nC) leave it to the caller',
    },
  );
  if (name === 'dark') {
    await widenSideBar(page, 470);
    const list = page.getByRole('button', { name: /^Episodes/ }).first();
    await list.click();
    await expect.poll(() => list.getAttribute('aria-expanded')).toBe('false');
  }
  await selectLines(page, 10, 12);
  await page.keyboard.press('Control+Alt+a');
  await chips(chat).getByText('prices.py:10-12').waitFor();
  await chat.say('The total should be rounded.');
  await chat.settled(2);
  await chat.turn(1).getByText('Read', { exact: true }).click();
  await chat.turn(1).getByText('from prices import total').waitFor();
  await chat.type('Two digits, as in @sho');
  await chat.frame.getByRole('option', { name: /shop\.py/ }).waitFor();
  await page.keyboard.press('Enter');
  await chips(chat).getByText('shop.py', { exact: true }).waitFor();
  await page.mouse.move(900, 700);
  await shoot(`chat-context-${name}`);
  await keepPicture(`chat-context-${name}`);
  await chat.field.press('Control+a');
  await page.keyboard.press('Delete');
  await chat.frame.getByRole('button', { name: 'Leave out shop.py' }).click();
});
