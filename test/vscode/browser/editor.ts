import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type * as vscode from 'vscode';
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest';
import { bridgeExtension, inHost } from '../../host/bridge.mjs';
import { root } from '../../host/cache.mjs';
import { chosenBuild, installServer } from '../../host/server-install.mjs';
import { startServer, type Server } from '../../host/server.mjs';
import { launchBrowser, openWorkbench } from '../../host/workbench.mjs';
import { awaitEnd, enginesOf } from './engines.ts';

const results = join(root, 'test-results');
/** The engine looks for its users' leases every few seconds, and forgives a window that reloads; longer than this, ms, it may not stay. */
const ENGINE_LINGERS_MS = 30_000;

/** How long a click waits for what it clicks, ms: an editor on a busy machine may need it. */
const PATIENCE_MS = 90_000;

const engines: number[] = [];
afterAll(async () => {
  expect(await awaitEnd(engines, ENGINE_LINGERS_MS), 'engines that outlived their last window').toBe(0);
});

export interface EditorOptions {
  /** User settings over the quiet ones. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Files to have in the opened folder, beside those of the sample: path and text. */
  readonly files?: Readonly<Record<string, string>>;
  /** false: an empty window. */
  readonly folder?: boolean;
  /** false: VS Code asks whether the folder is trusted, as it does on a desktop. */
  readonly trust?: boolean;
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** A real VS Code with the packaged extension in a page, and what a test may know about it. */
export interface Editor {
  readonly page: Page;
  readonly server: Server;
  /** The opened folder: a copy of the sample workspace. */
  readonly folder: string;
  /** Looks at the editor from inside; tests act through the page only. */
  readonly look: <R, A extends readonly unknown[]>(
    read: (api: typeof vscode, ...args: A) => R | PromiseLike<R>,
    ...args: A
  ) => Promise<R>;
  /** Ends the server with its extension host, and starts both anew on what is on the disk; the page is loaded again. */
  readonly restart: () => Promise<void>;
  /** A second window on the same server and folder. */
  readonly openWindow: () => Promise<Page>;
  /** Puts a picture into test-results/. */
  readonly shoot: (name: string, page?: Page) => Promise<void>;
}

/** An editor that somebody has to close. */
interface OpenEditor extends Editor {
  /** Leaves pictures of every window and the logs in test-results/. */
  readonly keepEvidence: (name: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Opens an editor of its own, gives it to `use`, and ends all of it. A failure leaves pictures and logs in test-results/. */
export async function withEditor(options: EditorOptions, use: (editor: Editor) => Promise<void>): Promise<void> {
  const editor = await openEditor(options);
  try {
    await use(editor);
  } catch (error) {
    await editor.keepEvidence(testName());
    throw error;
  } finally {
    await editor.close();
  }
}

/** One editor for all tests of a file, which go on from each other's state; settings may be known only when it starts. */
export function sharedEditor(options: () => EditorOptions): () => Editor {
  let editor: OpenEditor | undefined;
  beforeAll(async () => {
    editor = await openEditor(options());
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await editor?.keepEvidence(testName());
  });
  afterAll(() => editor?.close());
  return () => {
    if (editor === undefined) throw new Error('The editor is not open yet.');
    return editor;
  };
}

const testName = (): string =>
  expect
    .getState()
    .currentTestName?.replace(/[^a-z0-9]+/gi, '-')
    .slice(0, 80) ?? 'editor';

async function openEditor(options: EditorOptions): Promise<OpenEditor> {
  const folder = await mkdtemp(join(tmpdir(), 'twf-'));
  await cp(join(root, 'sample'), folder, { recursive: true });
  for (const [path, text] of Object.entries(options.files ?? {})) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const bridgeFolder = await mkdtemp(join(tmpdir(), 'twb-'));
  const socket = join(bridgeFolder, 'bridge.sock');
  // Kept over a restart, so it is this file's to remove; its path is short for the sake of the sockets in it.
  const data = await mkdtemp(join(tmpdir(), 'twd-'));
  const start = async (again: { readonly port?: number } = {}): Promise<Server> =>
    startServer({
      installed: await installServer(chosenBuild()),
      data,
      extensions: again.port === undefined ? [inject('vsix'), bridgeExtension] : [],
      env: { TURNWISE_TEST_BRIDGE: socket, ...options.env },
      ...(options.settings ? { settings: options.settings } : {}),
      trust: options.trust ?? true,
      ...again,
    });
  let server = await start();
  let browser: Browser | undefined;
  const close = async (): Promise<void> => {
    engines.push(...(await enginesOf(server).catch(() => [])));
    await browser?.close();
    await server.stop();
    await Promise.all(
      [folder, bridgeFolder, data].map((path) => rm(path, { recursive: true, force: true, maxRetries: 5 })),
    );
  };
  try {
    browser = await launchBrowser();
    const context = await browser.newContext({ viewport: options.viewport ?? { width: 1280, height: 800 } });
    context.setDefaultTimeout(PATIENCE_MS);
    const openWindow = () => openWorkbench(context, server, options.folder === false ? {} : { folder });
    const page = await openWindow();
    await page.locator('.monaco-workbench').waitFor();
    const shoot = async (shot: string, which = page) => {
      await mkdir(results, { recursive: true });
      await which.screenshot({ path: join(results, `${shot}.png`) });
    };
    const keepEvidence = async (name: string) => {
      for (const [at, shown] of context.pages().entries()) {
        await shoot(`failed-${name}-${at}`, shown).catch(() => undefined);
      }
      const logs = join(results, `failed-${name}-logs`);
      await cp(join(server.home, 'user/logs'), logs, { recursive: true }).catch(() => undefined);
    };
    const look: Editor['look'] = (read, ...args) => inHost(socket, read, ...args);
    const restart = async () => {
      const { port } = server;
      await server.stop();
      server = await start({ port });
      await page.reload({ timeout: 120_000, waitUntil: 'commit' });
      await page.locator('.monaco-workbench').waitFor({ timeout: 120_000 });
    };
    return {
      page,
      get server() {
        return server;
      },
      ...{ folder, look, openWindow, shoot, restart, keepEvidence, close },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
