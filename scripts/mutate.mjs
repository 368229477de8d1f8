// npm run mutate: takes out one check of a model client at a time, in a copy of the sources, and runs the test that must notice.
// Arguments filter the list (`-- sglang`). Exit code 1 when a check can be taken out unnoticed, or is no longer where it was.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inParallel } from '../src/core/in-parallel.ts';
import { MUTATIONS } from './mutations.mjs';

/** @typedef {import('./mutations.mjs').Mutation} Mutation */

const ROOT = resolve(import.meta.dirname, '..');
const COPIED = ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
const LINKED = ['node_modules', 'media'];
/** A check that is gone may leave a test waiting. */
const TEST_TIMEOUT_MS = 15_000;

const filters = process.argv.slice(2);
const wanted = MUTATIONS.filter(
  ({ file, check }) => filters.length === 0 || filters.some((filter) => `${file} ${check}`.includes(filter)),
);
const folder = mkdtempSync(join(tmpdir(), 'turnwise-mutate-'));
const started = Date.now();
try {
  const copies = Array.from({ length: Math.max(1, Math.min(2, availableParallelism())) }, (_, at) =>
    copyTree(String(at)),
  );
  const missing = wanted.filter(({ file, from }) => readFileSync(join(ROOT, file), 'utf8').split(from).length !== 2);
  const present = wanted.filter((mutation) => !missing.includes(mutation));
  const passing = await baseline(copies);
  const survivors = [];
  await withCopies(copies, present, async (copy, mutation) => {
    const said = passing.get(mutation) ? ((await caught(copy, mutation)) ? 'caught' : 'SURVIVED') : 'NO PASSING TEST';
    if (said !== 'caught') survivors.push(mutation);
    console.log(`${said.padEnd(9)} ${mutation.file}: ${mutation.check}`);
  });
  for (const { file, check, from } of missing) {
    console.log(`NOT FOUND ${file}: ${check}: ${JSON.stringify(from.slice(0, 60))} does not stand there exactly once`);
  }
  const bad = survivors.length + missing.length;
  const seconds = Math.round((Date.now() - started) / 1000);
  console.log(`${wanted.length - bad} of ${wanted.length} caught in ${seconds} s`);
  process.exitCode = bad > 0 || wanted.length === 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** @param {string} name */
function copyTree(name) {
  const copy = join(folder, name);
  mkdirSync(copy);
  for (const path of COPIED) cpSync(join(ROOT, path), join(copy, path), { recursive: true });
  for (const path of LINKED) symlinkSync(join(ROOT, path), join(copy, path));
  return copy;
}

/**
 * Which mutations have a test that passes without them: one that fails anyway, or that nobody calls so any more, proves nothing.
 * @param {readonly string[]} copies
 * @returns {Promise<Map<Mutation, boolean>>}
 */
async function baseline(copies) {
  const passing = new Map();
  const tests = [...new Set(wanted.map(({ test }) => test))];
  await withCopies(copies, tests, async (copy, test) => {
    const own = wanted.filter((mutation) => mutation.test === test);
    const names = own.map(({ name }) => `(?:${name})`).join('|');
    const { results } = await runTests(copy, test, names);
    for (const mutation of own) {
      const mine = results.filter(({ name }) => new RegExp(mutation.name).test(name));
      passing.set(mutation, mine.length > 0 && mine.every(({ passed }) => passed));
    }
  });
  return passing;
}

/**
 * @param {string} copy
 * @param {Mutation} mutation
 */
async function caught(copy, { file, from, to, test, name }) {
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  const mutated = source.split(from).join(to);
  // What is no TypeScript any more fails every test, and proves nothing; this throws.
  stripTypeScriptTypes(mutated);
  writeFileSync(path, mutated);
  try {
    const { results, broken } = await runTests(copy, test, name);
    // Where already the connection fails, the tests behind it are never begun.
    return broken || results.some(({ passed }) => !passed);
  } finally {
    writeFileSync(path, source);
  }
}

/**
 * Runs the tests of a file whose full names match, and gives those that ran, and whether the file as a whole failed.
 * @param {string} copy
 * @param {string} test
 * @param {string} names
 * @returns {Promise<{ results: { name: string, passed: boolean }[], broken: boolean }>}
 */
async function runTests(copy, test, names) {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const args = ['run', test, '-t', names, '--reporter=json', `--outputFile=${report}`];
  const child = spawn(process.execPath, [vitest, ...args, `--testTimeout=${TEST_TIMEOUT_MS}`, '--silent'], {
    cwd: copy,
    stdio: 'ignore',
  });
  await new Promise((done) => child.on('exit', done));
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const results = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'passed' || status === 'failed')
    .map(({ fullName, status }) => ({ name: fullName, passed: status === 'passed' }));
  return { results, broken: testResults.some(({ status }) => status === 'failed') };
}

/**
 * Does `work` for every item, each in a copy that nobody else works in.
 * @template Item
 * @param {readonly string[]} copies
 * @param {readonly Item[]} items
 * @param {(copy: string, item: Item) => Promise<void>} work
 */
async function withCopies(copies, items, work) {
  const free = [...copies];
  await inParallel(items, { width: copies.length }, async (item) => {
    const copy = free.pop() ?? '';
    await work(copy, item).finally(() => free.push(copy));
  });
}
