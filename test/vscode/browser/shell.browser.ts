import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openChat } from './chat.ts';
import { chooseInMenu, closeEditors, givePath, modal, pick, runCommand, takeProposedPath, toast } from './dialogs.ts';
import { sharedEditor } from './editor.ts';
import { episodesIn } from './episodes.ts';

const KEY = 'a-key-of-nobody-4711';

/** Answers as Ollama does where it is asked what it is, behind a key. */
const ollama: Server = createServer((request, response) => {
  const routes: Readonly<Record<string, unknown>> = {
    '/v1/models': { object: 'list', data: [{ id: 'qwen3:8b' }, { id: 'llama3.2' }] },
    '/api/version': { version: '0.12.3' },
  };
  const body = request.headers.authorization === `Bearer ${KEY}` ? routes[request.url ?? ''] : null;
  response.writeHead(body === null ? 401 : body === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body ?? { error: { message: 'no' } }));
});
beforeAll(async () => {
  await new Promise<void>((listening) => ollama.listen(0, '127.0.0.1', listening));
});
afterAll(() => {
  ollama.closeAllConnections();
  ollama.close();
});

const editor = sharedEditor(() => ({ settings: { 'turnwise.chat.temperature': 0 } }));

test('where nothing has been said yet, the views and a walkthrough lead on', async () => {
  const { page, shoot } = editor();
  const chat = await openChat(page);
  await chat.frame.getByRole('heading', { name: 'It asks first, then it codes' }).waitFor();
  const welcome = page.locator('.pane', { has: page.getByRole('button', { name: /^Episodes/ }) });
  await welcome.getByRole('button', { name: 'Start a Conversation' }).waitFor();
  await shoot('shell-welcome');
  await welcome.getByRole('button', { name: 'Get Started' }).click();
  const guide = page.locator('.gettingStartedContainer');
  await guide.getByText('Get Started with Turnwise').first().waitFor();
  for (const step of ['Connect a model', 'Ask for some code', 'See what each answer was worth', 'Export a dataset']) {
    await guide.getByText(step, { exact: true }).first().waitFor();
  }
  await shoot('shell-walkthrough');
  await closeEditors(page);
});

test('a server is added by its address: its models are offered, its key is asked for once, and what it cannot do is said', async () => {
  const { page, shoot, server, look } = editor();
  const { port } = ollama.address() as AddressInfo;
  const input = page.locator('.quick-input-widget input');
  const answer = async (title: string, text: string | null) => {
    await page.locator('.quick-input-widget .quick-input-title', { hasText: title }).waitFor();
    if (text !== null) await input.locator('visible=true').first().fill(text);
    await page.keyboard.press('Enter');
  };
  await runCommand(page, 'Turnwise: Choose Scorer…');
  await pick(page, 'Add a server…');
  await answer('Address of the server', `127.0.0.1:${port}`);
  await answer('Key of 127.0.0.1', KEY);
  await page.locator('.quick-input-widget .quick-input-title', { hasText: 'Which model?' }).waitFor();
  await shoot('shell-models');
  await pick(page, 'llama3.2');
  await answer('Name of the server', null);
  const refusal = page.locator('.monaco-dialog-box', { hasText: 'Scoring is not possible with ollama, because' });
  await refusal.waitFor();
  // The dialog alone says it.
  expect(await toast(page, 'Scoring is not possible').count()).toBe(0);
  await shoot('shell-cannot-score');
  await refusal.getByRole('button', { name: 'Score with the Local Engine' }).click();

  const settings = readFileSync(join(server.home, 'user/User/settings.json'), 'utf8');
  expect(settings).not.toContain(KEY);
  const profiles = await look((vscode) => vscode.workspace.getConfiguration('turnwise').get('servers'));
  expect(profiles).toEqual([{ name: 'ollama', url: `http://127.0.0.1:${port}/v1`, model: 'llama3.2', scorer: 'none' }]);
});

test('a scorer that cannot score is said in the chat before the first message, and unsaid with another one', async () => {
  const { page, look } = editor();
  const chat = await openChat(page);
  const choose = (name: string) =>
    look((vscode, value) => vscode.workspace.getConfiguration('turnwise').update('scoring.server', value, true), name);
  await choose('ollama');
  const sentence = chat.frame.getByText('Scoring is not possible with ollama, because');
  await sentence.waitFor();
  await choose('engine');
  await sentence.waitFor({ state: 'detached' });
});

