// Makes turnwise-<version>.vsix from what `node esbuild.mjs` left in dist/, and checks what is inside.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createVSIX } from '@vscode/vsce';
import { engineBinaries, isAllowed, packagedFiles, required } from './vsix-content.mjs';
import { zipDirectory } from './zip-directory.mjs';

const root = resolve(import.meta.dirname, '..');
/** The whole package, model and engine included, stays downloadable. */
const MEGABYTES_AT_MOST = 80;

/**
 * Packs the extension unless the package at hand was made of exactly these files.
 * @returns {Promise<string>} the path of the .vsix
 */
export async function packageExtension() {
  const manifest = shippedManifest();
  const files = packagedFiles(root);
  const absent = files.find(({ from }) => !existsSync(join(root, from)));
  if (absent) throw new Error(`${absent.from} is missing: run "npm run build" first.`);
  const vsix = join(root, `${manifest.name}-${manifest.version}.vsix`);
  const made = join(root, '.vscode-test/vsix.sha256');
  const digest = digestOf(manifest, files);
  if (existsSync(vsix) && existsSync(made) && readFileSync(made, 'utf8') === digest) {
    console.log(`${vsix} is up to date`);
    return vsix;
  }

  const stage = mkdtempSync(join(tmpdir(), 'turnwise-vsix-'));
  try {
    for (const { from, to } of files) {
      mkdirSync(dirname(join(stage, to)), { recursive: true });
      copyFileSync(join(root, from), join(stage, to));
    }
    writeFileSync(join(stage, 'package.json'), JSON.stringify(manifest, null, 2));
    await createVSIX({
      cwd: stage,
      packagePath: vsix,
      target: `${process.platform}-${process.arch}`,
      dependencies: false,
      allowMissingRepository: true,
      rewriteRelativeLinks: false,
      allowUnusedFilesPattern: true,
    });
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
  checkContent(vsix);
  mkdirSync(dirname(made), { recursive: true });
  writeFileSync(made, digest);
  return vsix;
}

/** The manifest without what only this repository needs: scripts, and dependencies that the bundles contain. */
function shippedManifest() {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { name, version } = manifest;
  for (const key of ['scripts', 'dependencies', 'devDependencies', 'overrides', 'allowScripts', 'private']) {
    Reflect.deleteProperty(manifest, key);
  }
  // vsce takes this for the allow-list that it wants; the folder it packs holds nothing else anyway.
  return /** @type {{ name: string, version: string }} */ ({ ...manifest, name, version, files: ['**'] });
}

/** @param {unknown} manifest @param {{ from: string, to: string }[]} files */
function digestOf(manifest, files) {
  const hash = createHash('sha256').update(JSON.stringify(manifest));
  for (const { from, to } of files) hash.update(`\0${to}\0`).update(readFileSync(join(root, from)));
  return hash.digest('hex');
}

/** Holds the finished archive, not the plan of it, against the lists. @param {string} vsix */
function checkContent(vsix) {
  const archive = readFileSync(vsix);
  const inside = zipDirectory(archive)
    .filter(({ name }) => name.startsWith('extension/'))
    .map(({ name }) => name.slice('extension/'.length));
  const missing = required.filter((wanted) => !inside.some((path) => path.toLowerCase() === wanted));
  const foreign = inside.filter((path) => !isAllowed(path));
  const binaries = engineBinaries(inside);
  const megabytes = archive.length / 1e6;
  const wrong = [
    ...missing.map((path) => `${path} is missing: run "npm run build"`),
    ...foreign.map((path) => `${path} is inside, and no rule allows it: see scripts/vsix-content.mjs`),
    ...(binaries.length > 1 ? [`binaries of several platforms are inside: ${binaries.join(', ')}`] : []),
    ...(megabytes > MEGABYTES_AT_MOST ? [`it has ${megabytes.toFixed(1)} MB, over ${MEGABYTES_AT_MOST}`] : []),
  ];
  if (wrong.length > 0) {
    rmSync(vsix);
    throw new Error(`The package is not as it should be.\n${wrong.map((line) => `- ${line}`).join('\n')}`);
  }
  const engine =
    binaries.length === 1 ? 'with the local engine' : 'without a local engine: run "npm run engine:install"';
  console.log(`${vsix}: ${inside.length} files, ${megabytes.toFixed(1)} MB, ${engine}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await packageExtension();
