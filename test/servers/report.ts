import { writeFileSync } from 'node:fs';
import { join, dirname } from 'node:path';
import type { Figure } from './figures.ts';
import { RESULTS, type Prepared } from './prepared.ts';
import { RECIPES, SERVER_NAMES, type ServerName } from './recipes.ts';

const FILE = join(dirname(RESULTS), 'servers.json');

/** Prints what was measured on which real server, one block each, and writes it all to `test-results/servers.json`. */
export function printReport(
  figures: Partial<Record<ServerName, Figure[]>>,
  { environments }: Prepared,
  { seconds, ok }: { readonly seconds: number; readonly ok: boolean },
): void {
  const lines: string[] = ['', "The real servers themselves, on this CPU, serving the toy's very weights:"];
  for (const name of SERVER_NAMES) {
    const environment = environments[name];
    if (environment === undefined) continue;
    const { title, version, note } = RECIPES[name];
    lines.push('', `${title} ${version}${'missing' in environment ? `: NOT TESTED. ${environment.missing}` : ''}`);
    if ('python' in environment) lines.push(`  (${note})`);
    const rows = figures[name] ?? [];
    const width = Math.max(0, ...rows.map(({ what }) => what.length));
    for (const { what, value, unit, limit } of rows) {
      const shown = `${shownAs(value)}${unit === '' ? '' : ` ${unit}`}`;
      lines.push(`  ${what.padEnd(width)}  ${shown}${limit === null ? '' : `   (${limit})`}`);
    }
  }
  const ran = SERVER_NAMES.filter((name) => (figures[name]?.length ?? 0) > 0).length;
  const asked = SERVER_NAMES.filter((name) => environments[name] !== undefined).length;
  const outcome = ok ? 'nothing failed' : 'SOMETHING FAILED OR WAS INTERRUPTED, see above';
  const where = 'figures in test-results/servers.json';
  lines.push('', `${ran} of ${asked} real servers tested in ${seconds.toFixed(0)} s, ${outcome}; ${where}`);
  console.log(lines.join('\n'));
  const servers = SERVER_NAMES.flatMap((name) => {
    const environment = environments[name];
    if (environment === undefined) return [];
    const { title, version, note } = RECIPES[name];
    const missing = 'missing' in environment ? environment.missing : null;
    return [{ name, title, version, note, missing, figures: figures[name] ?? [] }];
  });
  writeFileSync(FILE, JSON.stringify({ ok, seconds: Math.round(seconds), servers }, null, 2));
}

function shownAs(value: number | string): string {
  if (typeof value === 'string') return value;
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) < 0.01 ? value.toExponential(1) : value.toFixed(3);
}
