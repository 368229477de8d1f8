// How long the extension takes to activate in a real VS Code: fresh windows, each with a fresh extension host, in which the
// extension and an empty one are activated side by side, in turns first. Times are VS Code's own, and beside them our clock.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BrowserContext } from 'playwright-core';
import type * as vscode from 'vscode';
import { bridgeExtension, inHost } from '../test/host/bridge.mjs';
import { root } from '../test/host/cache.mjs';
import { chosenBuild, installServer } from '../test/host/server-install.mjs';
import { startServer, type Server } from '../test/host/server.mjs';
import { launchBrowser, openWorkbench } from '../test/host/workbench.mjs';
import { median, printFigures, spread, type Figure } from './figures.ts';

const TURNWISE = 'turnwise.turnwise';
const EMPTY = 'turnwise-bench.empty';
/** Goal for loading and activating together, ms. */
const GOAL_MS = 50;
/** An extension host that has just started is busy with others; after this time, ms, they are through. */
const SETTLE_MS = 3_000;

/** One activation, in ms. */
interface Activation {
  readonly load: number;
  readonly call: number;
  readonly finish: number;
  /** From asking for it to its end by our own clock; waiting for the window is in it. */
  readonly asked: number;
}

const { values: flags } = parseArgs({
  options: { json: { type: 'boolean', default: false }, runs: { type: 'string', default: '12' } },
});
const runs = Number(flags.runs);

const installed = await installServer(chosenBuild());
const bridgeFolder = await mkdtemp(join(tmpdir(), 'twb-'));
const socket = join(bridgeFolder, 'bridge.sock');
const server = await startServer({
  installed,
  extensions: [root, join(import.meta.dirname, 'empty'), bridgeExtension],
  env: { TURNWISE_TEST_BRIDGE: socket },
});
const browser = await launchBrowser();
try {
  const context = await browser.newContext();
  const ours: Activation[] = [];
  const empty: Activation[] = [];
  for (let run = 0; run < runs; run += 1) {
    process.stderr.write(`bench: activation, window ${run + 1} of ${runs}\n`);
    const seen = await activateInWindow(context, server, run % 2 === 0 ? [TURNWISE, EMPTY] : [EMPTY, TURNWISE]);
    ours.push(seen(TURNWISE));
    empty.push(seen(EMPTY));
  }
  printFigures(`Activation in VS Code ${installed.version}`, figuresOf(ours, empty), flags.json);
} finally {
  await browser.close();
  await server.stop();
  await rm(bridgeFolder, { recursive: true, force: true });
}

/** Opens a window, activates the extensions in this order, and reads what VS Code measured. */
async function activateInWindow(
  context: BrowserContext,
  { url, port }: Pick<Server, 'url' | 'port'>,
  ids: readonly string[],
): Promise<(id: string) => Activation> {
  const page = await openWorkbench(context, { url, port }, { folder: join(root, 'sample') });
  try {
    await page.locator('.monaco-workbench').waitFor();
    await untilFresh(ids);
    const { asked, report } = await inHost(
      socket,
      async (api: typeof vscode, names: readonly string[], settle: number) => {
        await new Promise((resolve) => setTimeout(resolve, settle));
        const times: Record<string, number> = {};
        for (const name of names) {
          const extension = api.extensions.getExtension(name);
          if (extension === undefined || extension.isActive) throw new Error(`${name} is absent or active already.`);
          const began = performance.now();
          await extension.activate();
          times[name] = performance.now() - began;
        }
        await api.commands.executeCommand('perfview.show');
        for (let attempt = 0; attempt < 100; attempt += 1) {
          const shown = api.workspace.textDocuments.find(({ uri }) => uri.scheme === 'perf')?.getText() ?? '';
          if (names.every((name) => shown.includes(`| ${name}`))) return { asked: times, report: shown };
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        throw new Error('VS Code showed no activation times.');
      },
      ids,
      SETTLE_MS,
    );
    return (id) => readTimes(report, id, asked[id] ?? Number.NaN);
  } finally {
    await page.close();
  }
}

/** Until the host of the new window listens, that of the window before may answer, where everything is active already. */
async function untilFresh(ids: readonly string[]): Promise<void> {
  for (let wait = 0; wait < 600; wait += 1) {
    const fresh = await inHost(
      socket,
      (api: typeof vscode, names: readonly string[]) =>
        names.every((name) => api.extensions.getExtension(name)?.isActive === false),
      ids,
    );
    if (fresh) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${ids.join(' and ')} are not both there and inactive in a new window.`);
}

/** A row of "Extension Activation Stats": extension, eager, load code, call activate, finish activate, event, by. */
function readTimes(report: string, id: string, asked: number): Activation {
  const row = report.split('\n').find((line) => line.startsWith(`| ${id} `)) ?? '';
  const [load, call, finish] = row
    .split('|')
    .slice(3, 6)
    .map((cell) => Number(cell.trim()));
  if (load === undefined || call === undefined || finish === undefined || ![load, call, finish].every(Number.isFinite))
    throw new Error(`VS Code's report has no times for ${id}: ${row}`);
  return { load, call, finish, asked };
}

function figuresOf(ours: readonly Activation[], empty: readonly Activation[]): Figure[] {
  const figure = (name: string, read: (one: Activation) => number, goal: Figure['goal'] = null): Figure => {
    const [values, least] = [ours.map(read), empty.map(read)];
    const [value, base] = [median(values), median(least)];
    const baseline = { name: 'empty extension', value: base, ratio: base === 0 ? Number.NaN : value / base };
    return { name, value, unit: 'ms', spread: spread(values), runs: values.length, baseline, goal };
  };
  return [
    figure('load code', ({ load }) => load),
    figure('call activate()', ({ call }) => call),
    figure('wait for its promise', ({ finish }) => finish),
    figure('activation in all', ({ load, call, finish }) => load + call + finish, { atMost: GOAL_MS }),
    figure('asked to active, our clock', ({ asked }) => asked, { atMost: GOAL_MS }),
  ];
}
