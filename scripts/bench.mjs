// npm run bench: everything that is measured, or the parts that are named: npm run bench -- activation --runs 20.
import { spawnSync } from 'node:child_process';

/** @type {Record<string, string>} */
const parts = {
  sizes: 'bench/sizes.ts',
  activation: 'bench/activation.ts',
  list: 'bench/episode-list.ts',
  chat: 'bench/chat.ts',
  yielding: 'bench/yielding.ts',
  scoring: 'dist/bench.js',
  queue: 'bench/gain-order.ts',
  review: 'bench/review.ts',
};
const given = process.argv.slice(2);
const named = given.filter((argument) => argument in parts);
const flags = given.filter((argument) => !(argument in parts));
const chosen = named.length > 0 ? named : Object.keys(parts);
const unknown = flags[0]?.startsWith('-') === false ? flags[0] : undefined;
if (unknown !== undefined || (flags.includes('--help') && named.length === 0)) {
  console.error(`Usage: npm run bench -- [${Object.keys(parts).join(' | ')}]... [--runs N] [--json]`);
  process.exit(unknown === undefined ? 0 : 2);
}
const failed = chosen.filter((name) => {
  const file = parts[name] ?? '';
  return spawnSync(process.execPath, [file, ...flags], { stdio: 'inherit' }).status !== 0;
});
for (const name of failed) console.error(`failed: ${name}`);
process.exitCode = failed.length > 0 ? 1 : 0;
