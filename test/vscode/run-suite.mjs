// Runs the mocha suite inside a real extension host.
//   run-suite.mjs server    in the VS Code server that VSCODE_HOST names ("latest" or "min")
//   run-suite.mjs desktop   in desktop VS Code: VSCODE_EXECUTABLE, or VSCODE_VERSION ("stable") where it can be downloaded;
//                           VSCODE_EXECUTABLE=$PWD/test/host/code-shim.mjs takes the same way with the VS Code server
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { downloadAndUnzipVSCode, runTests } from '@vscode/test-electron';
import { build } from 'esbuild';
import { cacheRoot, root } from '../host/cache.mjs';
import { chosenBuild } from '../host/server-install.mjs';

const where = process.argv[2] === 'desktop' ? 'desktop' : 'server';
const name = where === 'desktop' ? 'desktop' : `integration-${chosenBuild()}`;
const results = join(root, 'test-results');
const reportFile = join(results, `${name}.json`);
mkdirSync(results, { recursive: true });
rmSync(reportFile, { force: true });

const executable = where === 'desktop' ? await desktopExecutable() : join(root, 'test/host/code-shim.mjs');
if (executable !== null) process.exitCode = (await runSuiteIn(executable)) ? 0 : 1;

/** @param {string} vscodeExecutablePath @returns {Promise<boolean>} whether every test passed */
async function runSuiteIn(vscodeExecutablePath) {
  const tests = join(cacheRoot, 'suite/run.cjs');
  await build({
    entryPoints: [join(root, 'test/vscode/suite/run.ts')],
    outfile: tests,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    sourcemap: 'inline',
    external: ['vscode', 'mocha'],
    logLevel: 'warning',
  });
  const folder = await mkdtemp(join(tmpdir(), 'turnwise-suite-'));
  await cp(join(root, 'sample'), folder, { recursive: true });
  let problem = '';
  try {
    await runTests({
      vscodeExecutablePath,
      extensionDevelopmentPath: root,
      extensionTestsPath: tests,
      extensionTestsEnv: {
        TURNWISE_TEST_REPORT: reportFile,
        TURNWISE_TEST_SHOT: join(results, `${name}-failure.png`),
      },
      launchArgs: [
        folder,
        '--disable-extensions',
        '--disable-workspace-trust',
        '--skip-welcome',
        '--skip-release-notes',
      ],
    });
  } catch (error) {
    problem = String(error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return summarize(problem);
}

/** Prints the suite's report; one that is missing, or that an early end contradicts, becomes a failed one. @param {string} problem */
function summarize(problem) {
  /** @type {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, success: boolean, tests: { title: string, state: string, milliseconds: number | null, error?: string }[] }} */
  let report = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, success: false, tests: [] };
  try {
    report = JSON.parse(readFileSync(reportFile, 'utf8'));
  } catch {
    problem ||= 'The suite ended without a report.';
  }
  for (const { title, state, milliseconds, error } of report.tests) {
    console.log(`  ${state === 'pass' ? '✓' : state === 'fail' ? '✗' : '-'} ${title} (${milliseconds ?? 0} ms)`);
    if (error !== undefined) console.log(error);
  }
  if (problem) console.error(problem);
  if (problem) report = { ...report, success: false };
  writeFileSync(reportFile, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`${name}: ${report.numPassedTests} passed, ${report.numFailedTests} failed`);
  return report.success;
}

/** @returns {Promise<string | null>} null, with the reason printed, where there is no desktop VS Code to be had */
async function desktopExecutable() {
  const given = process.env['VSCODE_EXECUTABLE'];
  if (given) return given;
  const version = process.env['VSCODE_VERSION'] ?? 'stable';
  try {
    return await downloadAndUnzipVSCode({ version, cachePath: cacheRoot });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(
      `Desktop VS Code ${version} could not be downloaded (${reason}), so no test ran. ` +
        'Set VSCODE_EXECUTABLE to an installed one, or run "npm run test:vscode", which needs none.',
    );
    process.exitCode = 3;
    return null;
  }
}
