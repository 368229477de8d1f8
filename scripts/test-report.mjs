// Reads the reports of the test runners: Vitest's JSON, and the same shape with `tests` from the suite inside VS Code.
import { relative } from 'node:path';

/**
 * @typedef {object} TestFile
 * @property {string} name absolute path
 * @property {string} status
 * @property {string} [message] why it could not be loaded
 * @property {{ fullName: string, status: string, failureMessages?: string[] }[]} assertionResults
 */
/**
 * @typedef {object} Report
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} [numPendingTests]
 * @property {boolean} success
 * @property {TestFile[]} [testResults] by Vitest
 * @property {{ title: string, state: string, error?: string }[]} [tests] by the suite inside VS Code
 * @property {string[]} [passedAtSecondTry]
 */

/** What failed, each with the first lines of its reason. @param {Report} report @returns {{ file: string, name: string, message: string }[]} */
export function failedTests(report) {
  const files = (report.testResults ?? []).filter(({ status }) => status === 'failed');
  return [
    ...files.flatMap(({ name: path, message, assertionResults }) => {
      const file = relative('.', path);
      const tests = assertionResults.filter(({ status }) => status === 'failed');
      if (tests.length === 0) return [{ file, name: 'the whole file', message: brief(message) }];
      return tests.map(({ fullName, failureMessages }) => ({
        file,
        name: fullName,
        message: brief(failureMessages?.[0]),
      }));
    }),
    ...(report.tests ?? [])
      .filter(({ state }) => state === 'fail')
      .map(({ title, error }) => ({ file: 'test/vscode/suite', name: title, message: brief(error) })),
  ];
}

/** What stands after failed files have run again: their second results instead of the first. @param {Report} first @param {Report} again @returns {Report} */
export function withSecondTry(first, again) {
  const second = new Map((again.testResults ?? []).map((file) => [file.name, file]));
  const testResults = (first.testResults ?? []).map((file) => second.get(file.name) ?? file);
  const count = (/** @type {string} */ status) =>
    testResults.flatMap(({ assertionResults }) => assertionResults).filter((test) => test.status === status).length;
  const failing = new Set(failedTests({ ...first, testResults }).map(({ file, name }) => `${file}: ${name}`));
  return {
    ...first,
    testResults,
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    success: again.success && testResults.every(({ status }) => status === 'passed'),
    passedAtSecondTry: failedTests(first)
      .map(({ file, name, message }) => ({ test: `${file}: ${name}`, message }))
      .filter(({ test }) => !failing.has(test))
      .map(({ test, message }) => `${test}\n    ${message}`),
  };
}

/** @param {string | undefined} message */
const brief = (message = 'no reason given') =>
  message
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, 6)
    .join('\n    ')
    .slice(0, 900);
