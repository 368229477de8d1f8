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
    reporters: ['default', 'json'],
    outputFile: { json: 'test-results/browser.json' },
  },
});
