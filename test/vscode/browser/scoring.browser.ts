import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startProtocolServer } from '../../backends/protocol-server.ts';
import type { ProtocolServer } from '../../backends/protocol/serve.ts';
import { writeTokenizerFolder } from '../../backends/protocol/tokenizer-folder.ts';
import { startVllm } from '../../backends/protocol/vllm.ts';
import { commandLineOf, environmentOf, family, filesWith } from '../../secrets/command-lines.ts';
import { openChat, type Chat } from './chat.ts';
import { chooseInMenu, closeEditors, modal, pick, runCommand, shownPreview, toast } from './dialogs.ts';
import { sharedEditor } from './editor.ts';
import { enginesOf } from './engines.ts';
import { episodesIn, type Episodes } from './episodes.ts';
import { readStore } from './journal-of.ts';
import { startModelServer, type ModelServer } from './model-server.ts';

const KEY = 'sesame-opens';
/** A check of the bundled model takes half a minute on two cores, and minutes where others use them. */
const CHECK_MS = 400_000;
let chatServer: ModelServer;
/** Where a server was and is no more. */
let gone = '';
/** Not the real server: it speaks vLLM's protocol, and wants a key. */
let gpuBox: ProtocolServer;
let hub: Awaited<ReturnType<typeof startProtocolServer>>;
const fetched: string[] = [];
/** The report of a check that the server refused. */
let told = '';
const tokenizer = writeTokenizerFolder();

beforeAll(async () => {
  chatServer = await startModelServer((chat) => ({ say: `Question ${chat}?` }));
  gpuBox = await startVllm({ key: KEY, contextSize: 8000, nanEvery: 0 });
  const left = await startVllm();
  gone = left.url;
  await left.close();
  // Not Hugging Face: a mirror on this machine.
  hub = await startProtocolServer((request, response) => {
    const path = request.url ?? '';
    fetched.push(path);
    const file = /^\/owner\/bytes\/resolve\/main\/(tokenizer(?:_config)?\.json)$/.exec(path)?.[1];
    if (file === undefined) response.writeHead(404).end();
    else response.end(readFileSync(join(tokenizer, file)));
  });
});
afterAll(async () => {
  rmSync(tokenizer, { recursive: true, force: true });
  await Promise.all([chatServer.close(), gpuBox.close(), hub.close()]);
});

/** Tests go on from each other's state; what one that failed left open or paused is not the next one's trouble. */
beforeEach(async () => {
  const { page } = editor();
  for (let open = 0; open < 3 && (await page.locator('.monaco-dialog-box, .settings-editor').count()) > 0; open += 1) {
    await page.keyboard.press('Escape');
  }
  if ((await page.getByRole('tab', { name: /Check of the Scorer/ }).count()) > 0) await closeEditors(page);
  const paused = statusBar(page, /scoring paused/);
  if (await paused.isVisible()) await paused.click();
});

const editor = sharedEditor(() => ({
  settings: {
    'turnwise.servers': [
      { name: 'stand-in', url: chatServer.url, model: 'stand-in', scorer: 'none' },
      { name: 'gpu-box', url: `${gpuBox.url}/v1`, model: 'bytes', scorer: 'vllm' },
      { name: 'published', url: `${gpuBox.url}/v1`, model: 'bytes', scorer: 'vllm', tokenizer: 'hf:owner/bytes' },
      { name: 'gone', url: `${gone}/v1`, model: 'bytes', scorer: 'vllm' },
      { name: 'far', url: 'http://gpu.invalid:8000/v1', model: 'bytes', scorer: 'vllm' },
    ],
    'turnwise.chat.server': 'stand-in',
  },
  env: { HF_ENDPOINT: hub.url },
}));

/** A new conversation with this request; the agent has asked once. */
async function begin(request: string): Promise<Chat> {
  const { page } = editor();
  const chat = await openChat(page);
  await page.getByRole('button', { name: 'New Conversation' }).first().click();
  await chat.frame.getByRole('heading', { name: 'It asks first, then it codes' }).waitFor();
  await chat.say(request);
  await chat.settled(1);
  return chat;
}

