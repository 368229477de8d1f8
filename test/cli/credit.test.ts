import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { exitCodeOf, type Servers } from '../../src/cli/command.ts';
import { registerCredit } from '../../src/cli/credit.ts';
import { ledgerSchema } from '../../src/core/credit/ledger.ts';
import { errorText } from '../../src/core/error.ts';
import { credit, SIX } from '../core/credit/batches.ts';
import { evaluate } from '../core/credit/evaluate.ts';
import { runCli } from './run-cli.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnwise-credit-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** GV3's batch as a person would write it: numbers only. */
const numbers = SIX.map(({ episode_id, group_id, outcome, turns }) => ({
  episode_id,
  group_id,
  outcome,
  turns: turns.map(({ tokens, gain }) => ({ tokens, gain })),
}));

const scorer = {
  id: 'toy',
  revision: null,
  tokenizer_sha: 'aa',
  template_sha: 'bb',
  backend: 'engine',
  version: '1',
};
const scoreOptions = {
  estimator: 'shift_mean',
  clip: null,
  placeholder: 'No information found.',
  mask_mode: 'length_matched',
  seed: 0,
  noise: 0,
};
const scored = (episode_id: string, gain: number | null, more: object = {}): Record<string, unknown> => ({
  schema: 'turnwise-score/1',
  episode_id,
  group_id: 'g',
  outcome: null,
  scorer,
  placebo: null,
  options: scoreOptions,
  tokens_evaluated: 10,
  tokens_limit: 10,
  contexts: [[1, 2, 3]],
  turns: [
    {
      index: 0,
      tokens: 3,
      gain,
      gain_sum: gain,
      null_reason: gain === null ? 'straddle' : null,
      action_ids: [1, 2, 3],
    },
    { index: 1, tokens: 2, gain: null, gain_sum: null, null_reason: 'no_next_action', action_ids: [4, 5] },
  ],
  ...more,
});

describe('bad input ends with exit code 1 and names file and line', () => {
  test.each([
    { name: 'a duplicate id', second: { ...numbers[1], episode_id: 'A' }, says: /in\.jsonl:2: episode_id A .*line 1/ },
    { name: 'an outcome above 1', second: { ...numbers[1], outcome: 1.5 }, says: /in\.jsonl:2: outcome: .*0 to 1/ },
    { name: 'an outcome below 0', second: { ...numbers[1], outcome: -0.1 }, says: /in\.jsonl:2: outcome: .*0 to 1/ },
    { name: 'a gain of 1e999', second: row('"gain": 1e999'), says: /in\.jsonl:2: turns\.0\.gain: .*finite/ },
    { name: 'a gain of -1e999', second: row('"gain": -1e999'), says: /in\.jsonl:2: turns\.0\.gain: .*finite/ },
    { name: 'a gain in words', second: row('"gain": "0.3"'), says: /in\.jsonl:2: turns\.0\.gain: .*finite/ },
    { name: 'no gain at all', second: row('"gian": 0.3'), says: /in\.jsonl:2: turns\.0\.gain: .*finite/ },
    { name: 'NaN', second: row('"gain": NaN'), says: /in\.jsonl:2: not valid JSON/ },
    { name: 'half a token', second: row('"gain": 1, "tokens": 1.5'), says: /in\.jsonl:2: turns\.0\.tokens/ },
    { name: 'a torn line', second: '{"episode_id": "B", "tur', says: /in\.jsonl:2: not valid JSON/ },
    {
      name: 'an unknown reason',
      second: row('"gain": null, "null_reason": "tired"'),
      says: /in\.jsonl:2: turns\.0\.null_reason/,
    },
    {
      name: 'a gain and a reason for none',
      second: row('"gain": 1, "null_reason": "straddle"'),
      says: /in\.jsonl:2: turns\.0: has a gain and a null_reason/,
    },
    { name: 'a ledger', second: { ...numbers[1], schema: 'turnwise-credit/1' }, says: /in\.jsonl:2: its format is/ },
    { name: 'numbers among scores', first: scored('A', 1), second: numbers[1], says: /in\.jsonl:2: its scorer differ/ },
    {
      name: 'two scorers',
      first: scored('A', 1),
      second: scored('B', 1, { scorer: { ...scorer, revision: 'x' } }),
      says: /in\.jsonl:2: its scorer differ from those of line 1; one file is one batch/,
    },
    {
      name: 'two estimators',
      first: scored('A', 1),
      second: scored('B', 1, { options: { ...scoreOptions, estimator: 'k3' } }),
      says: /in\.jsonl:2: its score options differ/,
    },
    {
      name: 'two calibrations',
      first: scored('A', 1, { placebo: { mean: 0, sd: 1, n: 60 } }),
      second: scored('B', 1, { placebo: { mean: 0, sd: 2, n: 60 } }),
      says: /in\.jsonl:2: its placebo figures differ/,
    },
  ])('$name', async ({ first = numbers[0], second, says }) => {
    const run = await creditOf([first, second]);
    expect(run.message).toMatch(says);
    expect(run.code).toBe(1);
    expect(readdirSync(folder)).toEqual(['in.jsonl']);
  });

  test('an empty file and a missing one', async () => {
    const empty = await creditOf(['', '  ']);
    expect(empty.code).toBe(1);
    expect(empty.message).toContain('no episode');
    const missing = await turnwise(['--in', join(folder, 'none.jsonl'), '--out', join(folder, 'out.jsonl')]);
    expect(missing.code).toBe(1);
    expect(missing.message).toContain('none.jsonl');
  });

  test('a target that cannot be written leaves nothing behind', async () => {
    const run = await creditOf(numbers, ['--out', join(folder, 'absent', 'out.jsonl')]);
    expect(run.code).toBe(1);
    expect(run.message).toContain('Cannot write');
    expect(readdirSync(folder)).toEqual(['in.jsonl']);
  });
});

