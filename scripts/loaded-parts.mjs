// What the editor reads and parses of the built extension, and when.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What runs until the first message has its answer: the chat opens, its server is looked at, the answer comes. */
const FIRST_MESSAGE = ['product', 'detect-server', 'chat'];

/**
 * The files that are parsed at the start, and those that are until the first message of a chat is answered.
 * @param {string} dist the folder that `node esbuild.mjs` wrote
 * @returns {{ start: string[], firstMessage: string[] }}
 */
export function loadedParts(dist) {
  const start = [...closure(join(dist, 'extension.cjs'))];
  const parts = readdirSync(join(dist, 'parts')).filter((name) => name.endsWith('.cjs'));
  const wanted = FIRST_MESSAGE.map((name) => {
    const part = parts.find((file) => new RegExp(`^${name}-[A-Z0-9]{8}\\.cjs$`).test(file));
    if (part === undefined) throw new Error(`There is no part "${name}" in ${dist}/parts: say what is loaded instead.`);
    return join(dist, 'parts', part);
  });
  return { start, firstMessage: [...new Set([...start, ...wanted.flatMap((file) => [...closure(file)])])] };
}

/** @param {readonly string[]} files @returns {number} their size, kB of 1000 bytes */
export const kilobytes = (files) => files.reduce((sum, file) => sum + statSync(file).size, 0) / 1000;

/** @param {string} file @param {Set<string>} [seen] @returns {Set<string>} it and what it requires as soon as it is read */
function closure(file, seen = new Set()) {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(/\brequire\("(\.{1,2}\/[^"]+\.cjs)"\)/g)) {
    closure(join(dirname(file), path), seen);
  }
  return seen;
}