const statusBar = (page: Page, label: RegExp) => page.locator('.statusbar').getByRole('button', { name: label });
const scorings = () => readStore(editor().server, (journal) => journal.scorings());
const turnSays = (episodes: Episodes, turn: number, text: string | RegExp) =>
  episodes.turn(turn).filter({ hasText: text }).waitFor();
const chooseScorer = async (page: Page, name: string): Promise<void> => {
  await runCommand(page, 'Turnwise: Choose Scorer…');
  await pick(page, name);
  const chosen = () => editor().look((vscode) => vscode.workspace.getConfiguration('turnwise').get('scoring.server'));
  await expect.poll(chosen).toBe(name === 'Local engine' ? 'engine' : name);
};
/** Checks the chosen scorer and gives the report that opens. */
const checked = async (page: Page): Promise<Frame> => {
  await runCommand(page, 'Turnwise: Check the Scorer');
  return shownPreview(page, 'Check of the Scorer', CHECK_MS);
};

test('a pause holds what is asked for, a cancel takes it back, Score Now asks again, and a resume scores it', async () => {
  const { page, shoot } = editor();
  const episodes = episodesIn(page);
  await openChat(page);
  await runCommand(page, 'Turnwise: Pause Scoring');
  await statusBar(page, /scoring paused/).waitFor();
  const chat = await begin('Round a price.');
  await chat.say('half up');
  await chat.settled(2);
  await turnSays(episodes, 1, 'queued');
  await statusBar(page, /scoring paused, 1 conversation waits/).waitFor();
  await shoot('scoring-paused');

  const row = episodes.rows.filter({ hasText: 'Round a price.' });
  await chooseInMenu(page, row, 'Cancel Scoring');
  await turnSays(episodes, 1, 'not scored');
  await episodes.fact(/cancelled; Score Now asks for it again/).waitFor();
  await statusBar(page, /scoring paused, 0 conversations wait/).waitFor();
  await chooseInMenu(page, row, 'Score Now');
  await turnSays(episodes, 1, 'queued');
  expect(scorings()).toEqual([]);

  // A click on the status bar is the same as the command.
  await statusBar(page, /scoring paused/).click();
  await turnSays(episodes, 1, /[+−]?\d\.\d\d nats/);
  await statusBar(page, /to be scored/).waitFor({ state: 'detached' });
  await shoot('scoring-scored');
  expect(scorings()).toHaveLength(1);
});

test('another placeholder marks what is scored as stale; it is scored again, and both scores are kept', async () => {
  const { page, shoot } = editor();
  const episodes = episodesIn(page);
  await runCommand(page, 'Turnwise: Pause Scoring');
  await runCommand(page, 'Turnwise: Open Settings');
  await page.locator('.settings-editor .setting-item-contents', { hasText: 'Answer Marker' }).waitFor();
  await page.keyboard.type(' placeholder');
  const setting = page.locator('.settings-editor .setting-item-contents', { hasText: 'Placeholder' }).first();
  await setting.locator('input').fill("I don't know.");
  const placeholder = () =>
    editor().look((vscode) => vscode.workspace.getConfiguration('turnwise').get('scoring.placeholder'));
  await expect.poll(placeholder).toBe("I don't know.");
  await page.keyboard.press('Escape');
  await page.locator('.settings-editor').waitFor({ state: 'detached' });
  const row = episodes.rows.filter({ hasText: 'Round a price.' });
  await row.filter({ hasText: /nats, stale/ }).waitFor();
  await episodes.fact(/stale/).last().waitFor();
  await statusBar(page, /scoring paused, 1 conversation waits/).waitFor();
  await shoot('scoring-stale');
  await runCommand(page, 'Turnwise: Resume Scoring');
  await row.filter({ hasText: /nats$/ }).waitFor();
  await expect.poll(() => scorings().length).toBe(2);
  const placeholders = readStore(editor().server, (journal) =>
    journal
      .scorings()
      .flatMap(({ optionsKey }) => journal.newestScored(optionsKey).map((row) => row.options.placeholder)),
  );
  expect(placeholders.sort()).toEqual(["I don't know.", 'No information found.']);
  await statusBar(page, /to be scored/).waitFor({ state: 'detached' });
});