test.each([
  ['--preset', 'infopo_repo', '--norm', 'turn'],
  ['--preset', 'infopo_repo', '--pool', 'ladder'],
  ['--preset', 'infopo_repo', '--singleton', 'batch_loo'],
  ['--preset', 'infopo_repo', '--sigma-floor', '0.1'],
  ['--preset', 'infopo_repo', '--gate-form', 'exp'],
  ['--pool-by', 'index', '--gate-on', 'info'],
  ['--placebo-mean', '0.1'],
  ['--beta', '-1'],
  ['--beta', 'much'],
  ['--beta', ''],
  ['--gate-temperature', '0'],
  ['--min-batch', '0'],
  ['--sigma-floor', 'Infinity'],
  ['--placebo-mean', '0', '--placebo-sd', '-1'],
  ['--preset', 'paper'],
  ['--pool', 'pond'],
  ['--explain', 'nobody'],
  ['--frobnicate'],
])('bad usage ends with exit code 2: %s %s %s %s', async (...flags) => {
  const run = await creditOf(numbers, flags);
  expect(run.code).toBe(2);
  expect(readdirSync(folder)).toEqual(['in.jsonl']);
});

test('numbers only: the ledgers of the batch, whatever the order of the lines', async () => {
  const run = await creditOf(numbers, ['--json']);
  const rows = run.rows.map((line) => ledgerSchema.parse(line));
  expect(Object.fromEntries(rows.map((ledger) => [ledger.episode_id, ledger]))).toEqual(
    withReasons(credit(SIX.map((member) => ({ ...member, group_rule: 'task' })))),
  );
  expect(JSON.parse(run.stdout)).toMatchObject({
    episodes: 6,
    turns: 15,
    gains_defined: 8,
    advantages_defined: 15,
    batch_id: rows[0]?.batch_id,
    options: { preset: 'colbench' },
  });
  const reversed = await creditOf(numbers.toReversed());
  expect(reversed.rows.toReversed()).toEqual(run.rows);
});

