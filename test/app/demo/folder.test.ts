import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { prepareFolder } from '../../../src/app/demo/folder.ts';

let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'turnwise-folder-'));
});
afterEach(async () => {
  await rm(base, { recursive: true, force: true });
});

test.each([
  ['somebody’s file', async (folder: string) => writeFile(join(folder, 'thesis.txt'), 'x')],
  ['a mark that is none', async (folder: string) => writeFile(join(folder, 'turnwise-demo.json'), '{"schema":"else"}')],
  ['a torn mark', async (folder: string) => writeFile(join(folder, 'turnwise-demo.json'), '{"sch')],
])('a folder with %s is left alone', async (_, fill) => {
  const folder = join(base, 'own');
  await mkdir(folder);
  await fill(folder);
  const before = await readdir(folder);
  await expect(prepareFolder(folder, 1)).rejects.toMatchObject({ fault: 'usage', reason: 'not_a_demo_folder' });
  expect(await readdir(folder)).toEqual(before);
});

test('a file in the way says so', async () => {
  const file = join(base, 'file');
  await writeFile(file, 'x');
  await expect(prepareFolder(file, 1)).rejects.toMatchObject({ reason: 'unwritable_folder' });
  expect(await readFile(file, 'utf8')).toBe('x');
});

test('a new folder and an empty one are marked; the demo’s own is replaced', async () => {
  const folder = join(base, 'a', 'b');
  const places = await prepareFolder(folder, 7);
  expect(places.store.startsWith(folder) && places.dataset.startsWith(folder)).toBe(true);
  await writeFile(places.store, 'old');
  await prepareFolder(folder, 7);
  expect(await readdir(folder)).toEqual(['turnwise-demo.json']);
  const empty = join(base, 'empty');
  await mkdir(empty);
  await prepareFolder(empty, 1);
  expect(await readdir(empty)).toEqual(['turnwise-demo.json']);
});
