import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { SERVER_NAMES } from './recipes.ts';

/** Logs, figures, and what was prepared for the suites. */
export const RESULTS = resolve(import.meta.dirname, '../../test-results/servers');
const FILE = join(RESULTS, 'prepared.json');

const preparedSchema = z.object({
  weights: z.object({ gguf: z.string(), folder: z.string().nullable() }),
  /** Why there is no Hugging Face folder, hence no `transformers` to compare with. */
  noFolder: z.string().nullable(),
  /** A Python with torch and transformers, and the folder for it; null where there is none. */
  torch: z.object({ python: z.string(), folder: z.string() }).nullable(),
  environments: z.partialRecord(
    z.enum(SERVER_NAMES),
    z.union([z.object({ python: z.string() }), z.object({ missing: z.string() })]),
  ),
});
/** What this machine has of what the suites need; written before they start, read by each of them. */
export type Prepared = z.infer<typeof preparedSchema>;

export function writePrepared(prepared: Prepared): void {
  writeFileSync(FILE, JSON.stringify(prepared, null, 2));
}

export function readPrepared(): Prepared {
  return preparedSchema.parse(JSON.parse(readFileSync(FILE, 'utf8')));
}
