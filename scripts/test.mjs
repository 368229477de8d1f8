// npm test: every suite there is, one after the other, also when one fails. With arguments: the unit tests alone, filtered by them.
// Each runner writes its report into test-results/.
import { spawnSync } from 'node:child_process';

/** @typedef {{ title: string, command: string, args: string[], env?: Record<string, string> }} Suite */

const filters = process.argv.slice(2);
/** @type {Suite} */
const unit = { title: 'unit tests', command: 'vitest', args: ['run', ...filters] };
/** @type {Suite[]} */
const inEditor = [
  { title: 'in VS Code, newest', command: 'node', args: ['test/vscode/run-suite.mjs', 'server'] },
  {
    title: 'in VS Code, oldest supported',
    command: 'node',
    args: ['test/vscode/run-suite.mjs', 'server'],
    env: { VSCODE_HOST: 'min' },
  },
  {
    title: 'in a browser',
    command: 'vitest',
    args: ['run', '--config', 'test/vscode/browser/vitest.config.ts'],
  },
];

const failed = (filters.length > 0 ? [unit] : [unit, ...inEditor]).filter(({ title, command, args, env }) => {
  console.log(`\n== ${title}`);
  return spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } }).status !== 0;
});
for (const { title } of failed) console.error(`failed: ${title}`);
process.exitCode = failed.length > 0 ? 1 : 0;