test('a scorer that refuses the key, or is gone, is named, in the tree and by the check; a key alone wakes what failed', async () => {
  const { page, shoot } = editor();
  const episodes = episodesIn(page);
  await chooseScorer(page, 'gpu-box');
  const chat = await begin('Name a file.');
  await chat.say('prices.py');
  await chat.settled(2);
  await turnSays(episodes, 1, 'not scored');
  await episodes.fact(/^not scored: .*(key|401)/).waitFor();
  await episodes.rows
    .filter({ hasText: 'Round a price.' })
    .filter({ hasText: /nats, stale/ })
    .waitFor();
  await shoot('scorer-wrong-key');
  const refused = await checked(page);
  await refused
    .getByText(/gpu-box|refuses|key/i)
    .first()
    .waitFor();
  await shoot('check-wrong-key');
  told = (await refused.locator('body').textContent()) ?? '';
  expect(told).toMatch(/What to Change\s*Connection: .*key/);
  await closeEditors(page);
  const before = gpuBox.seen.length;

  await runCommand(page, 'Turnwise: Set Server Key');
  await pick(page, 'gpu-box');
  const input = page.locator('.quick-input-widget input[type=password]');
  await input.waitFor();
  await page.keyboard.type(KEY);
  await page.keyboard.press('Enter');
  await turnSays(episodes, 1, /[+−]?\d\.\d\d nats/);
  // The older conversation as well, which was refused with the other.
  await episodes.rows.filter({ hasText: 'Round a price.' }).filter({ hasText: /nats$/ }).waitFor();
  expect(gpuBox.seen.length).toBeGreaterThan(before);
  expect(scorings().map(({ episodes: count }) => count)).toContain(2);

  await chooseScorer(page, 'gone');
  const silent = await checked(page);
  expect(await silent.locator('body').textContent()).toMatch(
    /What to Change\s*Connection: .*does not answer at http:\/\/127\.0\.0\.1:\d+/,
  );
  await shoot('check-gone');
  await closeEditors(page);
});

test('a published tokenizer is fetched after a yes, asked for once; a no fetches nothing and is a reason in words', async () => {
  const { page, shoot } = editor();
  const episodes = episodesIn(page);
  await begin('Which letters?');
  await chooseScorer(page, 'published');
  await modal(page).getByText('Fetch the tokenizer of owner/bytes?').waitFor();
  await shoot('tokenizer-question');
  await modal(page).getByText(new URL(hub.url).host).waitFor();
  await modal(page).getByRole('button', { name: 'Cancel' }).click();
  await modal(page).waitFor({ state: 'detached' });
  await episodes.rows.filter({ hasText: 'Name a file.' }).click();
  await turnSays(episodes, 1, 'nats');
  await episodes.rows.filter({ hasText: 'Name a file.' }).filter({ hasText: 'stale' }).waitFor();
  // Another conversation meets the same answer without another question.
  const chat = await begin('Which words?');
  await chat.say('all of them');
  await chat.settled(2);
  await episodes.fact(/^not scored: The tokenizer hf:owner\/bytes was not fetched/).waitFor();
  expect(await modal(page).count()).toBe(0);
  expect(fetched).toEqual([]);

  await runCommand(page, 'Turnwise: Set Server Key');
  await pick(page, 'published');
  await page.locator('.quick-input-widget input[type=password]').waitFor();
  await page.keyboard.type(KEY);
  await page.keyboard.press('Enter');
  await modal(page).getByRole('button', { name: 'Fetch' }).click();
  await turnSays(episodes, 1, /[+−]?\d\.\d\d nats/);
  expect(new Set(fetched.map((path) => path.replace('/owner/bytes/resolve/main/', '')))).toEqual(
    new Set(['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja']),
  );
  // What was refused along with it needs no further yes.
  const states = () =>
    readStore(editor().server, (journal) =>
      journal.queue.jobs().flatMap(({ scorer, state }) => (scorer.includes('hf:owner/bytes') ? [state] : [])),
    );
  await expect.poll(states).toEqual(['scored', 'scored', 'scored']);
  expect(fetched).toHaveLength(3);
});

