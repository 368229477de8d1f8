import { stripVTControlCharacters } from 'node:util';

/** How many tests passed, of how many. */
export interface TestCount {
  readonly passed: number;
  readonly total: number;
}

/** How test runners sum up, each with groups `passed`, `failed` or `total`; skipped tests count for nothing. */
const SUMMARIES: readonly ((output: string) => TestCount | null)[] = [
  // jest and vitest: "Tests:  1 failed, 3 passed, 4 total", "Tests  1 failed | 3 passed (4)"
  (output) => fromLine(/^\s*Tests:?\s+.*\b(?:passed|failed)\b.*$/gm.exec(output)?.[0]),
  // pytest: "=== 1 failed, 3 passed, 1 error in 0.1s ==="; with -q without the bars
  (output) =>
    fromLine([...output.matchAll(/^(?:=+ )?.*\b\d+ (?:passed|failed|errors?)\b.* in [\d.]+s.*$/gm)].at(-1)?.[0]),
  // cargo: one line for each crate
  (output) => sum([...output.matchAll(/^test result: .*$/gm)].flatMap(([line]) => fromLine(line) ?? [])),
  // mocha
  (output) => count(number(/^\s*(\d+) passing\b/m, output), number(/^\s*(\d+) failing\b/m, output)),
  // node:test and TAP
  (output) => count(number(/^(?:#|ℹ) pass (\d+)/m, output), number(/^(?:#|ℹ) fail (\d+)/m, output)),
  // unittest
  (output) => {
    const total = number(/^Ran (\d+) tests? in /m, output);
    const bad = /^FAILED \((.*)\)/m.exec(output)?.[1] ?? '';
    const failed = [...bad.matchAll(/(?:failures|errors)=(\d+)/g)].reduce((all, [, each]) => all + Number(each), 0);
    return total === null ? null : count(total - failed, failed);
  },
  // go
  (output) =>
    count([...output.matchAll(/^--- PASS: /gm)].length || null, [...output.matchAll(/^--- FAIL: /gm)].length || null),
];

/** Reads what a test runner says at its end; null where it is none that is known. */
export function countTests(output: string): TestCount | null {
  const plain = stripVTControlCharacters(output);
  for (const read of SUMMARIES) {
    const found = read(plain);
    if (found !== null) return found;
  }
  return null;
}

function fromLine(line: string | undefined): TestCount | null {
  if (line === undefined) return null;
  const of = (what: string): number | null => number(new RegExp(`(\\d+) ${what}`), line);
  const failed = (of('failed') ?? 0) + (of('errors?\\b') ?? 0);
  return count(of('passed'), failed === 0 ? null : failed);
}

function count(passed: number | null, failed: number | null): TestCount | null {
  const total = (passed ?? 0) + (failed ?? 0);
  return total === 0 ? null : { passed: passed ?? 0, total };
}

function sum(counts: readonly TestCount[]): TestCount | null {
  return count(
    counts.reduce((all, { passed }) => all + passed, 0),
    counts.reduce((all, { passed, total }) => all + total - passed, 0),
  );
}

function number(pattern: RegExp, text: string): number | null {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? null : Number(found);
}
