// npm start: the packaged extension in a real VS Code, at a URL, on a small sample workspace. Nothing but the npm registry is needed,
// and from the second start on not even that. Settings, conversations and edits stay; --fresh begins anew.
import { cpSync, existsSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheRoot, root } from '../test/host/cache.mjs';
import { installServer } from '../test/host/server-install.mjs';
import { startServer } from '../test/host/server.mjs';
import { packageExtension } from './package.mjs';

/** The same from start to start, because a browser keeps what belongs to a window by address. */
const USUAL_PORT = 3617;

const { values } = parseArgs({ options: { fresh: { type: 'boolean', default: false }, port: { type: 'string' } } });

const home = join(cacheRoot, 'start');
const folder = join(home, 'workspace');
if (values.fresh) rmSync(home, { recursive: true, force: true });
if (!existsSync(folder)) cpSync(join(root, 'sample'), folder, { recursive: true });

const vsix = await packageExtension();
const installed = await installServer('latest');
const port = values.port === undefined ? await freePort(USUAL_PORT) : Number(values.port);
const flags = ['--default-folder', folder];
const server = await startServer({ installed, data: join(home, 'data'), extensions: [vsix], port, flags });

console.log(`
  VS Code ${installed.version} with Turnwise is running. Open

    ${server.url}/

  in a browser on this machine, and click Turnwise in the activity bar.
  The sample workspace is ${folder}.
  Keys of servers that you give it last until the page is reloaded.
  Ctrl-C ends it.
`);

let ending = false;
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    // A terminal sends Ctrl-C to npm and to this process, and npm passes it on once more.
    if (ending) return;
    ending = true;
    void server.stop().then(() => process.exit(0));
  });
}
await server.ended;
if (!ending) {
  console.error(`VS Code's server ended by itself.\n${server.output().slice(-2000)}`);
  process.exitCode = 1;
}

/** @param {number} wanted @returns {Promise<number>} `wanted` if nobody has it, else 0: any */
function freePort(wanted) {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(0));
    probe.listen(wanted, '127.0.0.1', () => probe.close(() => done(wanted)));
  });
}
