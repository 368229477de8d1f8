import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { verifyDataset } from '../../src/app/verify.ts';
import type { EpisodeState } from '../../src/core/episode-state.ts';
import { reduce } from '../../src/core/reduce.ts';
import { openJournal } from '../../src/store/journal.ts';
import { CLI, runCli, type CliResult } from './run-cli.ts';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');
/** The real engine, and the interpreter, on a machine that may be busy. */
const PATIENCE = 600_000;

const summarySchema = z.looseObject({
  seed: z.int(),
  episodes: z.int(),
  turns: z.int().positive(),
  gains_defined: z.int().positive(),
  null_reasons: z.record(z.string(), z.int()),
  tokens_evaluated: z.int().positive(),
  tokens_limit: z.int().positive(),
  questions: z.int().positive(),
  distinct_questions: z.int().positive(),
  passed: z.int().nonnegative(),
  calls: z.int().positive(),
  calls_passed: z.int().nonnegative(),
  outcome_mean: z.number().min(0).max(1),
  dataset: z.string(),
  store: z.string(),
  verify: z.object({ ok: z.boolean(), rows: z.int(), batches: z.int(), violations: z.array(z.unknown()) }),
});

let base: string;

beforeAll(async () => {
  if (!existsSync(CLI)) await run(process.execPath, ['esbuild.mjs', '--quiet'], { cwd: ROOT });
  base = await mkdtemp(join(tmpdir(), 'turnwise-demo-'));
}, PATIENCE);

afterAll(async () => {
  await rm(base, { recursive: true, force: true });
});

function statesOf(store: string): EpisodeState[] {
  const journal = openJournal(store, { readOnly: true });
  try {
    return journal
      .episodes()
      .map(({ id }) => reduce(journal.read(id)))
      .reverse();
  } finally {
    journal.close();
  }
}

/** Everything that was said, without what differs from run to run (ids, times). */
function spoken(store: string): unknown[] {
  return statesOf(store).map(({ taskId, request, turns }) => ({
    taskId,
    request,
    turns: turns.map(({ text, observations, tests, generation }) => ({
      text,
      replies: observations.map((one) => `${one.kind} ${one.text}`),
      tests,
      ids: generation?.ids,
      logprobs: generation?.logprobs,
    })),
  }));
}

