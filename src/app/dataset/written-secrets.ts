import { join } from 'node:path';
import type { Manifest } from '../../core/dataset/manifest.ts';
import { TurnwiseError } from '../../core/error.ts';
import type { KnownValue } from '../../core/secrets/find.ts';
import { findSecrets } from '../secret-scan.ts';
import { readLines } from './read-lines.ts';
import { openParquet } from './read-parquet.ts';

/** A text of a written file, and where it stands. */
interface WrittenText {
  readonly place: string;
  readonly text: string;
}

/** Scans everything that was written once more, as it will be read; throws `secret_in_output` and names rule and place. */
export async function refuseWrittenSecrets(
  folder: string,
  manifest: Manifest,
  known: readonly KnownValue[] = [],
): Promise<void> {
  // A user may be called as a column is: in the words of the format only values that cannot be words are looked for.
  const wordless = known.filter(({ whole }) => !whole);
  for (const path of [...manifest.files.map((file) => file.path), 'manifest.json']) {
    const hit = path.endsWith('.parquet')
      ? await firstSecret(parquetTexts(folder, path), known)
      : await firstSecret(lines(folder, path), wordless);
    if (hit === null) continue;
    throw new TurnwiseError(
      'input',
      'secret_in_output',
      `The rule ${hit.rules.join(', ')} found a secret in what was about to be written (${hit.place}); take the episode out, then export again. Nothing was left behind.`,
    );
  }
}

/** Columns that hold hashes of ours or of a repository: hex digits in them are no keys. */
const HASHES = /^(?:person|batch_id|(?:\w+_)?(?:sha|sha256|revision))$/;

function isHash(key: string, value: unknown): boolean {
  return HASHES.test(key) && typeof value === 'string' && /^[0-9a-f]+$/.test(value);
}

/** All strings of a row that may hold words, in order. */
export function rowStrings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  // Token and number lists are long and hold no text.
  if (Array.isArray(value) && typeof value[0] === 'number') return [];
  return Object.entries(value).flatMap(([key, one]) => (isHash(key, one) ? [] : rowStrings(one)));
}

/** Letters that are scanned in one go: a scan has a fixed cost. */
const CHUNK = 1 << 16;

/** The first text with a secret in it; null where none has. */
export async function firstSecret(
  texts: AsyncIterable<WrittenText>,
  known: readonly KnownValue[] = [],
): Promise<{ readonly place: string; readonly rules: readonly string[] } | null> {
  let pending: WrittenText[] = [];
  let size = 0;
  const look = async (): Promise<{ place: string; rules: string[] } | null> => {
    const chunk = pending;
    pending = [];
    size = 0;
    if ((await findSecrets(chunk.map(({ text }) => text).join('\n'), known)).length === 0) return null;
    for (const { place, text } of chunk) {
      const rules = await findSecrets(text, known);
      if (rules.length > 0) return { place, rules };
    }
    return null;
  };
  for await (const written of texts) {
    pending.push(written);
    size += written.text.length;
    const hit = size >= CHUNK ? await look() : null;
    if (hit !== null) return hit;
  }
  return look();
}

async function* lines(folder: string, path: string): AsyncGenerator<WrittenText> {
  let line = 0;
  for await (const text of readLines(join(folder, path))) {
    line += 1;
    const whole = path.endsWith('.jsonl') ? rowStrings(JSON.parse(text)).join('\n') : text;
    yield { place: `${path}, line ${line}`, text: whole };
  }
}

async function* parquetTexts(folder: string, path: string): AsyncGenerator<WrittenText> {
  let row = 0;
  for await (const value of (await openParquet(join(folder, path))).rows()) {
    yield { place: `${path}, row ${row}`, text: rowStrings(value).join('\n') };
    row += 1;
  }
}