test('the buttons of a profile change its model, replace its key and remove both', async () => {
  const { page, look } = editor();
  const title = (words: string) => page.locator('.quick-input-widget .quick-input-title', { hasText: words });
  const row = page.locator('.quick-input-list .monaco-list-row', { hasText: /^ollama/ });
  const press = async (button: string) => {
    await title('Which server should chat?').waitFor();
    await row.hover();
    await row.getByRole('button', { name: button }).click();
  };
  const enter = async (box: string, text: string | null) => {
    await title(box).waitFor();
    if (text !== null) await page.locator('.quick-input-widget input').locator('visible=true').first().fill(text);
    await page.keyboard.press('Enter');
  };
  const profiles = () => look((vscode) => vscode.workspace.getConfiguration('turnwise').get('servers'));

  await runCommand(page, 'Turnwise: Choose Chat Server…');
  await press('Change');
  await enter('Address of the server', null);
  // Its key is known: the models come at once.
  await title('Which model?').waitFor();
  await pick(page, 'qwen3:8b');
  await expect.poll(profiles).toMatchObject([{ name: 'ollama', model: 'qwen3:8b' }]);
  await press('Set its key');
  await enter('Key of ollama', 'a-wrong-key');
  await press('Change');
  await enter('Address of the server', null);
  await page.getByText('The server refused this key.').waitFor();
  await page.keyboard.press('Escape');

  await press('Remove');
  await modal(page).getByText('Remove ollama?').waitFor();
  await modal(page).getByRole('button', { name: 'Remove', exact: true }).click();
  await expect.poll(profiles).toEqual([]);
  await title('Which server should chat?').waitFor();
  await row.waitFor({ state: 'detached' });
  // The key is gone with it: it is asked for as if it had never been given.
  const { port } = ollama.address() as AddressInfo;
  await pick(page, 'Add a server…');
  await enter('Address of the server', `127.0.0.1:${port}`);
  await page.getByText('The server asks for a key.').waitFor();
  await page.keyboard.press('Escape');
  await title('Key of').waitFor({ state: 'hidden' });
});

test('conversations are found by their words, renamed, exported one by one, and deleted', async () => {
  const { page, shoot, folder } = editor();
  const chat = await openChat(page);
  const { rows } = episodesIn(page);
  await chat.say('Return the peak value. round it properly.');
  await chat.settled(1);
  await runCommand(page, 'Turnwise: New Conversation');
  await chat.say('Return the word with fewest letters. capitals vary.');
  await chat.settled(1);

  await runCommand(page, 'Turnwise: Search Conversations…');
  await page.locator('.quick-input-widget .quick-input-title', { hasText: 'Search the Conversations' }).waitFor();
  await page.locator('.quick-input-widget input').locator('visible=true').first().fill('peak');
  const found = page.locator('.quick-input-list .monaco-list-row');
  await expect.poll(() => found.count()).toBe(1);
  await shoot('shell-search');
  await page.keyboard.press('Enter');
  await chat.frame.getByRole('article', { name: 'You' }).filter({ hasText: 'peak value' }).first().waitFor();

  await chooseInMenu(page, rows.filter({ hasText: 'Return the peak value' }).first(), 'Rename Conversation…');
  await page.locator('.quick-input-widget input').locator('visible=true').first().fill('Peak of the week');
  await page.keyboard.press('Enter');
  const named = rows.filter({ hasText: 'Peak of the week' }).first();
  await named.waitFor();
  await shoot('shell-history');

  await chooseInMenu(page, named, 'Export Conversation…');
  await modal(page).getByRole('button', { name: 'Allow and Export' }).click();
  const path = await takeProposedPath(page);
  await toast(page, 'Exported 1 conversation with 1 turn.').waitFor();
  expect(existsSync(join(path, 'manifest.json'))).toBe(true);
  expect(path.startsWith(folder)).toBe(true);

  await chooseInMenu(page, named, 'Delete Conversation…');
  await modal(page).getByRole('button', { name: 'Delete for Good' }).click();
  await named.waitFor({ state: 'detached' });
  await rows.filter({ hasText: 'fewest letters' }).first().waitFor();
});

test('a file that is no model is refused with the reason, and the model of before stays', async () => {
  const { page, folder, look } = editor();
  await runCommand(page, 'Turnwise: Choose Model File');
  await givePath(page, join(folder, 'prices.py'));
  await toast(page, 'prices.py is no GGUF file').waitFor();
  const model = await look((vscode) => vscode.workspace.getConfiguration('turnwise').get('engine.model'));
  expect(model).toBe('');
});
