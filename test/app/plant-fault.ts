import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprint, writeDataset } from '../../src/app/dataset/dataset-folder.ts';
import { manifestSchema, type Manifest } from '../../src/core/dataset/manifest.ts';
import { datasetRowSchema, type DatasetRow } from '../../src/core/dataset/schema.ts';

/** A dataset in memory, to be spoilt. */
export interface Dataset {
  readonly rows: DatasetRow[];
  manifest: Manifest;
}

export function readDataset(folder: string): Dataset {
  const lines = readFileSync(join(folder, 'episodes/train.jsonl'), 'utf8').trimEnd().split('\n');
  return { rows: lines.map((line) => datasetRowSchema.parse(JSON.parse(line))), manifest: readManifest(folder) };
}

export function readManifest(folder: string): Manifest {
  return manifestSchema.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
}

/** Writes rows as they are, with files, counts and hashes that fit them: only their meaning is wrong. */
export async function writeSpoilt(folder: string, { rows, manifest }: Dataset): Promise<void> {
  await writeDataset(folder, { manifest, rows: () => rows, redaction: {} });
}

/** Makes the manifest agree with files that were changed on the disk. */
export async function sign(folder: string): Promise<void> {
  const manifest = readManifest(folder);
  const files: Manifest['files'] = [];
  for (const file of manifest.files) files.push({ ...file, ...(await fingerprint(join(folder, file.path))) });
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, files }));
}
