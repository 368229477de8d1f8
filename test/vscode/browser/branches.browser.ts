import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Chat, newChat, openChat } from './chat.ts';
import { sharedEditor } from './editor.ts';
import { episodesIn } from './episodes.ts';
import { eventsOf, readStore } from './journal-of.ts';
import { chatSettings, openTap, startModelServer, type Act, type ModelServer } from './model-server.ts';

/** What the agent says next; each test writes its own. */
let script: Act[] = [];
let server: ModelServer;

beforeAll(async () => {
  server = await startModelServer(() => script.shift() ?? { say: 'Anything else?' });
});
afterAll(() => server.close());
const editor = sharedEditor(() => ({ settings: chatSettings(server), viewport: { width: 1280, height: 1000 } }));

const QUESTION: Act = { say: 'I see. Which rounding?\nA) half up\nB) half even (recommended)\nC) down' };
const code = (body: string): Act => ({ say: `Here it is.\nI WANT TO ANSWER:\n${body}\n` });

/** A new conversation in which the agent will do these things. */
function begin(...acts: readonly Act[]): Promise<Chat> {
  script = [...acts];
  return newChat(editor().page);
}

const versions = (chat: Chat, what: string) => chat.frame.getByRole('group', { name: new RegExp(`^${what}: version`) });
const spoken = (chat: Chat) => chat.frame.locator('[aria-live=polite]');

test('a card shows the advice, takes a key, and what was answered stands in it; thumbs, notes and the outcome are recorded', async () => {
  const { page, server: host, shoot } = editor();
  const tap = openTap();
  const chat = await begin(tap, code('x = round(y)'));
  await chat.say('Round a price.');
  tap.give('I see. Which rou');
  // A sentence is read out when it is finished, the half one behind it is not.
  await spoken(chat).getByText('I see.', { exact: true }).waitFor({ state: 'attached' });
  expect(await spoken(chat).textContent()).not.toContain('Which');
  tap.give('nding?\nA) half up\nB) half even (recommended)\nC) down');
  tap.end();
  await chat.settled(1);
  const card = chat.turn(1).getByRole('group', { name: /^Answer with a click or press A to C, press S to skip/ });
  await card.getByRole('button', { name: 'half even Recommended', exact: true }).waitFor();
  expect(await card.getByRole('button', { pressed: true }).count()).toBe(0);
  await spoken(chat)
    .getByText('A: half up. B: half even. C: down. Recommended: B.', { exact: true })
    .waitFor({ state: 'attached' });
  await shoot('card-recommended');
  await chat.turn(1).getByText('Which rounding?').click();
  await page.keyboard.press('b');
  await chat.settled(2);
  const [reply] = eventsOf(host, 'observed');
  expect(reply).toMatchObject({ kind: 'option', text: 'half even', options_shown: ['half up', 'half even', 'down'] });
  expect(reply?.latency_ms).toBeGreaterThan(0);
  const answered = chat.turn(1).getByRole('group', { name: 'Answered' });
  await answered.getByRole('button', { name: /half even.*your answer/, pressed: true, disabled: true }).waitFor();
  expect(await answered.getByRole('button', { pressed: false, disabled: true }).count()).toBe(2);

  await chat.turn(1).hover();
  await chat.turn(1).getByRole('button', { name: 'This question was worth asking', exact: true }).click();
  await chat.turn(1).getByRole('button', { name: 'This question was worth asking', pressed: true }).waitFor();
  await chat.turn(1).getByRole('button', { name: 'Add a note' }).click();
  await page.locator('.quick-input-widget input[type=text]').waitFor();
  await page.keyboard.type('decides the cents');
  await page.keyboard.press('Enter');
  await chat.turn(1).getByText('decides the cents').waitFor();
  const outcome = chat.frame.getByRole('region', { name: 'Outcome of this task' });
  await outcome.getByRole('button', { name: 'It did what I wanted' }).click();
  await outcome.getByRole('button', { name: 'It did what I wanted', pressed: true }).waitFor();
  expect(eventsOf(host, 'rated').map(({ turn, thumb, note }) => [turn, thumb, note])).toEqual([
    [0, 1, null],
    [0, 1, 'decides the cents'],
    [null, 1, null],
  ]);
  await chat.turn(1).hover();
  await chat
    .turn(1)
    .getByText(/tokens not told by the server · \d/)
    .waitFor();
  await shoot('rated');
  await outcome.getByRole('button', { name: 'New Task' }).click();
  await chat.frame.getByRole('heading', { name: 'It asks first, then it codes' }).waitFor();
});