describe('a folder that is not the demo’s', () => {
  test('is refused with exit code 2, before anything starts', async () => {
    const folder = await mkdtemp(join(base, 'own-'));
    await writeFile(join(folder, 'thesis.txt'), 'x');
    const { code, stdout, stderr } = await runCli(['demo', '--episodes', '1', '--json', '--out', folder]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('left alone');
    expect(await readdir(folder)).toEqual(['thesis.txt']);
  });

  test.each([
    ['no conversation', ['--episodes', '0']],
    ['half a conversation', ['--episodes', '1.5']],
    ['a seed that is none', ['--seed', 'x']],
  ])('%s is bad usage', async (_, flags) => {
    const { code, stdout } = await runCli(['demo', '--json', '--out', join(base, 'never'), ...flags]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(existsSync(join(base, 'never'))).toBe(false);
  });
});

describe('turnwise demo --json', () => {
  let first: CliResult;
  let summary: z.infer<typeof summarySchema>;

  beforeAll(async () => {
    first = await runCli(['demo', '--json', '--episodes', '4', '--seed', '7', '--out', join(base, 'first')]);
    if (first.code !== 0) throw new Error(`exit ${String(first.code)}: ${first.stderr}`);
    summary = summarySchema.parse(JSON.parse(first.stdout));
  }, PATIENCE);

  test('prints one line of JSON on stdout, and nothing else anywhere', () => {
    expect(first.stdout).toMatch(/^\{[^\n]*\}\n$/);
    expect(first.stderr).toBe('');
  });

  test('sums up what the store holds', () => {
    const states = statesOf(summary.store);
    const turns = states.flatMap((state) => state.turns);
    const questions = turns.flatMap(({ question }) => question ?? []);
    expect(summary).toMatchObject({ seed: 7, episodes: 4, turns: turns.length, questions: questions.length });
    expect(summary.distinct_questions).toBeLessThanOrEqual(summary.questions);
    const ends = summary.null_reasons['no_next_action'] ?? 0;
    expect(ends).toBe(4);
    const nulls = Object.values(summary.null_reasons).reduce((sum, count) => sum + count, 0);
    expect(summary.gains_defined + nulls).toBe(summary.turns);
  });

  test('every conversation is closed, simulated, sampled with exact ids, and judged by running its code', () => {
    const states = statesOf(summary.store);
    expect(states).toHaveLength(4);
    for (const state of states) {
      expect(state).toMatchObject({ phase: 'closed', source: 'simulated', consent: { scope: 'local-only' } });
      for (const turn of state.turns) {
        expect(turn.generation).toMatchObject({
          sampling: { temperature: 1 },
          prompt_ids: expect.any(Array) as unknown,
        });
        expect(turn.ids?.length).toBeGreaterThan(0);
        expect(turn.observations.every(({ latencyMs }) => latencyMs === null)).toBe(true);
      }
      expect(state.turns.at(-1)?.tests?.total).toBeGreaterThan(0);
    }
    expect(new Set(states.map(({ groupId }) => groupId)).size).toBe(2);
  });

  test('costs no more than the causal limit', () => {
    expect(summary.tokens_evaluated / summary.tokens_limit).toBeLessThanOrEqual(1.01);
  });

  test('leaves a dataset that is verified, again and by somebody else', async () => {
    expect(summary.verify).toMatchObject({ ok: true, rows: 4, batches: 1, violations: [] });
    expect(await verifyDataset(summary.dataset)).toMatchObject({ ok: true, rows: 4 });
    const { code, stdout } = await runCli(['verify', summary.dataset, '--json']);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { ok: true }]);
  });

  test(
    'the same seed says the same, token by token; another seed does not',
    async () => {
      const again = await runCli(['demo', '--json', '--episodes', '4', '--seed', '7', '--out', join(base, 'again')]);
      expect(again.code).toBe(0);
      expect(spoken(join(base, 'again', 'store.sqlite'))).toEqual(spoken(summary.store));
      const other = await runCli(['demo', '--json', '--episodes', '2', '--seed', '8', '--out', join(base, 'other')]);
      expect(other.code).toBe(0);
      expect(spoken(join(base, 'other', 'store.sqlite'))).not.toEqual(spoken(summary.store).slice(0, 2));
    },
    PATIENCE,
  );
});

describe('an interrupted demo', () => {
  test(
    'ends its processes, says what is kept, and keeps it',
    async () => {
      const out = join(base, 'interrupted');
      const store = join(out, 'store.sqlite');
      let children: number[] = [];
      const { code, stdout, stderr } = await runCli(['demo', '--json', '--episodes', '60', '--out', out], {
        onStart: (child) => {
          void (async () => {
            while (!existsSync(store) || !someoneSpoke(store)) await sleep(100);
            children = await childrenOf(child.pid ?? 0);
            child.kill('SIGINT');
          })();
        },
      });
      expect(code).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/Interrupted\. (One conversation is|\d+ conversations are) kept in .*store\.sqlite/);
      expect(children).toHaveLength(2);
      for (const pid of children) expect(() => process.kill(pid, 0)).toThrow();
      expect(statesOf(store)[0]?.turns.length).toBeGreaterThan(0);
      expect(JSON.parse(await readFile(join(out, 'turnwise-demo.json'), 'utf8'))).toMatchObject({ seed: 1 });
    },
    PATIENCE,
  );
});

function someoneSpoke(store: string): boolean {
  try {
    return statesOf(store).some(({ turns }) => turns.length > 0);
  } catch {
    // The file is there, its tables are not yet.
    return false;
  }
}

/** Processes that this one started: the engine and the sandbox. */
async function childrenOf(parent: number): Promise<number[]> {
  return (await processes()).flatMap(([pid, ppid]) => (ppid === parent ? [pid] : []));
}

/** Every process and its parent; from /proc where there is one, since a small container has no ps. */
async function processes(): Promise<(readonly [number, number])[]> {
  if (existsSync('/proc/self/stat')) {
    const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const stats = await Promise.all(names.map((name) => readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')));
    // pid (name) state ppid ...; the name may hold anything.
    return stats.map((stat) => [
      Number.parseInt(stat, 10),
      Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]),
    ]);
  }
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=']);
  const rows = stdout.trim().split('\n');
  return rows.map((row) => {
    const [pid = 0, ppid = 0] = row.trim().split(/\s+/).map(Number);
    return [pid, ppid];
  });
}
