import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

/**
 * VS Code calls this inside its extension host, on desktop and on the server alike. Writes the report that
 * TURNWISE_TEST_REPORT names and throws when a test failed.
 */
export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'bdd', color: false, timeout: 60_000 });
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  // Only now, because they register their tests when they load.
  // First, before the product opens: the documents of proposals have one keeper in a window.
  await import('./proposals.ts');
  await import('./activation.ts');
  await import('./conversation.ts');

  const tests: { title: string; state: string; milliseconds: number | null; error?: string }[] = [];
  await new Promise<void>((ended) => {
    const runner = mocha.run(() => {
      ended();
    });
    for (const state of ['pass', 'pending'] as const) {
      runner.on(state, (test: Mocha.Test) =>
        tests.push({ title: test.fullTitle(), state, milliseconds: test.duration ?? null }),
      );
    }
    runner.on('fail', (test: Mocha.Test, error: unknown) => {
      const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
      tests.push({ title: test.fullTitle(), state: 'fail', milliseconds: test.duration ?? null, error: said });
    });
  });

  const count = (state: string) => tests.filter((test) => test.state === state).length;
  const report = {
    numPassedTests: count('pass'),
    numFailedTests: count('fail'),
    numPendingTests: count('pending'),
    success: count('pass') > 0 && count('fail') === 0,
    tests,
  };
  const file = process.env['TURNWISE_TEST_REPORT'];
  if (file) writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  if (!report.success) throw new Error(`${report.numFailedTests} tests failed, ${report.numPassedTests} passed.`);
}
