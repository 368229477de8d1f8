import { readFile } from 'node:fs/promises';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Chat, newChat, openChat } from './chat.ts';
import { chooseInMenu, givePath, modal, openFile, proposedPath, runCommand, toast } from './dialogs.ts';
import { sharedEditor } from './editor.ts';
import { episodesIn } from './episodes.ts';
import { eventsOf, newestEvents, readStore } from './journal-of.ts';
import { chatSettings, openTap, startModelServer, type Act, type ModelServer } from './model-server.ts';

/** What the agent says next; each test writes its own. */
let script: Act[] = [];
let server: ModelServer;
const act = (): Act => script.shift() ?? { say: 'Anything else?' };

beforeAll(async () => {
  server = await startModelServer(act);
});
afterAll(() => server.close());
const editor = sharedEditor(() => ({ settings: chatSettings(server) }));

/** A new conversation in which the agent will do these things. */
function begin(...acts: readonly Act[]): Promise<Chat> {
  script = [...acts];
  return newChat(editor().page);
}

const ask = (question: string, ...options: readonly string[]): Act => ({
  say: [question, ...options.map((option, at) => `${'ABCDE'.charAt(at)}) ${option}`)].join('\n'),
});

const lastReply = () => eventsOf(editor().server, 'observed').at(-1);
const draftOnDisk = () =>
  readStore(editor().server, (journal) => journal.memo.get(`draft ${journal.episodes()[0]?.id ?? ''}`));

test('a question card: click, Shift+click, pencil, letter and Skip each send what they say, and an answered card shows it', async () => {
  const { page, server: host, shoot } = editor();
  const chat = await begin(
    ask('Which rounding?', 'half up', 'half even', 'down'),
    ask('Which unit?', 'euro', 'cent'),
    ask('Negative prices?', 'allow', 'refuse'),
    ask('An empty list?', 'zero', 'an error'),
    ask('Which name?', 'total', 'price_sum'),
  );
  const option = (turn: number, text: string) => chat.turn(turn).getByRole('button', { name: text, exact: true });
  const chosen = (turn: number) =>
    chat.turn(turn).getByRole('button', { pressed: true, name: /your answer|edited by you/ });
  await chat.say('Sum prices.');

  await chat.settled(1);
  await shoot('card-open');
  await option(1, 'half even').click();
  await chat.settled(2);
  expect(lastReply()).toMatchObject({ kind: 'option', text: 'half even', option: 'half even' });
  expect(lastReply()?.options_shown).toEqual(['half up', 'half even', 'down']);
  expect(await chosen(1).textContent()).toMatch(/half even\s*your answer/);
  expect(await chat.turn(1).locator('button.choice:enabled').count()).toBe(0);

  await option(2, 'euro').click({ modifiers: ['Shift'] });
  await expect.poll(() => chat.field.inputValue()).toBe('euro');
  await chat.frame.getByText('Editing answer A').waitFor();
  await page.keyboard.type(' and cents');
  await page.keyboard.press('Enter');
  await chat.settled(3);
  expect(lastReply()).toMatchObject({ kind: 'edited_option', text: 'euro and cents', option: 'euro' });
  expect(await chosen(2).textContent()).toMatch(/euro\s*edited by you/);

  await chat.turn(3).getByRole('button', { name: 'Edit answer B before sending' }).click();
  await expect.poll(() => chat.field.inputValue()).toBe('refuse');
  await page.keyboard.type(' them');
  await chat.frame.getByRole('button', { name: 'Send as own words instead' }).click();
  await page.keyboard.press('Enter');
  await chat.settled(4);
  expect(lastReply()).toMatchObject({ kind: 'typed', text: 'refuse them', option: null });

  // Letters work where nothing is being written; with Alt also in the field, whose words stay.
  await chat.turn(4).getByText('An empty list?').click();
  await page.keyboard.press('b');
  await chat.settled(5);
  expect(lastReply()).toMatchObject({ kind: 'option', text: 'an error' });
  script = [ask('Which type?', 'Decimal', 'float'), { say: 'Which file?' }];
  await chat.type('kept for later');
  await page.keyboard.press('Alt+a');
  await chat.settled(6);
  expect(lastReply()).toMatchObject({ kind: 'option', text: 'total' });
  expect(await chat.field.inputValue()).toBe('kept for later');

  await chat.frame.getByRole('button', { name: 'Skip, use your judgement' }).click();
  await chat.settled(7);
  expect(lastReply()).toMatchObject({ kind: 'skipped', text: 'Use your judgement.' });
  await chat.frame.getByText('Skipped').waitFor();
  await shoot('card-answered');
  expect(eventsOf(host, 'observed')).toHaveLength(6);
});

