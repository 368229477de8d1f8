// Writes ThirdPartyNotices.txt: each package whose code is in a bundle or that is loaded beside it, with its licence text.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LICENCE_FILE = /^(licen[cs]e|copying|notice)(\.|-|$)/i;

/** Package folders below node_modules that these bundle inputs come from. */
function packagesOf(inputs) {
  const folders = inputs.flatMap((input) => {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    return match ? [match[1]] : [];
  });
  return [...new Set(folders)].sort();
}

/** @param {string[]} inputs bundle inputs @param {string[]} external packages loaded at run time */
export async function writeNotices(inputs, external) {
  const folders = packagesOf([...inputs, ...external.map((name) => `node_modules/${name}/package.json`)]);
  const parts = folders.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => LICENCE_FILE.test(entry));
    const text = file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').trim() : '';
    return `${name} ${version} (${license})\n\n${text || 'The package states its licence by name only.'}\n`;
  });
  mkdirSync('dist', { recursive: true });
  const head = 'Turnwise contains or loads the packages below. Each keeps its own licence.\n';
  writeFileSync('dist/ThirdPartyNotices.txt', [head, ...parts].join(`\n${'-'.repeat(78)}\n\n`));
}
