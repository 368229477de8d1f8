// The chat as its user feels it, in a real VS Code and Chromium: what the extension adds to the first token, how long a key takes
// to be on the screen, and what the page holds, both with a conversation of 5,000 turns loaded and with an empty one.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Frame, Page } from 'playwright-core';
import { z } from 'zod';
import { bridgeExtension, inHost } from '../test/host/bridge.mjs';
import { root } from '../test/host/cache.mjs';
import { chosenBuild, installServer } from '../test/host/server-install.mjs';
import { startServer } from '../test/host/server.mjs';
import { launchBrowser, openWorkbench } from '../test/host/workbench.mjs';
import { openChat } from '../test/vscode/browser/chat.ts';
import { plantLongConversation } from '../test/vscode/browser/long-conversation.ts';
import { median, printFigures, spread, type Figure } from './figures.ts';
import { measureFirstToken } from './first-token.ts';

const TURNS = 5_000;
/** Goals: ms from a key to its paint, MB that the conversation adds to the page. */
const KEY_MS = 16;
const PAGE_MB = 200;

const { values: flags } = parseArgs({
  options: { json: { type: 'boolean', default: false }, runs: { type: 'string', default: '40' } },
});
const runs = Number(flags.runs);

printFigures('First token', await measureFirstToken(runs), flags.json);

const folder = mkdtempSync(join(tmpdir(), 'twb-'));
const socket = join(folder, 'bridge.sock');
const store = join(folder, 'store.sqlite');
plantLongConversation(store, 'long', TURNS);
const installed = await installServer(chosenBuild());
const server = await startServer({
  installed,
  extensions: [root, bridgeExtension],
  env: { TURNWISE_TEST_BRIDGE: socket },
  settings: { 'turnwise.store.path': store, 'turnwise.scoring.enabled': false },
});
const browser = await launchBrowser();
try {
  const context = await browser.newContext();
  const page = await openWorkbench(context, server, { folder: join(root, 'sample') });
  await page.locator('.monaco-workbench').waitFor();
  const chat = await openChat(page);
  const frame = await chatFrame(page);
  await chat.field.click();
  await typeKeys(page, frame, 10);
  const emptyKeys = await typeKeys(page, frame, runs);
  const emptyMb = await rendererMb(browser, page);

  await inHost(socket, (api) => api.commands.executeCommand('turnwise.openEpisode', 'long'));
  await chat.turn(TURNS).waitFor({ timeout: 120_000 });
  process.stderr.write('bench: loading all turns\n');
  for (let shown = 0; shown < TURNS;) {
    const before = await turnsIn(frame);
    if (before >= TURNS) break;
    await frame.evaluate(`document.querySelector('button.earlier')?.click()`);
    for (let wait = 0; wait < 600 && (await turnsIn(frame)) === before; wait += 1) await page.waitForTimeout(100);
    shown = await turnsIn(frame);
    if (shown === before) throw new Error(`The chat stays at ${shown} turns.`);
  }
  await chat.field.click();
  await typeKeys(page, frame, 10);
  const keys = await typeKeys(page, frame, runs);
  const fullMb = await rendererMb(browser, page);
  const base = median(emptyKeys);
  const figures: Figure[] = [
    {
      name: `key to paint, ${TURNS} turns loaded`,
      value: median(keys),
      unit: 'ms',
      spread: spread(keys),
      runs,
      baseline: { name: 'empty chat', value: base, ratio: median(keys) / base },
      goal: { atMost: KEY_MS },
    },
    {
      name: `page memory, ${TURNS} turns loaded`,
      value: fullMb - emptyMb,
      unit: 'MB',
      spread: null,
      runs: 1,
      baseline: { name: 'editor with an empty chat', value: emptyMb, ratio: fullMb / emptyMb },
      goal: { atMost: PAGE_MB },
    },
  ];
  printFigures(`The chat in VS Code ${installed.version}`, figures, flags.json);
} finally {
  await browser.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function chatFrame(page: Page): Promise<Frame> {
  for (const frame of page.frames()) {
    const found = await frame
      .locator('tw-chat')
      .count()
      .catch(() => 0);
    if (found > 0) return frame;
  }
  throw new Error('No frame shows the chat.');
}

function turnsIn(frame: Frame): Promise<number> {
  return frame.evaluate<number>(`document.querySelectorAll('tw-turn').length`);
}

/** From each key that reaches the page to the task behind the frame that shows it, ms. */
async function typeKeys(page: Page, frame: Frame, count: number): Promise<number[]> {
  await frame.evaluate(`globalThis.took = [];
    globalThis.onKeyTimed ??= document.addEventListener('keydown', ({ timeStamp }) => {
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => { took.push(performance.now() - timeStamp); };
        port2.postMessage(0);
      });
    }, { capture: true }) ?? true`);
  for (let key = 0; key < count; key += 1) {
    await page.keyboard.press(key % 9 === 8 ? 'Space' : 'KeyX');
    await page.waitForTimeout(60 + (key % 7));
  }
  return z.array(z.number()).parse(await frame.evaluate('took'));
}

/** Private memory of all pages of this browser after a collection, MB. */
async function rendererMb(running: Browser, page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  await page.waitForTimeout(1500);
  await session.send('HeapProfiler.collectGarbage');
  const cdp = await running.newBrowserCDPSession();
  const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
  const bytes = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => {
      const rollup = readFileSync(`/proc/${id}/smaps_rollup`, 'utf8');
      return [...rollup.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].reduce(
        (sum, [, kb]) => sum + Number(kb),
        0,
      );
    });
  return bytes.reduce((sum, kb) => sum + kb, 0) / 1000;
}