test('a question that waits and words that are half written survive a reload, and the question can then be answered', async () => {
  const { page } = editor();
  const chat = await begin(ask('Which rounding?', 'half up', 'half even'), { say: 'Which unit?' });
  await chat.say('Round a price.');
  await chat.settled(1);
  await chat.type('Half a sent');
  await expect.poll(draftOnDisk).toBe('Half a sent');
  await page.reload();
  await page.locator('.monaco-workbench').waitFor();
  const again = await openChat(page);
  await again.turn(1).waitFor();
  expect(await again.field.inputValue()).toBe('Half a sent');
  await again.turn(1).getByRole('button', { name: 'half even', exact: true }).click();
  await again.settled(2);
  expect(lastReply()).toMatchObject({ kind: 'option', text: 'half even' });
});

test('an answer streams in pieces: what stands is not drawn again, Esc stops it, and a question cut short offers no half options', async () => {
  const { page, server: host, shoot } = editor();
  const tap = openTap();
  const chat = await begin(ask('Which rounding?', 'half up', 'half even'), tap, { say: 'Which unit?' });
  await chat.say('Round a price.');
  await chat.settled(1);
  await chat.turn(1).getByRole('button', { name: 'half up', exact: true }).click();

  const writing = chat.frame.getByRole('article', { name: 'The agent is writing' });
  tap.give('First **paragraph**.\n\nSecond begins');
  await writing.getByText('Second begins').waitFor();
  const paragraph = writing.locator('p').first();
  const earlier = chat.turn(1).getByText('Which rounding?');
  for (const drawn of [paragraph, earlier]) await drawn.evaluate((node) => Reflect.set(node, 'drawnOnce', true));
  for (const piece of [' and goes on', ', and on.', '\n\nWhich of these?\nA) one\nB) tw']) {
    tap.give(piece);
    await writing.getByText(piece.trim().split('\n').at(-1) ?? '').waitFor();
  }
  for (const drawn of [paragraph, earlier]) {
    expect(await drawn.evaluate((node): unknown => Reflect.get(node, 'drawnOnce'))).toBe(true);
  }
  await shoot('streaming');

  await page.keyboard.press('Escape');
  await chat.turn(2).getByText('Stopped').waitFor();
  expect(eventsOf(host, 'action_stopped')).toMatchObject([{ turn: 1 }]);
  expect(await chat.turn(2).locator('.card button').count()).toBe(0);
  await shoot('stopped');
  await chat.say('The second one.');
  await chat.settled(3);
  expect(lastReply()).toMatchObject({ kind: 'typed', text: 'The second one.' });
  tap.end();
});

const CODE = 'def gross(net, rate):\n    tax = net * rate\n    return round(net + tax, 2)\n';

