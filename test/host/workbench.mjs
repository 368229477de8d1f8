import { Buffer } from 'node:buffer';
import { resolve } from 'node:path';
import { URLSearchParams } from 'node:url';
import { chromium } from 'playwright-core';
import { installChromium } from './chromium.mjs';

/** A headless Chromium that fetches nothing by itself. */
export async function launchBrowser() {
  const { executablePath, env } = await installChromium();
  return chromium.launch({
    executablePath,
    env: { ...definedOf(process.env), ...env },
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
}

/**
 * @typedef {object} WorkbenchOptions
 * @property {string} [folder] to open; without it an empty window
 * @property {string} [developed] folder of an extension under development: read only by a server with smoke-test flags
 * @property {string} [tests] module whose run() the extension host calls
 * @property {(page: import('playwright-core').Page) => Promise<void>} [beforeLoad]
 */

/**
 * Opens VS Code's workbench in a page.
 * @param {import('playwright-core').BrowserContext} context
 * @param {{ url: string, port: number }} server
 * @param {WorkbenchOptions} [options]
 */
export async function openWorkbench(context, server, { folder, developed, tests, beforeLoad } = {}) {
  // For vscode.env.clipboard, which otherwise waits for ever.
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.url });
  const page = await context.newPage();
  // Half of the key that SecretStorage encrypts with; without an answer no secret outlives a reload.
  await page.route('**/mint-key', (route) =>
    route.fulfill({ contentType: 'application/octet-stream', body: Buffer.alloc(32, 1) }),
  );
  await beforeLoad?.(page);
  await page.goto(workbenchUrl(server, { folder, developed, tests }), { timeout: 90_000 });
  return page;
}

/**
 * The address of a window: which folder is open, and which extension is under development in it.
 * @param {{ url: string, port: number }} server
 * @param {{ folder?: string | undefined, developed?: string | undefined, tests?: string | undefined }} options
 */
function workbenchUrl(server, { folder, developed, tests }) {
  const remote = (/** @type {string} */ path) => `vscode-remote://127.0.0.1:${server.port}${resolve(path)}`;
  const payload = [
    ['skipWelcome', 'true'],
    ['skipReleaseNotes', 'true'],
    ...(developed ? [['extensionDevelopmentPath', remote(developed)]] : []),
    ...(tests ? [['extensionTestsPath', remote(tests)]] : []),
  ];
  const query = new URLSearchParams({
    ...(folder ? { folder: resolve(folder) } : { ew: 'true' }),
    payload: JSON.stringify(payload),
  });
  return `${server.url}/?${query}`;
}

/** @param {NodeJS.ProcessEnv} env */
const definedOf = (env) =>
  /** @type {Record<string, string>} */ (
    Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined))
  );
