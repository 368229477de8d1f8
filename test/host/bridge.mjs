import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

/** The test-only extension to install beside the one under test. */
export const bridgeExtension = join(import.meta.dirname, 'bridge');

/**
 * Runs `look(vscode, ...args)` inside the extension host; arguments and result travel as JSON, and nothing of the test's scope does.
 * For looking at what the editor shows: tests act through the page, as a person does.
 * @template Result
 * @template {readonly unknown[]} Args
 * @param {string} socket
 * @param {(vscode: typeof import('vscode'), ...args: Args) => Result | PromiseLike<Result>} look
 * @param {Args} args
 * @returns {Promise<Result>}
 */
export async function inHost(socket, look, ...args) {
  const body = JSON.stringify({ source: look.toString(), args });
  for (let attempt = 0; ; attempt += 1) {
    try {
      /** @type {{ value?: Result, error?: string }} */
      const answer = JSON.parse(await post(socket, body));
      if (answer.error !== undefined) throw new HostError(answer.error);
      return /** @type {Result} */ (answer.value);
    } catch (error) {
      // Until the extension host is up, nobody listens.
      if (error instanceof HostError || attempt >= 300) throw error;
      await sleep(100);
    }
  }
}

class HostError extends Error {}

/** @param {string} socket @param {string} body */
async function post(socket, body) {
  const sent = request({ socketPath: socket, method: 'POST' });
  sent.end(body);
  const [response] = /** @type {[import('node:http').IncomingMessage]} */ (await once(sent, 'response'));
  return text(response);
}
