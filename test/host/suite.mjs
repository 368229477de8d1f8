import { setTimeout as sleep } from 'node:timers/promises';
import { chosenBuild, installServer } from './server-install.mjs';
import { startServer } from './server.mjs';
import { launchBrowser, openWorkbench } from './workbench.mjs';

/** What the workbench logs at every start, and that tells nothing about the extension. */
const NOISE =
  /^(\[(AgentHost|ChatModelSelection|AccountPolicyGate|reconnection-grace-time|RemoteAgentHostProtocol|Service Worker)|Resolv(ing|ed) connection token|Creating a socket|Updating additional builtin|Ignoring fetching additional builtin|Timed out waiting for authentication provider)/;

/**
 * @typedef {object} SuiteOptions
 * @property {string} developed folder of the extension under test
 * @property {string} tests module whose run() is the suite
 * @property {string} [folder] to open
 * @property {Readonly<Record<string, string | undefined>>} [env] for the extension host
 * @property {number} [timeout] for the whole suite, in ms
 * @property {string} [failureShot] where to put a picture of the workbench when something goes wrong
 */

/**
 * Runs a suite inside the real extension host and resolves to its exit code, 0 for passed.
 * @param {SuiteOptions} options
 */
export async function runSuite({ developed, tests, folder, env = {}, timeout = 180_000, failureShot }) {
  const installed = await installServer(chosenBuild());
  // The flag lets the server take an extension under development from the page's address.
  const server = await startServer({ installed, env, flags: ['--enable-smoke-test-driver'] });
  /** @type {import('playwright-core').Browser | undefined} */
  let browser;
  /** @type {import('playwright-core').Page | undefined} */
  let page;
  try {
    browser = await launchBrowser();
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const code = await new Promise((/** @type {(code: number) => void} */ exit, fail) => {
      void tooLate(timeout).catch(fail);
      const beforeLoad = async (/** @type {import('playwright-core').Page} */ opened) => {
        page = opened;
        opened.on('crash', () => fail(new Error('The page of the workbench crashed.')));
        // The workbench calls these two when it runs a suite.
        await opened.exposeFunction('codeAutomationExit', exit);
        await opened.exposeFunction('codeAutomationLog', log);
      };
      const opening = { developed, tests, beforeLoad, ...(folder === undefined ? {} : { folder }) };
      openWorkbench(context, server, opening).catch(fail);
    });
    await requireCleanEnd(server);
    return code;
  } catch (error) {
    if (failureShot !== undefined) await page?.screenshot({ path: failureShot }).catch(() => undefined);
    throw new Error(`${String(error)}\n--- the server said\n${server.output().slice(-4000)}`, { cause: error });
  } finally {
    await browser?.close();
    await server.stop();
  }
}

/** @param {string} type @param {unknown[]} parts */
function log(type, parts) {
  if (NOISE.test(String(parts[0]))) return;
  if (type === 'error') console.error(...parts);
  else console.log(...parts);
}

/** A killed extension host is reported as exit code 0: only one that ended by itself is believed. @param {{ output: () => string }} server */
async function requireCleanEnd(server) {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const ended = /Extension Host Process exited with code: (\S+), signal: (\S+?)\.?$/m.exec(server.output());
    if (ended?.[1] === '0') return;
    if (ended) throw new Error(`The extension host crashed (code ${ended[1]}, signal ${ended[2]}).`);
    await sleep(100);
  }
  throw new Error('The extension host was not seen to end.');
}

/** @param {number} milliseconds @returns {Promise<never>} */
const tooLate = async (milliseconds) => {
  await sleep(milliseconds, undefined, { ref: false });
  throw new Error(`The suite did not end in ${milliseconds / 1000} s.`);
};
