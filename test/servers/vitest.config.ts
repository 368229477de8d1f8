import { defineConfig } from 'vitest/config';

// SERVER_URL: the contract against a server that runs already, instead of those that are started here.
const live = process.env['SERVER_URL'] !== undefined;

export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: [live ? 'test/servers/url.servers.ts' : 'test/servers/!(url).servers.ts'],
    // A server is three processes that load PyTorch; two cores carry one of them.
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    reporters: ['default', 'json'],
    outputFile: { json: 'test-results/vitest-servers.json' },
  },
});
