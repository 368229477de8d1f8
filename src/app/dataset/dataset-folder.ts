import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { datasetCard } from '../../core/dataset/card.ts';
import { manifestSchema, splitFiles, type Manifest, type ManifestFile } from '../../core/dataset/manifest.ts';
import { datasetRowSchema, turnRowSchema, type DatasetRow, type TurnRow } from '../../core/dataset/schema.ts';
import { turnRows } from '../../core/dataset/turn-rows.ts';
import { errorText, TurnwiseError } from '../../core/error.ts';
import { createParquet } from './write-parquet.ts';

/** What a dataset folder is written from. */
export interface DatasetContents {
  readonly manifest: Omit<Manifest, 'files'>;
  /** Rows of a split in the order of their ids; asked for once, and never held all at once. */
  readonly rows: (split: string) => Iterable<DatasetRow> | AsyncIterable<DatasetRow>;
  readonly redaction: Readonly<Record<string, unknown>>;
  /** A sentence that belongs to every number of this dataset (the scorer is a toy, say). */
  readonly notice?: string | null | undefined;
  /** Tokens and numbers in a row group, at most about. */
  readonly groupWeight?: number | undefined;
}

/**
 * Writes a dataset folder: Parquet, JSONL mirror, derived turns, card, redaction report and manifest. All of it is written
 * into a temporary folder beside the target and renamed, so that the target is whole or as it was. A target with anything
 * but an earlier dataset in it is refused. `check` may read the finished folder and throw before it takes its place.
 */
export async function writeDataset(
  target: string,
  contents: DatasetContents,
  check: (folder: string, manifest: Manifest) => Promise<void> = () => Promise.resolve(),
): Promise<Manifest> {
  const folder = resolve(target);
  await refuseForeign(folder, target);
  const temporary = join(dirname(folder), `.${basename(folder)}.${randomUUID()}.tmp`);
  try {
    await mkdir(join(temporary, 'episodes'), { recursive: true });
    await mkdir(join(temporary, 'turns'));
    const manifest = await writeFiles(temporary, contents);
    await check(temporary, manifest);
    await takePlace(temporary, folder, target);
    return manifest;
  } catch (thrown) {
    await rm(temporary, { recursive: true, force: true });
    if (thrown instanceof TurnwiseError) throw thrown;
    throw new TurnwiseError(
      'environment',
      'unwritable_folder',
      `Cannot write the dataset ${target} (${errorText(thrown)}); check the folder, its permissions and the free disk space. Nothing was left half-written.`,
      { cause: thrown },
    );
  }
}

async function writeFiles(
  folder: string,
  { manifest, rows, redaction, notice, groupWeight }: DatasetContents,
): Promise<Manifest> {
  const files: ManifestFile[] = [];
  for (const { split } of manifest.splits) {
    const counts = await writeSplit(folder, split, rows(split), groupWeight);
    const paths = splitFiles(split);
    files.push(await describe(folder, paths.episodes, counts.episodes));
    files.push(await describe(folder, paths.mirror, counts.episodes));
    files.push(await describe(folder, paths.turns, counts.turns));
  }
  await writeText(join(folder, 'README.md'), datasetCard(manifest, notice ?? null));
  await writeText(join(folder, 'redaction.json'), `${JSON.stringify(redaction, null, 2)}\n`);
  files.push(await describe(folder, 'README.md', null), await describe(folder, 'redaction.json', null));
  const whole: Manifest = { ...manifest, files };
  await writeText(join(folder, 'manifest.json'), `${JSON.stringify(whole, null, 2)}\n`);
  return whole;
}

async function writeSplit(
  folder: string,
  split: string,
  rows: Iterable<DatasetRow> | AsyncIterable<DatasetRow>,
  groupWeight: number | undefined,
): Promise<{ readonly episodes: number; readonly turns: number }> {
  const paths = splitFiles(split);
  const counts = { episodes: 0, turns: 0 };
  const opened: { abandon(): Promise<void> }[] = [];
  try {
    const weighing = { groupWeight };
    const episodes = await createParquet<DatasetRow>(join(folder, paths.episodes), datasetRowSchema, {
      weight: weightOf,
      ...weighing,
    });
    opened.push(episodes);
    const turns = await createParquet<TurnRow>(join(folder, paths.turns), turnRowSchema, {
      weight: () => 100,
      ...weighing,
    });
    opened.push(turns);
    const mirror = await open(join(folder, paths.mirror), 'wx');
    opened.push({ abandon: () => mirror.close() });
    for await (const row of rows) {
      await episodes.write(row);
      await mirror.writeFile(`${JSON.stringify(row)}\n`);
      counts.episodes += 1;
      for (const turn of turnRows(row)) {
        await turns.write(turn);
        counts.turns += 1;
      }
    }
    await mirror.sync();
    await mirror.close();
    opened.pop();
    await turns.finish();
    opened.pop();
    await episodes.finish();
    opened.pop();
    return counts;
  } finally {
    await Promise.allSettled(opened.map((file) => file.abandon()));
  }
}

/** Numbers in a row, roughly: what it costs to hold. */
function weightOf(row: DatasetRow): number {
  const tokens =
    (row.input_ids?.length ?? 0) + (row.segments ?? []).reduce((sum, { input_ids }) => sum + input_ids.length, 0);
  const scores = row.turns.reduce((sum, { logp_factual }) => sum + (logp_factual?.length ?? 0), 0);
  const letters = row.messages.reduce((sum, { content }) => sum + content.length, 0);
  return 100 + 4 * tokens + 2 * scores + letters / 8;
}

async function writeText(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function describe(folder: string, path: string, rows: number | null): Promise<ManifestFile> {
  return { path, ...(await fingerprint(join(folder, path))), rows };
}

/** SHA-256 and length of a file, read in pieces. */
export async function fingerprint(path: string): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** An absent or empty folder may be filled and an earlier dataset replaced; anything else is somebody's and stays. */
async function refuseForeign(folder: string, name: string): Promise<void> {
  const entries = await listing(folder, name);
  if (entries === null || entries.length === 0) return;
  const owned = await filesOfDataset(folder);
  const foreign = owned === null ? entries[0] : entries.find((entry) => !owned.has(entry));
  if (foreign === undefined) return;
  throw new TurnwiseError(
    'usage',
    'folder_not_empty',
    `The folder ${name} holds something that is no part of a dataset (${foreign}); choose another folder or empty this one. Nothing was written.`,
  );
}

/** Every path below a folder; null where there is none. */
async function listing(folder: string, name: string): Promise<string[] | null> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .sort();
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw new TurnwiseError(
      'usage',
      'unusable_folder',
      `Cannot use ${name} as the folder of a dataset (${errorText(cause)}); choose another path.`,
      { cause },
    );
  }
}

async function filesOfDataset(folder: string): Promise<ReadonlySet<string> | null> {
  try {
    const parsed = manifestSchema.safeParse(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')));
    return parsed.success ? new Set(['manifest.json', ...parsed.data.files.map(({ path }) => path)]) : null;
  } catch {
    // No readable manifest: not ours.
    return null;
  }
}

async function takePlace(temporary: string, folder: string, name: string): Promise<void> {
  await refuseForeign(folder, name);
  const old = `${temporary}.old`;
  const replaced = (await listing(folder, name)) !== null;
  if (replaced) await rename(folder, old);
  try {
    await rename(temporary, folder);
  } catch (thrown) {
    if (replaced) await rename(old, folder);
    throw thrown;
  }
  if (replaced) await rm(old, { recursive: true, force: true });
}
