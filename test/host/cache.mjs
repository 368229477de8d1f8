import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** The repository. */
export const root = resolve(import.meta.dirname, '../..');

/** Where everything fetched or generated lies: git-ignored, and movable to a folder that a CI keeps. */
export const cacheRoot = process.env['VSCODE_HOST_CACHE'] ?? join(root, '.vscode-test');

/** @param {string} path */
export const exists = (path) =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * The folder `name` of the cache; `fill` makes its content when it is not there yet.
 * It gets its name only when complete, so that parallel and broken-off runs do no harm.
 * @param {string} name
 * @param {(folder: string) => Promise<void>} fill
 */
export async function cached(name, fill) {
  const folder = join(cacheRoot, name);
  if (await exists(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(`${folder}.part-`);
  try {
    await fill(unfinished);
    await rename(unfinished, folder).catch(async (/** @type {unknown} */ error) => {
      if (!(await exists(folder))) throw error; // else another process was faster
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}
