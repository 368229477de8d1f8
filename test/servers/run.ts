// npm run test:servers: brings up the real servers one after the other and runs the suites against them. Arguments filter the
// suites by file name (`-- vllm`). SERVERS=required: a server that cannot be had is a failure. SERVER_URL,
// SERVER_KIND and more: see url.servers.ts.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { collectFigures } from './figures.ts';
import { prepare } from './prepare.ts';
import { RESULTS } from './prepared.ts';
import { SERVER_NAMES } from './recipes.ts';
import { printReport } from './report.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const filters = process.argv.slice(2);
const started = Date.now();
// A server that runs already needs nothing from here.
const live = process.env['SERVER_URL'] !== undefined;
const wanted = SERVER_NAMES.filter(
  (name) => filters.length === 0 || filters.some((filter) => filter.includes(name) || name.includes(filter)),
);

// What an earlier run measured is not what this one did.
rmSync(RESULTS, { recursive: true, force: true });
const say = (line: string): void => {
  console.log(line);
};
const prepared = live ? null : await prepare(wanted, say);
const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
const suites = spawn(process.execPath, [vitest, 'run', '--config', 'test/servers/vitest.config.ts', ...filters], {
  cwd: ROOT,
  stdio: 'inherit',
});
// Ctrl-C reaches vitest as well; wait for it, so that the servers are gone when this process is.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => {
  suites.kill('SIGTERM');
});
const code = await new Promise<number>((done) => {
  suites.on('exit', (status) => {
    done(status ?? 1);
  });
});
if (prepared) printReport(collectFigures(), prepared, { seconds: (Date.now() - started) / 1000, ok: code === 0 });
process.exitCode = code;