test('proposed code: copied, rejected in the diff editor and talked about, then accepted, edited and saved, with the share that stood', async () => {
  const { page, folder, server: host, shoot } = editor();
  await openFile(page, 'prices.py');
  const chat = await begin(
    { say: `Here.\nI WANT TO ANSWER:\n${CODE}` },
    { say: `With two digits.\nI WANT TO ANSWER:\n${CODE}` },
  );
  await chat.say('Add tax to a price.');
  expect(await chat.settled(1)).toBe('answer');
  const proposal = (turn: number) => chat.turn(turn).getByRole('region', { name: 'Proposed code' });
  await proposal(1).getByRole('button', { name: 'Copy code' }).click();
  await expect.poll(() => page.evaluate('navigator.clipboard.readText()')).toBe(CODE);

  await proposal(1).getByRole('button', { name: 'Apply…' }).click();
  await page.locator('.monaco-diff-editor').waitFor();
  await page.getByRole('button', { name: 'Reject Proposal' }).first().click();
  await proposal(1).getByText('Rejected').waitFor();
  await page.locator('.monaco-diff-editor').waitFor({ state: 'detached' });
  expect(eventsOf(host, 'proposal_decided')).toMatchObject([{ turn: 0, decision: 'rejected' }]);
  await chat.say('Keep two digits.');
  expect(await chat.settled(2)).toBe('answer');
  expect(lastReply()).toMatchObject({ kind: 'rejected', text: 'Keep two digits.' });

  await proposal(2).getByRole('button', { name: 'Apply…' }).click();
  await page.locator('.monaco-diff-editor').waitFor();
  await page.getByRole('button', { name: 'Accept Proposal' }).first().click();
  await proposal(2).getByText('Accepted').waitFor();
  await page.locator('.monaco-diff-editor').waitFor({ state: 'detached' });
  await page.locator('.view-line', { hasText: 'tax = net * rate' }).click();
  await page.keyboard.press('End');
  await page.keyboard.type(' / 100');
  await page.keyboard.press('Control+s');
  await expect
    .poll(() => eventsOf(host, 'proposal_saved'))
    .toEqual([{ type: 'proposal_saved', turn: 1, survival: 2 / 3 }]);
  expect(await readFile(join(folder, 'prices.py'), 'utf8')).toContain('    tax = net * rate / 100\n');
  await shoot('accepted-and-saved');

  // The first save counts; what comes later is ordinary work.
  await page.keyboard.type('0');
  await page.keyboard.press('Control+s');
  await expect.poll(() => readFile(join(folder, 'prices.py'), 'utf8')).toContain('/ 1000\n');
  expect(eventsOf(host, 'proposal_saved')).toHaveLength(1);
});

test('a conversation chosen in the tree is opened in the chat', async () => {
  const { page } = editor();
  const chat = await begin({ say: 'Which letters?' });
  await chat.say('Count letters.');
  await chat.settled(1);
  const row = episodesIn(page).rows.filter({ hasText: 'Sum prices.' });
  await row.click();
  await chat.turn(1).getByText('Which rounding?').waitFor();
  await chat.turn(7).getByText('Which file?').waitFor();
  // The rows of the open conversation unfold, and those below move.
  await episodesIn(page).rows.filter({ hasText: 'Which rounding?' }).waitFor();
  await episodesIn(page).rows.filter({ hasText: 'Count letters.' }).click();
  await chat.turn(1).getByText('Which letters?').waitFor();
});

test('the status bar says when the chat server fails, and when it answers again', async () => {
  const { page, shoot } = editor();
  const chat = await begin();
  const health = (words: string) => page.getByRole('button', { name: `Turnwise: stand-in, ${words}`, exact: true });
  await health('ready').waitFor();
  const { port } = server;
  await server.close();
  await chat.say('Are you there?');
  await health('not available').waitFor();
  const goOn = chat.frame.getByRole('button', { name: 'Continue' });
  await goOn.waitFor();
  await shoot('server-gone');
  server = await startModelServer(act, { port });
  script = [{ say: 'Yes. Which file?' }];
  await goOn.click();
  await chat.settled(1);
  await health('ready').waitFor();
  expect(eventsOf(editor().server, 'action_failed')).toMatchObject([{ reason: 'unreachable' }]);
});

test('an export that is called off, at the question or at the folder, records and writes nothing', async () => {
  const { page, folder, server: host } = editor();
  const scopes = () =>
    readStore(host, (journal) => [...journal.readAll()].filter(({ body }) => body.type === 'consent_set').length);
  await episodesIn(page).press('Export Dataset…');
  await modal(page).getByText('local conversations be in the dataset?').waitFor();
  await modal(page).getByRole('button', { name: 'Cancel' }).click();
  await modal(page).waitFor({ state: 'detached' });
  await episodesIn(page).press('Export Dataset…');
  await modal(page)
    .getByRole('button', { name: /^Allow and Export All/ })
    .click();
  await proposedPath(page);
  await page.keyboard.press('Escape');
  await page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  expect(scopes()).toBe(0);
  expect(existsSync(join(folder, 'turnwise-dataset'))).toBe(false);
  expect(newestEvents(host).at(-1)?.type).not.toBe('consent_set');
});