test('flags reach the arithmetic, and a changed preset says custom', async () => {
  const parity = await creditOf(numbers, ['--preset', 'infopo_repo', '--norm', 'token']);
  expect(parity.rows[0]).toMatchObject({ options: { preset: 'infopo_repo', drop_zero_gains: true } });
  const changed = await creditOf(numbers, ['--preset', 'tau2', '--beta', '0.2', '--pool-by', 'index']);
  expect(changed.rows[0]).toMatchObject({
    options: { preset: 'custom', beta: 0.2, gate_temperature: 0.05, pool_by: 'index' },
  });
  const alone = [
    {
      episode_id: 'a',
      turns: [
        { tokens: 5, gain: 3 },
        { tokens: 6, gain: 2.9 },
        { tokens: 30, gain: null },
      ],
    },
  ];
  const calibrated = await creditOf(alone, ['--placebo-mean', '0.4', '--placebo-sd', '0.5']);
  expect(calibrated.rows[0]).toMatchObject({
    group_id: 'a',
    outcome: null,
    info_level: 'calibrated',
    options: { sigma_floor: 0.5 },
  });
  const [first, second, last] = ledgerSchema.parse(calibrated.rows[0]).turns;
  expect(first?.advantage).toBeCloseTo(0.341468, 5);
  expect(second?.advantage).toBeCloseTo(0.328335, 5);
  expect(last?.advantage).toBeNull();
});

test('scored rows: placebo figures are taken over, reasons and unknown keys kept, token arrays left behind', async () => {
  const placebo = { mean: 0.4, sd: 0.5, n: 60 };
  const run = await creditOf([scored('a', 3, { placebo, mine: { kept: true } }), scored('b', null, { placebo })]);
  expect(run.rows[0]).toMatchObject({
    schema: 'turnwise-credit/1',
    mine: { kept: true },
    scorer,
    score_options: scoreOptions,
    options: { placebo_mean: 0.4, placebo_sd: 0.5, sigma_floor: 0.5 },
    info_level: 'calibrated',
    turns: [{ gain: 3, gain_sum: 3, null_reason: null }, { null_reason: 'no_next_action' }],
  });
  expect(run.rows[1]).toMatchObject({
    turns: [{ gain: null, a_int: null, advantage: null, null_reason: 'straddle' }, {}],
  });
  expect(run.text).not.toMatch(/action_ids|contexts/);
  const few = await creditOf([scored('a', 3, { placebo: { ...placebo, n: 49 } })]);
  expect(few.rows[0]).toMatchObject({ info_level: 'none', options: { placebo_mean: null, sigma_floor: 0 } });
  const said = await creditOf([scored('a', 3, { placebo })], ['--placebo-mean', '0', '--placebo-sd', '1']);
  expect(said.rows[0]).toMatchObject({ options: { placebo_mean: 0, placebo_sd: 1 } });
});

test('without a group an episode is alone, even where its name is the name of a group', async () => {
  const turns = [{ tokens: 1, gain: 1 }];
  const run = await creditOf([
    { episode_id: 'g', outcome: 1, turns },
    { episode_id: 'x', group_id: 'g', outcome: 0, turns },
    { episode_id: 'y', group_id: null, outcome: 0, turns },
  ]);
  expect(run.rows.map(({ group_n }) => group_n)).toEqual([1, 1, 1]);
  expect(new Set(run.rows.map(({ group_id }) => group_id)).size).toBe(3);
});

test('--explain prints arithmetic that evaluates to the advantages in the file', async () => {
  const run = await creditOf(numbers, ['--explain', 'F']);
  const printed = run.stdout.split('\n').filter((line) => /^A\[\d+\] = /.test(line));
  const evaluated = printed.map((line) => evaluate(line.split(' = ')[2] ?? ''));
  const ledger = ledgerSchema.parse(run.rows[5]);
  expect(evaluated).toEqual(ledger.turns.map(({ advantage }) => advantage));
  const json = await creditOf(numbers, ['--explain', 'F', '--json']);
  const { explain } = JSON.parse(json.stdout) as { explain: string[] };
  expect(`${explain.join('\n')}\n`).toBe(run.stdout);
});

