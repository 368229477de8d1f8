// npm test: every suite there is, one after the other, also when one fails. With arguments: the unit tests alone, filtered by them.
// Each runner writes its report into test-results/.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { failedTests, withSecondTry } from './test-report.mjs';

/** @typedef {{ title: string, run: () => boolean }} Suite */

const BROWSER = ['run', '--config', 'test/vscode/browser/vitest.config.ts'];
const BROWSER_REPORT = 'test-results/browser.json';
const SECOND_REPORT = 'test-results/second-try.json';

const filters = process.argv.slice(2);
/** @type {Suite} */
const unit = { title: 'unit tests', run: () => ran('vitest', ['run', ...filters]) };
/** @type {Suite[]} */
const inEditor = [
  { title: 'in VS Code, newest', run: () => ran('node', ['test/vscode/run-suite.mjs', 'server']) },
  {
    title: 'in VS Code, oldest supported',
    run: () => ran('node', ['test/vscode/run-suite.mjs', 'server'], { VSCODE_HOST: 'min' }),
  },
  { title: 'in a browser', run: () => ran('vitest', BROWSER) || browserAgain() },
];

const failed = (filters.length > 0 ? [unit] : [unit, ...inEditor]).filter(({ title, run }) => {
  console.log(`\n== ${title}`);
  return !run();
});
for (const { title } of failed) console.error(`failed: ${title}`);
process.exitCode = failed.length > 0 ? 1 : 0;

/** @param {string} command @param {string[]} args @param {Record<string, string>} [env] */
function ran(command, args, env = {}) {
  return spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } }).status === 0;
}

/**
 * A whole editor, a browser and a model run under each of these tests, on a machine that may stall for seconds. A file that failed
 * therefore runs once more, in an editor of its own; what passes only then is named in the report and by the sum.
 */
function browserAgain() {
  const first = reportAt(BROWSER_REPORT);
  const files = [
    ...new Set(failedTests(first ?? { numPassedTests: 0, numFailedTests: 0, success: false }).map(({ file }) => file)),
  ];
  if (first === null || files.length === 0) return false;
  console.log(`\n== in a browser, a second try: ${files.join(', ')}`);
  rmSync(SECOND_REPORT, { force: true });
  ran('vitest', [...BROWSER, `--outputFile.json=${SECOND_REPORT}`, ...files]);
  const again = reportAt(SECOND_REPORT);
  rmSync(SECOND_REPORT, { force: true });
  if (again === null) return false;
  const report = withSecondTry(first, again);
  writeFileSync(BROWSER_REPORT, JSON.stringify(report));
  return report.success;
}

/** @param {string} path @returns {import('./test-report.mjs').Report | null} null where a runner ended without a report */
function reportAt(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}
