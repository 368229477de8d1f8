import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import card from '../../media/models/turnwise-toy.json' with { type: 'json' };
import { resolvePlaceholder } from '../../src/core/calibration.ts';
import { BASELINES, baselineNames } from '../../src/core/credit/baselines.ts';
import { GATE_FORMS, GATE_SOURCES } from '../../src/core/credit/gate.ts';
import { ESTIMATORS } from '../../src/core/credit/gain.ts';
import { NORMS, POOL_MEMBERS, POOLS } from '../../src/core/credit/information.ts';
import { KL_ESTIMATORS } from '../../src/core/credit/kl.ts';
import { ledgerSchema, type Ledger } from '../../src/core/credit/ledger.ts';
import { OUTCOMES } from '../../src/core/credit/outcome.ts';
import { SINGLETONS } from '../../src/core/credit/outcome-advantage.ts';
import { datasetRowSchema } from '../../src/core/dataset/schema.ts';
import { calibrationOfCard, cardMeasurementsSchema } from '../../src/core/model-card.ts';
import { MASK_MODES } from '../../src/core/plan/mask.ts';
import { evaluate } from '../core/credit/evaluate.ts';
import { runCli } from './run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwise-method-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const at = (name: string): string => join(folder, name);

const talk = {
  episode_id: 'alone',
  ratings: [{ turn: 0, thumb: 1, note: 'to the point' }],
  messages: [
    { role: 'user', content: 'Average a list of numbers. Mind missing values.' },
    { role: 'assistant', content: 'How should missing values be treated?' },
    { role: 'user', content: 'skip them' },
    { role: 'tool', content: 'lint ok' },
    { role: 'assistant', content: 'Noted: skip them. And how many decimals?' },
    { role: 'user', content: '2 decimals' },
    { role: 'assistant', content: 'Noted: 2 decimals.\nI WANT TO ANSWER:\ndef solve(xs):\n    return 1\n' },
  ],
};
const ask = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await runCli(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
};

test('one conversation on a fresh install is credited against the placebo gains of the bundled card (GV12)', async () => {
  writeFileSync(at('alone.jsonl'), `${JSON.stringify(talk)}\n`);
  await ask('score', '--in', at('alone.jsonl'), '--out', at('scores.jsonl'));
  const explained = await ask('credit', '--in', at('scores.jsonl'), '--out', at('credit.jsonl'), '--explain', 'alone');
  const ledger: Ledger = ledgerSchema.parse(JSON.parse(readFileSync(at('credit.jsonl'), 'utf8')));
  const { mean, sd } = card.placebo;
  expect(ledger).toMatchObject({
    info_level: 'calibrated',
    info_mean: mean,
    info_sd: sd,
    z: null,
    group_rule: 'request',
  });
  expect(ledger.options.sigma_floor).toBe(sd);
  for (const { gain, a_int, advantage } of ledger.turns.slice(0, 2)) {
    expect(a_int).toBe(((gain ?? NaN) - mean) / (sd + 1e-6));
    expect(advantage).toBe(ledger.options.beta * ledger.gate * ledger.scale * (a_int ?? NaN));
  }
  expect(ledger.turns[2]).toMatchObject({ a_int: null, advantage: null, null_reason: 'no_next_action' });
  expect(ledger.turns[0]?.obs_gains).toHaveLength(2);

  expect(explained).toContain("Compared with the scorer's placebo gains:");
  expect(explained).toContain('gain[0] of observation 1 alone = ');
  const steps = explained.split('\n').map((line) => line.split(' = '));
  const computed = steps.filter((parts) => parts.length > 2);
  expect(computed.length).toBeGreaterThan(5);
  for (const parts of computed) expect(evaluate(parts.at(-2) ?? '')).toBe(Number(parts.at(-1)));

  expect(await ask('yardstick', '--in', at('scores.jsonl'))).toContain('not enough ratings (1 of 10)');
});

test('a store is exported under any estimator and placeholder, is sound, and its ratings are there', async () => {
  writeFileSync(at('talks.jsonl'), `${JSON.stringify({ ...talk, source: 'simulated' })}\n`);
  const store = at('store.db');
  await ask('import', '--in', at('talks.jsonl'), '--store', store);
  const how = ['--estimator', 'kl_topk', '--top-k', '7', '--placeholder', 'auto', '--outcome', 'tests'];
  const { code, stdout } = await runCli(['export', '--store', store, '--out', at('out'), ...how]);
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('1 episodes') as unknown });
  await ask('verify', at('out'));
  const row = datasetRowSchema.parse(JSON.parse(readFileSync(at('out/episodes/train.jsonl'), 'utf8')));
  const calibration = calibrationOfCard(cardMeasurementsSchema.parse(card));
  const placeholder = resolvePlaceholder({ placeholder: 'auto', mask_mode: 'length_matched' }, { calibration });
  expect(row.fusion).toMatchObject({ estimator: 'kl_topk', top_k: 7, placeholder });
  expect(row.turns[0]).toMatchObject({ thumb: 'up', thumb_note: 'to the point', flags: [] });
  expect(row.turns[0]?.kl_support).toBeLessThanOrEqual(9);
  expect(row.turns[0]?.obs_gains?.map(({ gain }) => gain !== null)).toEqual([true, true]);
  expect(await ask('yardstick', '--store', store)).toContain('not enough ratings (1 of 10)');
});

