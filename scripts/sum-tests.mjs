// Usage: sum-tests.mjs FOLDER FAILED_STEPS. Adds up the reports that the test runners wrote into FOLDER, names what failed, and
// ends with one line "N passed, N failed". A step that failed without a failed test in any report (a type error, say) counts as one.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failedTests } from './test-report.mjs';

/** Measured, not counted. */
const FIGURES = 'servers.json';

const [folder = 'test-results', steps = '0'] = process.argv.slice(2);
const files = existsSync(folder)
  ? readdirSync(folder).filter((file) => file.endsWith('.json') && file !== FIGURES)
  : [];
let passed = 0;
let failed = 0;
let skipped = 0;
for (const file of files.sort()) {
  /** @type {import('./test-report.mjs').Report} */
  const report = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  console.log(`${file}: ${report.numPassedTests} passed, ${report.numFailedTests} failed`);
  for (const { file: where, name, message } of failedTests(report))
    console.log(`  failed: ${where}: ${name}\n    ${message}`);
  if (!report.success && failedTests(report).length === 0)
    console.log('  failed: the run itself; its reason stands above');
  for (const name of report.passedAtSecondTry ?? []) console.log(`  passed only at the second try: ${name}`);
  passed += report.numPassedTests;
  // A file that could not even be loaded has no failed test of its own.
  failed += Math.max(report.numFailedTests, report.success ? 0 : 1);
  skipped += report.numPendingTests ?? 0;
}
if (failed === 0) failed = Number(steps);
if (passed === 0 && failed === 0) {
  console.log('no test ran');
  failed = 1;
}
if (skipped > 0) console.log(`${skipped} skipped, each with its reason above`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
