// What the extension's package holds: an allow-list, so that nothing gets in by lying around.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageClosure } from './package-closure.mjs';

/** Packages that the bundles load at run time, because they carry binaries or data files. */
const LOADED = ['node-llama-cpp', 'pyodide'];

/** Where in the package they lie: Node looks there first when a bundle in dist/ asks for them. */
const MODULES = 'dist/node_modules';

/** Without these the extension does not work. The manifest comes on top, and is written for the package. */
const OWN = [
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'package.nls.json',
  'package.nls.de.json',
  'l10n/bundle.l10n.json',
  'l10n/bundle.l10n.de.json',
  'media/icon.png',
  'media/icon.svg',
  'dist/extension.cjs',
  'dist/engine.js',
  'dist/cli.js',
  'dist/turnwise.js',
  'dist/python-child.js',
  'dist/ThirdPartyNotices.txt',
  'dist/webview/chat.js',
  'dist/webview/chat.css',
  'dist/webview/review.js',
  'dist/webview/review.css',
  'dist/webview/codicon.ttf',
  'dist/highlight/highlight.mjs',
];

/**
 * Folders that go in as they are: the toy model with its card, what scorers are probed with, the pictures of the README, the
 * grammars that code is coloured by, and what the extension loads when it is first used.
 */
const FOLDERS = [
  'media/models',
  'media/demo',
  'media/doctor',
  'media/screenshots',
  'media/walkthrough',
  'dist/highlight',
  'dist/parts',
];

/** What a check of a finished package looks for; vsce changes the case of some names. */
export const required = [
  ...['package.json', ...OWN].filter((path) => path !== 'LICENSE'),
  'LICENSE.txt',
  'dist/node_modules/node-llama-cpp/dist/index.js',
  'dist/node_modules/pyodide/pyodide.mjs',
  'dist/node_modules/pyodide/pyodide.asm.wasm',
  'dist/node_modules/pyodide/python_stdlib.zip',
].map((path) => path.toLowerCase());

/** Whether a rule lets this path of a package be inside. @param {string} path */
export const isAllowed = (path) =>
  required.includes(path.toLowerCase()) ||
  (FOLDERS.some((folder) => path.startsWith(`${folder}/`)) && !path.endsWith('.map')) ||
  (path.startsWith(`${MODULES}/`) && !LEFT_OUT.test(path));

/** Of those packages, what only someone needs who compiles or reads them. */
const LEFT_OUT =
  /(\.d\.[cm]?ts|\.map|\.md|\.markdown|\.html|\.bundle|\.ts|\.tsx|\.cpp|\.h|\.patch)$|\/llama\/(addon|cmake|patches|profiles|toolchains|xpack)\/|\/(test|tests|__tests__|docs|example|examples)\//;

/**
 * The files to pack, as pairs of where they are and where in the package they go.
 * @param {string} root
 * @returns {{ from: string, to: string }[]}
 */
export function packagedFiles(root) {
  const own = [...OWN, ...FOLDERS.flatMap((folder) => filesBelow(root, folder)).filter(isAllowed)].map((path) => ({
    from: path,
    to: path,
  }));
  const loaded = packageClosure(root, LOADED)
    .flatMap((folder) => filesBelow(root, folder))
    .map((path) => ({ from: path, to: path.replace(/^node_modules/, MODULES) }))
    .filter(({ to }) => !LEFT_OUT.test(to));
  return [...own, ...loaded];
}

/** The engine's prebuilt binaries among these paths of a package. @param {readonly string[]} paths */
export const engineBinaries = (paths) => paths.filter((path) => path.endsWith('/llama-addon.node'));

/**
 * Files below a folder, without those of packages nested in it.
 * @param {string} root @param {string} folder @returns {string[]}
 */
function filesBelow(root, folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(root, path);
    return entry.isFile() ? [path] : [];
  });
}