test('a person gets a table', async () => {
  const run = await creditOf([...numbers, { episode_id: 'G', turns: [{ tokens: 1, gain: null }] }]);
  expect(run.stdout).toContain('8 of 16 turns in 7 episodes have a gain');
  expect(run.stdout).toMatch(
    /^A +1 +\+1\.000 +group +0\.269 +group of 4 +\+0\.750 \+0\.300 - +\+1\.031 \+0\.966 \+1\.000$/m,
  );
  expect(run.stdout).toMatch(/^G +- +- +none /m);
});

/** A second line whose first turn is given as text, since JSON cannot carry what it must refuse. */
function row(turn: string): string {
  return `{"episode_id": "B", "turns": [{"tokens": 2, ${turn}}, {"tokens": 2, "gain": null}]}`;
}

interface Run {
  readonly code: number;
  readonly message: string;
  readonly stdout: string;
  /** The written file, as text and as parsed lines. */
  readonly text: string;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

async function creditOf(lines: readonly unknown[], flags: readonly string[] = []): Promise<Run> {
  const file = join(folder, 'in.jsonl');
  const out = join(folder, 'out.jsonl');
  writeFileSync(file, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
  const run = await turnwise(['--in', file, '--out', out, ...flags]);
  if (run.code !== 0) return { ...run, text: '', rows: [] };
  const text = readFileSync(out, 'utf8');
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { ...run, text, rows };
}

/** Runs the command as the root does, and keeps what it would have printed. */
async function turnwise(args: readonly string[]): Promise<Pick<Run, 'code' | 'message' | 'stdout'>> {
  const printed: string[] = [];
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed.push(String(text));
    return true;
  });
  const program = new Command('turnwise');
  registerCredit(program, noServers);
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
  }
  try {
    await program.parseAsync(['node', 'turnwise', 'credit', ...args]);
    return { code: 0, message: '', stdout: printed.join('') };
  } catch (thrown) {
    const code = thrown instanceof CommanderError ? 2 : exitCodeOf(thrown);
    return { code, message: errorText(thrown), stdout: printed.join('') };
  } finally {
    stdout.mockRestore();
  }
}

const noServers: Servers = {
  openScorer: () => Promise.reject(new Error('credit needs no server')),
  openEngine: () => Promise.reject(new Error('credit needs no server')),
  openModel: () => Promise.reject(new Error('credit needs no server')),
};

/** The table of GV3 says nothing on why a middle turn has no gain; a file that does not either gets the general reason. */
function withReasons(ledgers: ReturnType<typeof credit>): ReturnType<typeof credit> {
  return Object.fromEntries(
    Object.entries(ledgers).map(([id, ledger]) => [
      id,
      {
        ...ledger,
        turns: ledger.turns.map((turn) =>
          turn.null_reason === 'empty_reply' ? { ...turn, null_reason: 'not_scored_yet' as const } : turn,
        ),
      },
    ]),
  );
}

describe('as a process of its own', () => {
  test.each([
    { name: 'good input', lines: numbers, flags: ['--json'], code: 0, stderr: /^$/ },
    {
      name: 'bad input',
      lines: [numbers[0], numbers[0]],
      flags: [],
      code: 1,
      stderr: /^turnwise: .*in\.jsonl:2: .*\n$/,
    },
    { name: 'a flag that is no flag', lines: numbers, flags: ['--gate', '1'], code: 2, stderr: /unknown option/ },
    {
      name: 'flags that contradict each other',
      lines: numbers,
      flags: ['--pool-by', 'index', '--gate-on', 'info'],
      code: 2,
      stderr: /^turnwise: --pool-by index .*\n$/,
    },
  ])('$name ends with exit code $code', async ({ lines, flags, code, stderr }) => {
    const file = join(folder, 'in.jsonl');
    const out = join(folder, 'out.jsonl');
    writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n'));
    const run = await runCli(['credit', '--in', file, '--out', out, ...flags]);
    expect(run.stderr).toMatch(stderr);
    expect(run.code).toBe(code);
    expect(readdirSync(folder)).toEqual(code === 0 ? ['in.jsonl', 'out.jsonl'] : ['in.jsonl']);
    if (code === 0) expect(JSON.parse(run.stdout)).toMatchObject({ episodes: 6, gains_defined: 8 });
  });
});
