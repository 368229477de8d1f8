import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Folders of packages and of everything they need at run time, found as Node finds them: in the nearest node_modules upwards.
 * Optional packages count where they are installed.
 * @param {string} root @param {readonly string[]} names
 * @returns {string[]} relative to `root`, sorted
 */
export function packageClosure(root, names) {
  /** @type {Set<string>} */
  const found = new Set();
  const visit = (/** @type {string} */ from, /** @type {string} */ name, /** @type {boolean} */ optional) => {
    const folder = nearest(root, from, name);
    if (folder === undefined) {
      if (optional) return;
      throw new Error(`${name}, needed by ${from || 'the bundles'}, is not installed: run "npm ci".`);
    }
    if (found.has(folder)) return;
    found.add(folder);
    /** @type {{ dependencies?: Record<string, string>, optionalDependencies?: Record<string, string> }} */
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
      readFileSync(join(root, folder, 'package.json'), 'utf8'),
    );
    for (const needed of Object.keys(dependencies)) visit(folder, needed, needed in optionalDependencies);
    for (const wanted of Object.keys(optionalDependencies)) visit(folder, wanted, true);
  };
  for (const name of names) visit('', name, false);
  return [...found].sort();
}

/**
 * From `node_modules/a/node_modules/b` looks into its own node_modules, then a's, then the root's.
 * @param {string} root @param {string} from @param {string} name
 */
function nearest(root, from, name) {
  const nesting = from.split(/(?=\/node_modules\/)/);
  const homes = nesting.map((_, depth) => nesting.slice(0, depth + 1).join('')).reverse();
  return [...homes, '']
    .map((home) => join(home, 'node_modules', name))
    .find((folder) => existsSync(join(root, folder, 'package.json')));
}
