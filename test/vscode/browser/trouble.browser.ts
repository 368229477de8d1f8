import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kill } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { commandLineOf } from '../../secrets/command-lines.ts';
import { openChat } from './chat.ts';
import { runCommand, toast } from './dialogs.ts';
import { withEditor } from './editor.ts';
import { enginesOf } from './engines.ts';
import { eventsOf } from './journal-of.ts';
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

test('an engine killed in the middle of an answer, then between two: what was said stays readable, and a new engine goes on', async () => {
  await withEditor({ settings: { 'turnwise.chat.temperature': 0 } }, async ({ page, server, shoot }) => {
    const chat = await openChat(page);
    const goOn = chat.frame.getByRole('button', { name: 'Continue' });
    const onlyEngine = async (): Promise<number> => {
      const [engine] = await enginesOf(server);
      if (engine === undefined) throw new Error('no engine runs');
      return engine;
    };
    await chat.say('Return the peak value. round it properly.');
    await chat.settled(1);
    const first = await onlyEngine();
    await chat.say('keep 1 decimals');
    const writing = chat.frame.getByRole('article', { name: 'The agent is writing' });
    await slowUntil(first, async () => (await writing.count()) > 0);
    kill(first, 'SIGKILL');
    await goOn.waitFor();
    const broken = chat.frame.getByRole('article', { name: 'The agent broke off' });
    await broken.getByText('Broke off here').waitFor();
    const [failure] = eventsOf(server, 'action_failed');
    expect(failure).toMatchObject({ turn: 1, reason: 'connection_lost' });
    expect(failure?.partial.trim()).not.toBe('');
    expect(squeezed(await broken.textContent())).toContain(squeezed(failure?.partial ?? '').slice(0, 12));
    await shoot('engine-killed');
    await goOn.click();
    await chat.settled(2);
    expect(await broken.count()).toBe(0);
    const second = await onlyEngine();
    expect(second).not.toBe(first);

    kill(second, 'SIGKILL');
    await chat.say('label it points');
    await chat.turn(3).or(goOn).first().waitFor();
    if (await goOn.isVisible()) await goOn.click();
    await chat.settled(3);
    expect(await onlyEngine()).not.toBe(second);
  });
});

/** Lets a process run a few milliseconds at a time, and leaves it stopped once this is so: a model that is slow enough to be caught. */
async function slowUntil(pid: number, isSo: () => Promise<boolean>): Promise<void> {
  for (let step = 0; step < 3000; step += 1) {
    kill(pid, 'SIGSTOP');
    if (await isSo()) return;
    kill(pid, 'SIGCONT');
    await sleep(4);
  }
  throw new Error('It did not happen in 3000 steps.');
}

const squeezed = (text: string | null): string => (text ?? '').replace(/\s+/g, '');

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
    await page.getByRole('treeitem', { name: /^Turn 1, .*(engine|not scored)/ }).waitFor();
  }).finally(() => model.close());
});

test("in a workspace that nobody vouched for, settings that name servers, models and files are inert, its own and the person's", async () => {
  const model = await startModelServer(() => ({ say: 'Which one?' }));
  const settings = {
    ...chatSettings(model),
    'turnwise.scoring.server': 'stand-in',
    'turnwise.engine.model': '/evil.gguf',
  };
  const evil = join(tmpdir(), `evil-${process.pid}.sqlite`);
  const theirs = { ...settings, 'turnwise.store.path': evil, 'turnwise.chat.maxTurns': 7 };
  const files = { '.vscode/settings.json': JSON.stringify(theirs) };
  await withEditor({ settings, files, trust: false }, async ({ page, look, server, shoot }) => {
    await page.getByRole('button', { name: /^Restricted Mode/ }).waitFor();
    // What harms nobody is read, so the file was; of the rest the editor itself knows nothing here.
    const valueOf = (key: string) =>
      look((vscode, name) => vscode.workspace.getConfiguration('turnwise').get<unknown>(name), key);
    await expect.poll(() => valueOf('chat.maxTurns')).toBe(7);
    expect(await valueOf('store.path')).toBe('');
    const chat = await openChat(page);
    await chat.frame.getByText('This workspace is not trusted').first().waitFor();
    await chat.say('Return the peak value. round it properly.');
    await chat.settled(1);
    await shoot('not-trusted');
    expect(model.asked).toEqual([]);
    const [engine = 0] = await enginesOf(server);
    expect(commandLineOf(engine)).toContain('turnwise-toy.gguf');
    expect(commandLineOf(engine)).not.toContain('evil');
    expect(existsSync(evil)).toBe(false);
    expect(eventsOf(server, 'request_accepted')).toHaveLength(1);
    // Nor can a server be added from here.
    await runCommand(page, 'Turnwise: Add Server…');
    await toast(page, /not trusted, so servers cannot be added/).waitFor();
  }).finally(() => model.close());
});

test('a journal that cannot be opened is said, with a way to the log', async () => {
  await withEditor({ settings: { 'turnwise.store.path': '/proc/turnwise/journal.sqlite' } }, async ({ page }) => {
    await page.locator('.activitybar').getByRole('tab', { name: 'Turnwise' }).click();
    await page.getByText('The journal could not be opened').waitFor();
    await page.getByRole('button', { name: 'Show Log' }).first().click();
    await page
      .getByText(/turnwise\/journal\.sqlite/)
      .first()
      .waitFor();
  });
});