test('a scorer on another machine is asked nothing of a conversation that may not leave; the header lets it go', async () => {
  const { page, shoot } = editor();
  const episodes = episodesIn(page);
  const chat = await begin('Stay here.');
  // Before there is anything to score: what the scorer at hand has scored stays, and is no longer asked for.
  await chooseScorer(page, 'far');
  await chat.say('half up');
  await chat.settled(2);
  await episodes
    .fact(/^not scored: This conversation may not leave this machine/)
    .first()
    .waitFor();
  await shoot('consent-forbids');
  const reasons = () =>
    readStore(editor().server, (journal) => {
      const [newest] = journal.episodes();
      return journal.queue
        .jobs()
        .flatMap(({ episodeId, scorer, reason }) =>
          episodeId === newest?.id && scorer.includes('gpu.invalid') ? [reason] : [],
        );
    });
  expect(reasons()).toEqual(['consent_forbids']);
  await chat.frame.getByLabel('Who may have this conversation').selectOption('exportable');
  // Now it is asked; nobody is there.
  await expect.poll(() => reasons().at(0)).not.toBe('consent_forbids');
});

test('the key of a server is in no file below the data folder, in no command line, environment or report', async () => {
  const { server, look } = editor();
  // Everything that the editor wrote; what was installed was there before the key.
  const holding = (word: string): string[] =>
    [...new Set([server.runtime, server.home])].flatMap((folder) =>
      filesWith(folder, word, join(server.home, 'extensions')),
    );
  // What is looked for would be found: the profile is in the settings, the request in the journal.
  expect(holding('gpu-box').join()).toMatch(/settings\.json/);
  expect(holding('Name a file.').join()).toMatch(/turnwise\.sqlite/);
  expect(holding(KEY)).toEqual([]);
  expect(server.output()).not.toContain(KEY);
  expect(told).not.toContain(KEY);
  const host = await look(() => process.ppid);
  const processes = [...family(host), ...(await enginesOf(server))];
  expect(processes.length).toBeGreaterThan(2);
  const open = processes.map((pid) => commandLineOf(pid) + environmentOf(pid));
  expect(open.some((text) => text.includes('server-main.js'))).toBe(true);
  expect(open.filter((text) => text.includes(KEY))).toEqual([]);
});

test(
  'the check of the bundled model shows how far it is, can be called off, and ends in a report of what to change',
  async () => {
    const { page, shoot } = editor();
    await chooseScorer(page, 'Local engine');
    await runCommand(page, 'Turnwise: Check the Scorer');
    const progress = toast(page, /Checking the scorer: probing, \d+ of \d+/);
    await progress.waitFor();
    await shoot('check-running');
    await progress.getByRole('button', { name: 'Cancel' }).click();
    await toast(page, /Checking the scorer/).waitFor({ state: 'detached' });
    expect(await page.getByRole('tab', { name: /Check of the Scorer/ }).count()).toBe(0);

    const report = await checked(page);
    await shoot('check-report');
    const text = (await report.locator('body').textContent()) ?? '';
    expect(text).toMatch(/turnwise-toy on engine/);
    expect(text).toMatch(/What to Change/);
    for (const section of [
      'Connection',
      'Template',
      'A/A noise',
      'Placebo gains',
      'Placeholder fitness',
      'Throughput',
    ]) {
      expect(text).toContain(section);
    }
    const kept = readStore(editor().server, (journal) => journal.memo.get('placeholder length_matched engine:'));
    expect(kept).not.toBeNull();
    await closeEditors(page);
  },
  2 * CHECK_MS,
);