test('words are edited and actions asked for again in branches, and each place leads from version to version', async () => {
  const { page, shoot, server: host } = editor();
  const chat = await begin(QUESTION, code('x = 1'), code('x = 2'), code('x = 3'), QUESTION);
  await chat.say('Sum the prices.');
  await chat.settled(1);
  await chat.turn(1).getByRole('button', { name: 'half up', exact: true }).click();
  await chat.settled(2);

  // Asked again: the second version is shown, the first one is a key away and the keyboard stays there.
  await chat.turn(2).hover();
  await chat.turn(2).getByRole('button', { name: 'Ask again' }).click();
  await chat.turn(2).getByText('x = 2').waitFor();
  await chat.settled(2);
  await versions(chat, 'Turn 2').getByText('2 of 2').waitFor();
  await versions(chat, 'Turn 2').getByRole('button', { name: 'Previous version' }).click();
  await chat.turn(2).getByText('x = 1').waitFor();
  await versions(chat, 'Turn 2').getByText('1 of 2').waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await chat.turn(2).getByText('x = 2').waitFor();
  await shoot('versions');

  // What is half written waits behind an edit; Esc gives it back.
  await chat.type('half written');
  await chat.turn(1).getByRole('button', { name: 'Change this answer' }).click();
  await expect.poll(() => chat.field.inputValue()).toBe('half up');
  await chat.frame.getByText('Editing your reply to turn 1.').waitFor();
  await page.keyboard.press('Escape');
  expect(await chat.field.inputValue()).toBe('half written');
  await chat.turn(1).getByRole('button', { name: 'Change this answer' }).click();
  await page.keyboard.type(', to cents');
  await shoot('editing-a-reply');
  await page.keyboard.press('Enter');
  await chat.turn(2).getByText('x = 3').waitFor();
  await chat.settled(2);
  await versions(chat, 'Your reply').getByText('2 of 2').waitFor();
  await chat.frame.getByText('half up, to cents').waitFor();

  await chat.frame.getByText('Sum the prices.').hover();
  await chat.frame.getByRole('button', { name: 'Edit your request' }).click();
  await expect.poll(() => chat.field.inputValue()).toBe('Sum the prices.');
  // Select All goes through the editor and may come after the first letters.
  await page.keyboard.press('Shift+Home');
  await page.keyboard.type('Sum the net prices.');
  await page.keyboard.press('Enter');
  await versions(chat, 'Your request').getByText('2 of 2').waitFor();
  await chat.settled(1);
  await versions(chat, 'Your request').getByRole('button', { name: 'Previous version' }).click();
  await chat.frame.getByText('half up, to cents').waitFor();
  await shoot('branches');

  // One family: a group of its own, and in the history the branches under their root.
  const started = readStore(host, (journal) =>
    journal.branches().map(({ parent, point }) => [parent, point.at, 'turn' in point ? point.turn : null]),
  );
  const [[root] = []] = started;
  expect(started).toEqual([
    [root, 'action', 1],
    [root, 'reply', 0],
    [root, 'request', null],
  ]);
  const rows = episodesIn(page).rows;
  for (const name of ['Turn 2, asked again', 'Another reply to turn 1', 'Sum the net prices.']) {
    const row = rows.filter({ hasText: name });
    await row.scrollIntoViewIfNeeded();
    expect(await row.getAttribute('aria-level')).toBe('2');
  }
});

test('an agent that broke off is asked again in a branch, and what it said stays to be read', async () => {
  const { shoot } = editor();
  const chat = await begin({ refuse: 500 }, { say: 'Which file?' });
  await chat.say('Read a file.');
  await chat.frame.getByRole('button', { name: 'Retry in a Branch' }).click();
  await chat.settled(1);
  await versions(chat, 'Turn 1').getByRole('button', { name: 'Previous version' }).click();
  await chat.frame.getByRole('button', { name: 'Continue' }).waitFor();
  await versions(chat, 'Turn 1').getByText('1 of 2').waitFor();
  await shoot('retried');
});

test('Enter belongs to an input method while it composes, Shift+Enter breaks the line, S skips', async () => {
  const { page, server: host } = editor();
  const chat = await begin(QUESTION, { say: 'Which file?' });
  await chat.field.click();
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Input.imeSetComposition', { text: 'にほん', selectionStart: 3, selectionEnd: 3 });
  await page.keyboard.press('Enter');
  expect(await chat.field.inputValue()).toContain('にほん');
  expect(await chat.turn(1).count()).toBe(0);
  await devtools.send('Input.insertText', { text: '日本' });
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('two lines');
  // An Enter that an input method does not take for itself may leave a line break; it sends nothing.
  expect(await chat.field.inputValue()).toMatch(/日本\ntwo lines\n*$/);
  expect(await chat.turn(1).count()).toBe(0);
  await new Promise((pause) => setTimeout(pause, 50));
  await page.keyboard.press('Enter');
  await chat.settled(1);
  expect(eventsOf(host, 'request_accepted')[0]?.text).toMatch(/\ntwo lines\n*$/);
  await chat.turn(1).getByText('Which rounding?').click();
  await page.keyboard.press('s');
  await chat.settled(2);
  expect(eventsOf(host, 'observed')).toMatchObject([{ kind: 'skipped', text: 'Use your judgement.' }]);
});

test('a pending question, a draft and an edit survive the end of the server and of its extension host', async () => {
  const { page, restart, shoot, server: host } = editor();
  const chat = await begin(QUESTION, QUESTION, code('x = 9'));
  await chat.say('Round a price anew.');
  await chat.settled(1);
  await chat.type('half written');
  await chat.turn(1).getByRole('button', { name: 'Edit answer C before sending' }).click();
  await page.keyboard.type(' to zero');
  await expect
    .poll(() => readStore(host, (journal) => journal.memo.get(`edit ${journal.episodes()[0]?.id ?? ''}`)))
    .toContain('down to zero');
  await restart();

  const again = await openChat(page);
  await again.turn(1).getByText('Which rounding?').waitFor();
  expect(await again.field.inputValue()).toBe('down to zero');
  await again.turn(1).getByRole('button', { name: 'half even Recommended', exact: true }).waitFor();
  await shoot('after-a-restart');
  await again.frame.getByText('Editing answer C').waitFor();
  await again.field.click();
  await page.keyboard.press('Enter');
  await again.settled(2);
  const [reply] = eventsOf(host, 'observed');
  expect(reply).toMatchObject({ kind: 'edited_option', option: 'down', text: 'down to zero' });
  expect(reply?.latency_ms).toBeGreaterThan(0);
  await expect.poll(() => again.field.inputValue()).toBe('half written');
  await again.turn(2).getByRole('button', { name: 'half up', exact: true }).click();
  expect(await again.settled(3)).toBe('answer');
});
