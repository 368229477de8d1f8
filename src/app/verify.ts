import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SchemaElement } from 'hyparquet';
import type { z } from 'zod';
import { batchRow, checkBatch, type BatchRow } from '../core/dataset/check-batch.ts';
import { checkRow, parseRow } from '../core/dataset/check-row.ts';
import { manifestSchema, splitFiles, type Manifest } from '../core/dataset/manifest.ts';
import { datasetRowSchema, turnRowSchema, type DatasetRow } from '../core/dataset/schema.ts';
import { turnRows } from '../core/dataset/turn-rows.ts';
import { firstDifference, type Violation } from '../core/dataset/violation.ts';
import { errorText, TurnwiseError } from '../core/error.ts';
import { fingerprint } from './dataset/dataset-folder.ts';
import { parquetSchema } from './dataset/parquet-schema.ts';
import { readLines } from './dataset/read-lines.ts';
import { openParquet, type ParquetSource } from './dataset/read-parquet.ts';
import { rowStrings } from './dataset/written-secrets.ts';
import { findSecrets } from './secret-scan.ts';

export interface VerifyReport {
  readonly ok: boolean;
  readonly rows: number;
  readonly batches: number;
  readonly violations: readonly Violation[];
}

/** More violations than this help nobody; the rest are counted in one last entry. */
const MOST_VIOLATIONS = 1000;

/**
 * Checks a dataset folder against itself: bytes against the manifest, columns against the schema, the mirror and the derived
 * turns against the rows, every row against the invariants, and each batch's statistics and advantages computed again from its
 * rows. Needs nothing but the folder. Throws `no_dataset` where there is none.
 */
export async function verifyDataset(folder: string): Promise<VerifyReport> {
  const violations = newReport();
  const manifest = await readManifest(folder, violations);
  if (manifest === null) return { ok: false, rows: 0, batches: 0, violations: violations.all() };
  await checkBytes(folder, manifest, violations);
  let rows = 0;
  let batches = 0;
  for (const split of manifest.splits) {
    const seen = await checkSplit(folder, manifest, split, violations);
    rows += seen.rows;
    batches += seen.batches;
  }
  const all = violations.all();
  return { ok: all.length === 0, rows, batches, violations: all };
}

interface Report {
  add(violation: Violation): void;
  all(): Violation[];
}

function newReport(): Report {
  const kept: Violation[] = [];
  let more = 0;
  return {
    add: (violation) => {
      if (kept.length < MOST_VIOLATIONS) kept.push(violation);
      else more += 1;
    },
    all: () =>
      more === 0
        ? kept
        : [...kept, whole('', 'violations', MOST_VIOLATIONS, MOST_VIOLATIONS + more, 'only the first are listed')],
  };
}

function whole(file: string, column: string, expected: unknown, found: unknown, invariant: string): Violation {
  return { file, row: null, column, expected, found, invariant };
}

async function readManifest(folder: string, report: Report): Promise<Manifest | null> {
  const path = join(folder, 'manifest.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new TurnwiseError(
      'input',
      'no_dataset',
      `There is no dataset in ${folder} (${errorText(cause)}); give the folder that turnwise export wrote.`,
      { cause },
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    report.add(whole('manifest.json', '', 'JSON', errorText(cause), 'the manifest can be read'));
    return null;
  }
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  for (const { path: at, message } of parsed.error.issues) {
    report.add(whole('manifest.json', at.join('.'), message, null, 'schema'));
  }
  return null;
}

/** The folder holds the files of the manifest and nothing else, byte for byte. */
async function checkBytes(folder: string, { files, splits }: Manifest, report: Report): Promise<void> {
  const listed = new Set(files.map(({ path }) => path));
  const needed = ['README.md', 'redaction.json', ...splits.flatMap(({ split }) => Object.values(splitFiles(split)))];
  for (const path of needed) {
    if (!listed.has(path)) report.add(whole('manifest.json', 'files', path, null, 'every file is listed'));
  }
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name).slice(join(folder, '/').length);
    if (entry.isDirectory() || path === 'manifest.json' || listed.has(path)) continue;
    report.add(whole(path, '', 'no such file', 'a file', 'every file is listed'));
  }
  for (const { path, sha256, bytes } of files) {
    try {
      const found = await fingerprint(join(folder, path));
      if (found.bytes !== bytes) report.add(whole(path, 'bytes', bytes, found.bytes, 'bytes as in the manifest'));
      if (found.sha256 !== sha256) report.add(whole(path, 'sha256', sha256, found.sha256, 'bytes as in the manifest'));
      if (path.endsWith('.parquet') || path.endsWith('.jsonl')) continue;
      const secrets = await findSecrets(await readFile(join(folder, path), 'utf8'));
      for (const rule of secrets) report.add(whole(path, '', null, rule, 'no secret in any written byte'));
    } catch (thrown) {
      report.add(whole(path, '', 'a file', errorText(thrown), 'the file can be read'));
    }
  }
}

