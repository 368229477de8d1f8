import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';
import { promisify } from 'node:util';
import { exists } from './cache.mjs';

const execute = promisify(execFile);

/** What a quiet workbench needs: no welcome, no tips, no telemetry, and VS Code's own chat out of the way. */
const SETTINGS = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.colorTheme': 'Default Dark Modern',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.disableAIFeatures': true,
  'window.commandCenter': false,
  'telemetry.telemetryLevel': 'off',
  'extensions.ignoreRecommendations': true,
  'extensions.autoCheckUpdates': false,
  'remote.autoForwardPorts': false,
  'git.openRepositoryInParentFolders': 'never',
};

/** Of this process's environment, what must not reach the server: it may itself run inside npm or a VS Code terminal. */
const NOT_INHERITED = /^(npm_|ELECTRON_|CODE_SERVER_|NODE_OPTIONS$|VSCODE_|VITEST|NODE_ENV$)/;

/**
 * @typedef {object} ServerOptions
 * @property {import('./server-install.mjs').InstalledServer} installed
 * @property {string} [data] folder for settings, state and extensions, kept afterwards; without it a fresh one that is removed
 * @property {readonly string[]} [extensions] to have installed: .vsix files, or folders taken as they are
 * @property {Readonly<Record<string, unknown>>} [settings] user settings over the quiet ones
 * @property {Readonly<Record<string, string | undefined>>} [env] for the server and its extension host
 * @property {readonly string[]} [flags] more arguments of the server
 * @property {boolean} [trust] whether every folder counts as trusted (the default); else VS Code asks
 * @property {number} [port] 0 or nothing: any free one
 */

/** @typedef {Awaited<ReturnType<typeof startServer>>} Server */

/**
 * Starts a VS Code server of its own on loopback, with an empty gallery and no telemetry.
 * @param {ServerOptions} options
 */
export async function startServer({
  installed,
  data,
  extensions = [],
  settings = {},
  env = {},
  flags = [],
  trust = true,
  port: wantedPort = 0,
}) {
  // Short, because the paths of the sockets in it are limited to 107 bytes.
  const runtime = await mkdtemp(join(tmpdir(), 'twh-'));
  const home = data ?? join(runtime, 'data');
  const user = join(home, 'user');
  const extensionsFolder = join(home, 'extensions');
  await mkdir(extensionsFolder, { recursive: true });
  // In a folder that is kept, whoever works there may have changed them.
  if (!(await exists(join(user, 'User/settings.json')))) {
    await writeJson(join(user, 'User/settings.json'), { ...SETTINGS, ...settings });
    // Settings of the scope "machine" count only here.
    await writeJson(join(user, 'Machine/settings.json'), settings);
  }

  const folders = ['--user-data-dir', user, '--server-data-dir', home, '--extensions-dir', extensionsFolder];
  const inherited = Object.entries({ ...process.env, ...env }).filter(
    ([name, value]) => value !== undefined && (name in env || !NOT_INHERITED.test(name)),
  );
  const environment = {
    ...Object.fromEntries(inherited),
    TMPDIR: runtime,
    XDG_RUNTIME_DIR: runtime,
    EXTENSIONS_GALLERY: '{"serviceUrl":""}',
  };

  // Folders first: the first installation takes what lies there into its list, and only what is listed is loaded.
  for (const folder of extensions.filter((path) => !path.endsWith('.vsix')))
    await linkExtension(folder, extensionsFolder);
  const packages = extensions.filter((path) => path.endsWith('.vsix')).flatMap((path) => ['--install-extension', path]);
  if (packages.length > 0) {
    await execute(installed.node, [installed.main, ...packages, '--force', ...folders], { env: environment });
  }

  const child = spawn(
    installed.node,
    [
      installed.main,
      ...['--host', '127.0.0.1', '--port', String(wantedPort)],
      ...['--without-connection-token', '--accept-server-license-terms', '--disable-getting-started-override'],
      ...['--telemetry-level', 'off', '--disable-telemetry', '--disable-update-check', '--disable-experiments'],
      ...(trust ? ['--disable-workspace-trust'] : []),
      ...folders,
      ...flags,
    ],
    // A process group of its own, so that the end of it takes the extension host and terminals along.
    { env: environment, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  const signal = (/** @type {NodeJS.Signals} */ name) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // The group is gone already.
    }
  };
  const atExit = () => {
    signal('SIGKILL');
    rmSync(runtime, { recursive: true, force: true });
  };
  process.once('exit', atExit);

  const output = collectOutput(child);
  const ended = new Promise((/** @type {(value: undefined) => void} */ done) =>
    child.once('exit', () => done(undefined)),
  );
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      signal('SIGTERM');
      const killing = setTimeout(() => signal('SIGKILL'), 5000);
      await ended;
      clearTimeout(killing);
    }
    process.off('exit', atExit);
    signal('SIGKILL');
    await rm(runtime, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const [, listening = ''] = await output.line(/Extension host agent listening on (\d+)/, 30_000);
    const port = Number(listening);
    return { port, url: `http://127.0.0.1:${port}`, runtime, home, output: output.text, ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Keeps what the server says and lets callers wait for a line of it.
 * @param {import('node:child_process').ChildProcessByStdio<null, import('node:stream').Readable, import('node:stream').Readable>} child
 */
function collectOutput(child) {
  let text = '';
  const heard = (/** @type {Buffer} */ bytes) => {
    text += bytes.toString();
  };
  child.stdout.on('data', heard);
  child.stderr.on('data', heard);
  /** @param {RegExp} pattern @param {number} milliseconds */
  const line = (pattern, milliseconds) =>
    new Promise((/** @type {(match: RegExpExecArray) => void} */ found, failed) => {
      const finish = (/** @type {() => void} */ settle) => {
        clearTimeout(timer);
        child.stdout.off('data', look);
        child.off('exit', ended);
        settle();
      };
      const look = () => {
        const match = pattern.exec(text);
        if (match) finish(() => found(match));
      };
      const ended = (/** @type {number | null} */ code) =>
        finish(() => failed(new Error(`The VS Code server ended with code ${code}.\n${text}`)));
      const timer = setTimeout(
        () =>
          finish(() => failed(new Error(`The VS Code server did not say ${pattern} in ${milliseconds} ms.\n${text}`))),
        milliseconds,
      );
      child.stdout.on('data', look);
      child.once('exit', ended);
      look();
    });
  return { text: () => text, line };
}

/** @param {string} folder @param {string} extensionsFolder */
async function linkExtension(folder, extensionsFolder) {
  /** @type {{ publisher: string, name: string, version: string }} */
  const { publisher, name, version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const link = join(extensionsFolder, `${publisher}.${name}-${version}`);
  await rm(link, { recursive: true, force: true });
  await symlink(resolve(folder), link, 'dir');
}

/** @param {string} file @param {unknown} value */
async function writeJson(file, value) {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(value, null, 2));
}
