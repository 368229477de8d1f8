import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('../../..', import.meta.url).pathname,
    include: ['test/vscode/browser/*.browser.ts'],
    globalSetup: ['test/vscode/browser/package-once.ts'],
    testTimeout: 300_000,
    hookTimeout: 180_000,
    // Each test has an editor, a browser and a model of its own; two cores carry one of them.
    fileParallelism: false,
    // The default is a second, which an editor on a busy machine may need for anything.
    expect: { poll: { timeout: 60_000, interval: 100 } },
    reporters: ['default', 'json'],
    outputFile: { json: 'test-results/browser.json' },
  },
});
