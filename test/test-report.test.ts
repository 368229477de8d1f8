import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { failedTests, withSecondTry } from '../scripts/test-report.mjs';

const file = (name: string, tests: Record<string, 'passed' | 'failed'>) => ({
  name: resolve(name),
  status: Object.values(tests).includes('failed') ? 'failed' : 'passed',
  assertionResults: Object.entries(tests).map(([fullName, status]) => ({
    fullName,
    status,
    failureMessages: status === 'failed' ? [`Error: ${fullName} broke`] : [],
  })),
});
const report = (...testResults: ReturnType<typeof file>[]) => ({
  numPassedTests: 0,
  numFailedTests: 0,
  success: testResults.every(({ status }) => status === 'passed'),
  testResults,
});

const first = report(
  file('chat.ts', { asks: 'passed' }),
  file('tree.ts', { opens: 'failed', sorts: 'passed' }),
  file('page.ts', { scrolls: 'failed' }),
);

test('what failed is named, a file that could not be loaded too', () => {
  const broken = { name: resolve('odd.ts'), status: 'failed', message: 'SyntaxError\n\n at 1', assertionResults: [] };
  expect(failedTests(report(...first.testResults, broken))).toEqual([
    { file: 'tree.ts', name: 'opens', message: 'Error: opens broke' },
    { file: 'page.ts', name: 'scrolls', message: 'Error: scrolls broke' },
    { file: 'odd.ts', name: 'the whole file', message: 'SyntaxError\n     at 1' },
  ]);
});

test('the second try stands for a file that ran again, and what passed only then is named', () => {
  const both = withSecondTry(
    first,
    report(file('tree.ts', { opens: 'passed', sorts: 'passed' }), file('page.ts', { scrolls: 'passed' })),
  );
  expect(both).toMatchObject({ numPassedTests: 4, numFailedTests: 0, success: true });
  expect(both.passedAtSecondTry).toEqual([
    'tree.ts: opens\n    Error: opens broke',
    'page.ts: scrolls\n    Error: scrolls broke',
  ]);
});

test('what fails twice has failed, and so has what passed only the first time', () => {
  const both = withSecondTry(
    first,
    report(file('tree.ts', { opens: 'passed', sorts: 'failed' }), file('page.ts', { scrolls: 'failed' })),
  );
  expect(both).toMatchObject({ numPassedTests: 2, numFailedTests: 2, success: false });
  expect(both.passedAtSecondTry).toEqual(['tree.ts: opens\n    Error: opens broke']);
});

test('a file that did not run again keeps its failure', () => {
  const both = withSecondTry(first, report(file('page.ts', { scrolls: 'passed' })));
  expect(both).toMatchObject({ numPassedTests: 3, numFailedTests: 1, success: false });
  expect(both.passedAtSecondTry).toEqual(['page.ts: scrolls\n    Error: scrolls broke']);
});
