import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { RESULTS } from './prepared.ts';
import { SERVER_NAMES, type ServerName } from './recipes.ts';

const figureSchema = z.object({
  /** What was measured, in words. */
  what: z.string(),
  value: z.union([z.number(), z.string()]),
  unit: z.string(),
  /** What it has to keep to, where it has to. */
  limit: z.string().nullable(),
});
export type Figure = z.infer<typeof figureSchema>;

/** What one suite measured, kept in a file at once: a suite that fails later has still measured it. */
export function openFigures(name: ServerName): {
  add(what: string, value: number | string, unit?: string, limit?: string): void;
} {
  const figures: Figure[] = [];
  return {
    add(what, value, unit = '', limit) {
      figures.push({ what, value, unit, limit: limit ?? null });
      writeFileSync(fileOf(name), JSON.stringify(figures, null, 2));
    },
  };
}

/** Figures of every suite that ran. */
export function collectFigures(): Partial<Record<ServerName, Figure[]>> {
  const ran = SERVER_NAMES.filter((name) => existsSync(fileOf(name)));
  return Object.fromEntries(
    ran.map((name) => [name, z.array(figureSchema).parse(JSON.parse(readFileSync(fileOf(name), 'utf8')))]),
  );
}

function fileOf(name: ServerName): string {
  return join(RESULTS, `figures-${name}.json`);
}
