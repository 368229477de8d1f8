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
  seconds: number,
): void {
  const lines: string[] = [
    '',
    "Real servers on this CPU, serving the toy's very weights (no stand-ins, no protocol servers):",
  ];
  for (const name of SERVER_NAMES) {
    const environment = environments[name];
    if (environment === undefined) continue;
    const { title, version } = RECIPES[name];
    lines.push('', `${title} ${version}${'missing' in environment ? `: NOT TESTED. ${environment.missing}` : ''}`);
    const rows = figures[name] ?? [];
    const width = Math.max(0, ...rows.map(({ what }) => what.length));
    for (const { what, value, unit, limit } of rows) {
      const shown = `${shownAs(value)}${unit === '' ? '' : ` ${unit}`}`;
      lines.push(`  ${what.padEnd(width)}  ${shown}${limit === null ? '' : `   (${limit})`}`);
    }
  }
  const ran = SERVER_NAMES.filter((name) => (figures[name]?.length ?? 0) > 0).length;
  const asked = SERVER_NAMES.filter((name) => environments[name] !== undefined).length;
  lines.push(
    '',
    `${ran} of ${asked} real servers tested in ${seconds.toFixed(0)} s; the figures are in test-results/servers.json`,
  );
  console.log(lines.join('\n'));
  const servers = SERVER_NAMES.flatMap((name) => {
    const environment = environments[name];
    if (environment === undefined) return [];
    const { title, version } = RECIPES[name];
    const missing = 'missing' in environment ? environment.missing : null;
    return [{ name, title, version, missing, figures: figures[name] ?? [] }];
  });
  writeFileSync(FILE, JSON.stringify({ seconds: Math.round(seconds), servers }, null, 2));
}

function shownAs(value: number | string): string {
  if (typeof value === 'string') return value;
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) < 0.01 ? value.toExponential(1) : value.toFixed(3);
}
