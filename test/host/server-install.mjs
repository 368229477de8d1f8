// Puts a runnable VS Code server into the cache: the one that the npm package code-server carries in lib/vscode.
// Needs only the npm registry: no compiler, no install scripts, none of code-server's own front end.
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, exists, root } from './cache.mjs';
import { run, unpackPackage } from './npm.mjs';
import { nodePty, ripgrep, serverBuilds } from './pins.mjs';
import { startProgress } from './progress.mjs';

const PLATFORM = `${process.platform}-${process.arch}`;
/** Raise it when what this file installs changes: the cache is keyed by it. */
const RECIPE = 1;

/** @typedef {{ readonly version: string, readonly node: string, readonly main: string }} InstalledServer */

/**
 * The server of one build, installed if it is not yet: the Node that runs it and its main file.
 * @param {keyof typeof serverBuilds} name
 * @returns {Promise<InstalledServer>}
 */
export async function installServer(name) {
  const build = serverBuilds[name];
  const node = build.node?.[PLATFORM];
  if (process.platform !== 'linux' || (build.node && !node)) {
    throw new Error(
      `The VS Code server from npm runs on Linux (x64, arm64), and this is ${PLATFORM}: ` +
        'press F5 in desktop VS Code, or install the .vsix that "npm run package" makes.',
    );
  }
  const folder = await cached(`server-${build.version}-${PLATFORM}-r${RECIPE}`, async (unfinished) => {
    const progress = startProgress(`VS Code ${build.version}`, node ? 6 : 5);
    const server = join(unfinished, 'vscode');
    if (node) {
      await progress.step(`Node for it (${node.megabytes} MB)`, () =>
        unpackPackage(node, join(unfinished, 'node'), { from: 'bin' }),
      );
    }
    await progress.step(`the server (${build.codeServer.megabytes} MB)`, () =>
      unpackPackage(build.codeServer, server, { from: 'lib/vscode' }),
    );
    await progress.step('its packages', () => installPackages(server));
    await progress.step('packages of its built-in extensions', () => installPackages(join(server, 'extensions')));
    await progress.step('parts that would have to be compiled', () => replaceNativeModules(server));
    await progress.step('leaving out what nobody needs', () => prune(server));
    progress.end('ready');
  });
  return {
    version: build.version,
    node: node ? join(folder, 'node/node') : join(root, 'node_modules/node/bin/node'),
    main: join(folder, 'vscode/out/server-main.js'),
  };
}

/** Each folder has its own shrinkwrap with hashes, in which one peer (tslib) is missing. @param {string} folder */
const installPackages = (folder) =>
  run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund'], folder);

/** @param {string} server */
async function replaceNativeModules(server) {
  const modules = join(server, 'node_modules');
  const standIns = join(import.meta.dirname, 'stand-ins');
  for (const [name, standIn] of [
    ['@vscode/spdlog', 'spdlog.cjs'],
    ['@vscode/native-watchdog', 'watchdog.cjs'],
    ['native-watchdog', 'watchdog.cjs'],
  ]) {
    const index = join(modules, `${name}`, 'index.js');
    if (await exists(index)) await copyFile(join(standIns, `${standIn}`), index);
  }
  // Before 1.117 VS Code compiled node-pty and downloaded ripgrep at installation.
  if (!(await exists(join(modules, 'node-pty/prebuilds', PLATFORM)))) {
    await rm(join(modules, 'node-pty'), { recursive: true, force: true });
    await unpackPackage(nodePty, join(modules, 'node-pty'));
  }
  const search = join(modules, '@vscode/ripgrep');
  if ((await exists(search)) && !(await exists(join(search, 'bin/rg')))) {
    await mkdir(join(search, 'bin'), { recursive: true });
    await unpackPackage(ripgrep, join(search, 'bin'), { from: `bin/${PLATFORM}` });
  }
}

/** Binaries of other platforms (100 MB) and the runtime and sandbox of Copilot's agent (180 MB). @param {string} server */
async function prune(server) {
  const modules = join(server, 'node_modules');
  const unused = [`@github/copilot-sdk-${PLATFORM}`, '@microsoft/mxc-sdk', '@vscode/windows-process-tree'];
  for (const prebuilt of ['node-pty/prebuilds', '@vscode/ripgrep-universal/bin']) {
    const platforms = await readdir(join(modules, prebuilt)).catch(() => []);
    unused.push(...platforms.filter((name) => name !== PLATFORM).map((name) => `${prebuilt}/${name}`));
  }
  await Promise.all(unused.map((name) => rm(join(modules, name), { recursive: true, force: true })));
}

/** The build that the environment variable VSCODE_HOST names: "latest" unless told otherwise. */
export function chosenBuild() {
  const name = process.env['VSCODE_HOST'] ?? 'latest';
  if (name === 'latest' || name === 'min') return name;
  throw new Error(`VSCODE_HOST is "${name}": set it to "latest" or "min", or leave it unset.`);
}