async function checkSplit(
  folder: string,
  manifest: Manifest,
  split: Manifest['splits'][number],
  report: Report,
): Promise<{ readonly rows: number; readonly batches: number }> {
  const paths = splitFiles(split.split);
  const counts = { episodes: 0, turns: 0, unscored: 0 };
  const batch: BatchRow[] = [];
  try {
    const episodes = await openParquet(join(folder, paths.episodes));
    const turns = await openParquet(join(folder, paths.turns));
    checkColumns(paths.episodes, episodes, datasetRowSchema, report);
    checkColumns(paths.turns, turns, turnRowSchema, report);
    const mirror = mirrorRows(join(folder, paths.mirror));
    const flat = turns.rows();
    let before: string | null = null;
    for await (const value of episodes.rows()) {
      const position = counts.episodes;
      counts.episodes += 1;
      const place = { file: paths.episodes, row: position };
      compareWith(await mirror.next(), value, { file: paths.mirror, row: position }, report);
      const { row, breaches } = parseRow(value);
      for (const breach of breaches) report.add({ ...breach, ...place });
      if (row === null) continue;
      for (const breach of checkRow(row)) report.add({ ...breach, ...place });
      checkPlace(row, split.split, position, before, place, report);
      before = row.episode_id;
      for (const violation of await secretsIn(row, place)) report.add(violation);
      const numbers = batchRow(row, paths.episodes, position);
      if (numbers === null) counts.unscored += 1;
      else batch.push(numbers);
      for (const expected of turnRows(row)) {
        compareWith(await flat.next(), expected, { file: paths.turns, row: counts.turns }, report);
        counts.turns += 1;
      }
    }
    await refuseMore(mirror, paths.mirror, counts.episodes, report);
    await refuseMore(flat, paths.turns, counts.turns, report);
    for (const breach of checkBatch(batch)) report.add(breach);
  } catch (thrown) {
    report.add(whole(paths.episodes, '', 'rows', errorText(thrown), 'the files can be read'));
  }
  checkManifest(manifest, split, counts, batch, report);
  return { rows: counts.episodes, batches: batch.length > 0 ? 1 : 0 };
}

function checkManifest(
  manifest: Manifest,
  split: Manifest['splits'][number],
  counts: { readonly episodes: number; readonly turns: number; readonly unscored: number },
  batch: readonly BatchRow[],
  report: Report,
): void {
  const same = (column: string, expected: unknown, found: unknown): void => {
    if (expected === found) return;
    report.add(whole('manifest.json', column, expected, found, 'the manifest says what the files hold'));
  };
  const at = `splits.${split.split}`;
  const paths = splitFiles(split.split);
  same(`${at}.rows`, counts.episodes, split.rows);
  same(`${at}.turns`, counts.turns, split.turns);
  same(`${at}.batch_n`, batch.length, split.batch_n);
  same(`${at}.batch_id`, batch[0]?.fusion.batch_id ?? null, split.batch_id);
  if (manifest.splits.length === 1) same('unscored', counts.unscored, manifest.unscored);
  const rowsOf = new Map(manifest.files.map(({ path, rows }) => [path, rows]));
  same(`files.${paths.episodes}.rows`, counts.episodes, rowsOf.get(paths.episodes));
  same(`files.${paths.mirror}.rows`, counts.episodes, rowsOf.get(paths.mirror));
  same(`files.${paths.turns}.rows`, counts.turns, rowsOf.get(paths.turns));
}

function checkColumns(file: string, { schema }: ParquetSource, expected: z.ZodObject, report: Report): void {
  const wanted = parquetSchema(expected).map(columnText);
  const found = schema.map(columnText);
  const at = wanted.findIndex((text, position) => text !== found[position]);
  if (at < 0 && found.length === wanted.length) return;
  const position = at < 0 ? wanted.length : at;
  const name = schema[position]?.name ?? '';
  report.add(
    whole(file, name, wanted[position] ?? 'no more columns', found[position] ?? null, 'columns as in the schema'),
  );
}

function columnText({ name, type, converted_type, repetition_type, num_children }: SchemaElement): string {
  return [name, type ?? 'group', converted_type ?? '', repetition_type ?? '', num_children ?? ''].join(' ');
}

function checkPlace(
  row: DatasetRow,
  split: string,
  position: number,
  before: string | null,
  place: { readonly file: string; readonly row: number },
  report: Report,
): void {
  const { episode_id, extra_info } = row;
  if (before !== null && before >= episode_id) {
    const invariant = 'rows are sorted by episode_id, each once';
    report.add({ ...place, column: 'episode_id', expected: `after ${before}`, found: episode_id, invariant });
  }
  if (extra_info.index !== position) {
    const invariant = 'index is the position in the split';
    report.add({ ...place, column: 'extra_info.index', expected: position, found: extra_info.index, invariant });
  }
  if (extra_info.split !== split) {
    const invariant = 'a row stands in the file of its split';
    report.add({ ...place, column: 'extra_info.split', expected: split, found: extra_info.split, invariant });
  }
}

async function secretsIn(
  row: DatasetRow,
  place: { readonly file: string; readonly row: number },
): Promise<Violation[]> {
  if ((await findSecrets(rowStrings(row).join('\n'))).length === 0) return [];
  const found: Violation[] = [];
  const invariant = 'no secret in any written byte';
  for (const [column, value] of Object.entries(row)) {
    const rules = await findSecrets(rowStrings(value).join('\n'));
    for (const rule of rules) found.push({ ...place, column, expected: null, found: rule, invariant });
  }
  return found;
}

function compareWith(
  next: IteratorResult<unknown, unknown>,
  expected: unknown,
  place: { readonly file: string; readonly row: number },
  report: Report,
): void {
  const invariant = 'the same rows as the episodes';
  if (next.done === true) {
    report.add({ ...place, column: '', expected: 'a row', found: null, invariant });
    return;
  }
  const difference = firstDifference(expected, next.value);
  if (difference === null) return;
  report.add({ ...place, column: difference.path, expected: difference.expected, found: difference.found, invariant });
}

async function refuseMore(rows: AsyncGenerator, file: string, row: number, report: Report): Promise<void> {
  const next = await rows.next();
  if (next.done === true) return;
  report.add({ file, row, column: '', expected: null, found: 'a row', invariant: 'the same rows as the episodes' });
}

async function* mirrorRows(path: string): AsyncGenerator {
  for await (const line of readLines(path)) yield JSON.parse(line);
}