test('consent is chosen at the top of the chat: only what is exportable leaves, and what is withdrawn is not in the next export', async () => {
  const { page, folder, server: host, shoot } = editor();
  const choose = async (chat: Chat, scope: string) => {
    await chat.frame.getByLabel('Who may have this conversation').selectOption(scope);
    await expect.poll(() => eventsOf(host, 'consent_set').at(-1)?.scope).toBe(scope);
  };
  for (const request of ['Nobody was asked.', 'Kept for the dataset.', 'Withdrawn from the dataset.']) {
    const chat = await begin(ask('Which rounding?'), { say: 'I WANT TO ANSWER: x = 1' });
    await chat.say(request);
    await chat.settled(1);
    await chat.say('half up');
    await chat.settled(2);
    if (request !== 'Nobody was asked.') await choose(chat, 'exportable');
  }
  const exported = async (name: string): Promise<string> => {
    await episodesIn(page).press('Export Dataset…');
    await modal(page).getByRole('button', { name: 'Export Only What Is Exportable' }).click();
    await proposedPath(page);
    const out = join(folder, name);
    await givePath(page, out);
    await expect.poll(() => existsSync(join(out, 'manifest.json')), { timeout: 90_000 }).toBe(true);
    return readFile(join(out, 'episodes/train.jsonl'), 'utf8');
  };
  const first = await exported('first');
  expect(first.trim().split('\n')).toHaveLength(2);
  expect(first).toContain('Withdrawn from the dataset.');
  const chat = await openChat(page);
  await choose(chat, 'excluded');
  await shoot('consent-excluded');
  const second = await exported('second');
  expect(second.trim().split('\n')).toHaveLength(1);
  expect(second).toContain('Kept for the dataset.');
  expect(second).not.toContain('Withdrawn');
});

test('a conversation is deleted for good from the tree, the journal checked and backed up, each by another process', async () => {
  const { page, server: host, shoot } = editor();
  const chat = await begin(ask('Which rounding?'));
  await chat.say('Quixotic words to forget.');
  await chat.settled(1);
  await chat.type('zyzzyva in a draft');
  await expect.poll(draftOnDisk).toBe('zyzzyva in a draft');
  const row = episodesIn(page).rows.filter({ hasText: 'Quixotic words to forget.' });
  await chooseInMenu(page, row, 'Delete Conversation…');
  await modal(page).getByText('Delete “Quixotic words to forget.”?').waitFor();
  await shoot('delete-question');
  await modal(page).getByRole('button', { name: 'Cancel' }).click();
  await modal(page).waitFor({ state: 'detached' });
  await chooseInMenu(page, row, 'Delete Conversation…');
  await modal(page).getByRole('button', { name: 'Delete for Good' }).click();
  await row.waitFor({ state: 'detached' });
  // The chat shows another one, to begin; neither words nor draft are in any file of the journal.
  await chat.frame.getByRole('heading', { name: 'It asks first, then it codes' }).waitFor();
  const home = join(host.home, 'user/User/globalStorage/turnwise.turnwise');
  for (const name of readdirSync(home, { recursive: true, encoding: 'utf8' })) {
    if (!statSync(join(home, name)).isFile()) continue;
    const bytes = readFileSync(join(home, name));
    expect([name, bytes.includes('Quixotic words'), bytes.includes('zyzzyva')]).toEqual([name, false, false]);
  }
  await runCommand(page, 'Turnwise: Check the Journal');
  await toast(page, /The journal is whole: \d+ conversations, \d+ events/).waitFor();
  await runCommand(page, 'Turnwise: Back Up the Journal');
  await toast(page, /\d+ conversations .* are in .*backups/).waitFor();
  await shoot('backed-up');
});
