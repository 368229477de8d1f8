import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { z } from 'zod';
import { errorText, inputError, TurnwiseError } from '../core/error.ts';

/** A value and the 1-based line it came from, for messages that name file and line. */
export interface Located<T> {
  readonly line: number;
  readonly value: T;
}

/** Reads a JSONL file and validates each line; blank lines are skipped. Errors name file, line and field. */
export async function readJsonl<T>(file: string, schema: z.ZodType<T>): Promise<Located<T>[]> {
  const text = await readText(file);
  return text.split('\n').flatMap((raw, index) => {
    if (raw.trim() === '') return [];
    const line = index + 1;
    let json: unknown;
    try {
      json = JSON.parse(raw);
    } catch (cause) {
      throw inputError(
        'malformed_json',
        file,
        line,
        `not valid JSON (${errorText(cause)}); each line must be one object.`,
      );
    }
    const parsed = schema.safeParse(json);
    if (parsed.success) return [{ line, value: parsed.data }];
    const issue = parsed.error.issues[0];
    const path = issue?.path.join('.') ?? '';
    throw inputError('invalid_row', file, line, `${path === '' ? 'row' : path}: ${issue?.message ?? 'invalid'}.`);
  });
}

/** Reads a text file, with a sentence that says what to do when it cannot. */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new TurnwiseError('input', 'unreadable_file', `Cannot read ${file} (${errorText(cause)}); check the path.`, {
      cause,
    });
  }
}

/** Writes a whole file or nothing: a temporary file beside it, flushed, then renamed over the target. */
export async function writeAtomically(file: string, chunks: Iterable<string> | AsyncIterable<string>): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.${randomUUID()}.tmp`);
  try {
    const handle = await open(temporary, 'wx');
    try {
      for await (const chunk of chunks) await handle.write(chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true });
    if (cause instanceof TurnwiseError) throw cause;
    throw new TurnwiseError(
      'environment',
      'unwritable_file',
      `Cannot write ${file} (${errorText(cause)}); check the folder, its permissions and the free disk space. Nothing was left half-written.`,
      { cause },
    );
  }
}