describe('help is written from the tables', () => {
  const tables = {
    credit: [GATE_FORMS, GATE_SOURCES, NORMS, POOLS, POOL_MEMBERS, SINGLETONS, BASELINES],
    export: [OUTCOMES, MASK_MODES, ESTIMATORS, KL_ESTIMATORS, POOLS, BASELINES],
    score: [MASK_MODES, ESTIMATORS, KL_ESTIMATORS],
  };
  test.each(Object.entries(tables))('%s', async (command, listed) => {
    const help = await ask(command, '--help');
    for (const table of listed) {
      for (const [name, { equation }] of Object.entries(table)) {
        const line = help.split('\n').find((text) => text.startsWith(`  ${name} `) && text.endsWith(equation));
        expect(line, name).toBeDefined();
      }
    }
  });
});

describe('the baselines on a terminal and for programs', () => {
  const numbers = [
    {
      episode_id: 'a',
      group_id: 'g',
      outcome: 1,
      turns: [
        { tokens: 3, gain: 0.5 },
        { tokens: 5, gain: null },
      ],
    },
    {
      episode_id: 'b',
      group_id: 'g',
      outcome: 0,
      turns: [
        { tokens: 2, gain: 0.1 },
        { tokens: 5, gain: null },
      ],
    },
  ];

  test('a column each where asked for, and always in the file', async () => {
    writeFileSync(at('numbers.jsonl'), numbers.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const args = ['credit', '--in', at('numbers.jsonl'), '--out', at('numbers.out.jsonl')];
    const plain = await ask(...args);
    expect(plain).not.toContain('r2g');
    const table = await ask(...args, '--baselines');
    expect(table).toMatch(/episode +turn +advantage +grpo +intrinsic_only +equalized +r2g +em/);
    expect(table).toContain('igpo: no number (');
    const counts = JSON.parse(await ask(...args, '--json')) as { baselines: Record<string, number> };
    expect(counts.baselines).toEqual({ grpo: 4, intrinsic_only: 2, equalized: 4, r2g: 4, em: 4, igpo: 0 });
    const [first] = readFileSync(at('numbers.out.jsonl'), 'utf8').split('\n');
    const ledger: Ledger = ledgerSchema.parse(JSON.parse(first ?? ''));
    expect(Object.keys(ledger.turns[0]?.baselines ?? {})).toEqual(baselineNames);
    expect([ledger.group_rule, ledger.outcome_level]).toEqual(['task', 'group']);
  });

  test('a reference gives igpo a number; rewards move r2g; nonsense is refused with its line', async () => {
    const told = numbers.map((row) => ({
      ...row,
      turns: row.turns.map((turn, t) => ({ ...turn, reward: 1 - t, reference: { before: -1, after: -0.2 } })),
    }));
    writeFileSync(at('told.jsonl'), told.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const table = await ask('credit', '--in', at('told.jsonl'), '--out', at('told.out.jsonl'), '--baselines');
    expect(table).toMatch(/a +0 .*\+0\.451\n/);
    const bad = JSON.stringify({ ...numbers[0], turns: [{ tokens: 1, gain: 0, reward: 'much' }] });
    writeFileSync(at('bad.jsonl'), `${bad}\n`);
    const { code, stderr } = await runCli(['credit', '--in', at('bad.jsonl'), '--out', at('bad.out.jsonl')]);
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/bad\.jsonl:1: turns\.0\.reward: must be a finite number/) as unknown,
    });
  });

  test('gains under an unfit placeholder are said to be so', async () => {
    const unfit = numbers.map((row) => ({
      ...row,
      turns: row.turns.map((turn) => ({ ...turn, flags: turn.gain === null ? [] : ['placeholder_unfit'] })),
    }));
    writeFileSync(at('unfit.jsonl'), unfit.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const table = await ask('credit', '--in', at('unfit.jsonl'), '--out', at('unfit.out.jsonl'));
    expect(table).toContain('2 of 2 gains were measured under a placeholder that is unfit');
  });
});

test.each([
  [['export', '--no-score', '--estimator', 'k2'], /flags of scoring have no effect/],
  [['export', '--placeholder', 'random_reply'], /needs all conversations at once/],
  [['export', '--outcome', 'luck'], /Allowed choices are tests, acceptance, rating, combined/],
  [['score', '--top-k', '5', '--in', 'x', '--out', 'y'], /--top-k belongs to --estimator kl_topk/],
  [['score', '--estimator', 'shift_mean', '--clip', '1', '--in', 'x', '--out', 'y'], /--clip belongs to/],
  [['score', '--clip', '-1', '--in', 'x', '--out', 'y'], /above 0/],
  [['yardstick'], /--in FILE with scores, or --store FILE/],
  [['yardstick', '--in', 'x', '--store', 'y'], /not both/],
] as const)('%j is a usage error', async (args, words) => {
  const where = args[0] === 'export' ? ['--store', at('store.db'), '--out', at('never')] : [];
  const { code, stdout, stderr } = await runCli([...args, ...where]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(words);
});
