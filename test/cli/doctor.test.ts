import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { calibrationFileSchema, UNFIT_BELOW, type CalibrationFile } from '../../src/core/calibration.ts';
import { cardMeasurementsSchema } from '../../src/core/model-card.ts';
import { scoredEpisodeSchema, type ScoredEpisode } from '../../src/core/scored-episode.ts';
import card from '../../media/models/turnwise-toy.json' with { type: 'json' };
import { runCli } from './run-cli.ts';

/** Four standard errors of such an AUC. */
const NEAR_THE_LINE = 0.08;

const folder = mkdtempSync(join(tmpdir(), 'turnwise-doctor-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const at = (name: string): string => join(folder, name);

const talk = {
  episode_id: 'alone',
  messages: [
    { role: 'user', content: 'Average a list of numbers. Mind missing values.' },
    { role: 'assistant', content: 'How should missing values be treated?' },
    { role: 'user', content: 'skip them' },
    { role: 'assistant', content: 'Noted: skip them. And how many decimals?' },
    { role: 'user', content: '2 decimals' },
    { role: 'assistant', content: 'Noted: 2 decimals.\nI WANT TO ANSWER:\ndef solve(xs):\n    return 1\n' },
  ],
};

const reportSchema = z.object({
  probes: z.object({ name: z.string(), n: z.int(), actions: z.string() }),
  checks: z.array(z.object({ id: z.string(), state: z.string() })),
  ...calibrationFileSchema.pick({ placebo: true, fitness: true }).shape,
});

/** A lone conversation, scored by the toy with these flags. */
async function scoreAlone(flags: readonly string[]): Promise<ScoredEpisode> {
  writeFileSync(at('alone.jsonl'), `${JSON.stringify(talk)}\n`);
  const { code, stderr } = await runCli([
    'score',
    '--in',
    at('alone.jsonl'),
    '--out',
    at('alone.scores.jsonl'),
    ...flags,
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return scoredEpisodeSchema.parse(JSON.parse(readFileSync(at('alone.scores.jsonl'), 'utf8')));
}

test('the bundled toy: every check passes, its placebo gains are those of its card, and scoring takes what was measured', async () => {
  const { code, stdout, stderr } = await runCli(['doctor', '--replies', '52', '--out', at('cal.json'), '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const report = reportSchema.parse(JSON.parse(stdout));
  expect(report.checks.filter(({ state }) => state !== 'ok')).toEqual([]);
  expect(report.probes).toMatchObject({ name: "the demo's family of tasks", n: 52, actions: 'sampled' });
  // Two samples of one population: three standard errors of the difference of their means.
  const { mean, sd, n } = card.placebo;
  const standard = report.placebo.find(
    (entry) => entry.estimator === 'shift_mean' && entry.placeholder === card.placebo.placeholder,
  );
  expect(standard?.n).toBeGreaterThanOrEqual(50);
  expect(Math.abs((standard?.mean ?? NaN) - mean)).toBeLessThan(3 * sd * Math.sqrt(1 / n + 1 / (standard?.n ?? 0)));
  expect((standard?.sd ?? NaN) / sd).toBeGreaterThan(0.5);
  expect((standard?.sd ?? NaN) / sd).toBeLessThan(2);
  // The same words are fit, and the same words are not; one that lies on the line may fall on either side with 52 replies.
  for (const { placeholder, fit, auc } of report.fitness) {
    const known = card.fitness[placeholder as keyof typeof card.fitness];
    if (Math.abs(known.auc - UNFIT_BELOW) > NEAR_THE_LINE) expect([placeholder, fit]).toEqual([placeholder, known.fit]);
    expect(Math.abs(auc - known.auc)).toBeLessThan(0.15);
  }

  // A placeholder of which the card has no placebo gains: the measured figures.
  const other = await scoreAlone(['--placeholder', 'not sure', '--calibration', at('cal.json')]);
  const measured = report.placebo.find((entry) => entry.estimator === 'shift_mean' && entry.placeholder === 'not sure');
  expect(other.placebo).toEqual({ mean: measured?.mean, sd: measured?.sd, n: measured?.n });
  expect(other.turns.map(({ flags }) => flags)).toEqual([[], [], []]);
  for (const estimator of ['kl_topk', 'kl_full']) {
    const way = ['--estimator', estimator, '--placeholder', 'not sure', '--calibration', at('cal.json')];
    const divergence = report.placebo.find((one) => one.estimator === estimator && one.placeholder === 'not sure');
    expect((await scoreAlone(way)).placebo).toEqual({ mean: divergence?.mean, sd: divergence?.sd, n: divergence?.n });
    expect(divergence?.mean).toBeGreaterThan(0);
  }
  // One that was measured and found unfit: every gain marked.
  const [entry] = report.fitness;
  const found = { ...calibrationFileSchema.parse(JSON.parse(readFileSync(at('cal.json'), 'utf8'))), placebo: [] };
  const wish = { ...entry, placeholder: 'skip the gaps', auc: 0.3, fit: false };
  writeFileSync(at('unfit.json'), JSON.stringify({ ...found, fitness: [wish] }));
  const unfit = await scoreAlone(['--placeholder', 'skip the gaps', '--calibration', at('unfit.json')]);
  expect(unfit.turns.map(({ flags }) => flags)).toEqual([['placeholder_unfit'], ['placeholder_unfit'], []]);

  // Under `auto`, what is recorded is the words it stands for; the card's own figures stay the card's.
  const auto = await scoreAlone([
    '--placeholder',
    'auto',
    '--estimator',
    'shift_relu',
    '--calibration',
    at('cal.json'),
  ]);
  const { placeholder } = auto.options;
  expect(card.fitness[placeholder as keyof typeof card.fitness].fit).toBe(true);
  expect(auto.turns[0]?.flags).toEqual([]);
  const carded = cardMeasurementsSchema
    .parse(card)
    .placebo?.others?.find(
      (one) => one.estimator === 'shift_relu' && (one.placeholder ?? card.placebo.placeholder) === placeholder,
    );
  expect(auto.placebo).toEqual({ mean: carded?.mean, sd: carded?.sd, n: carded?.n });

  // One conversation alone, outcome unknown: credited against the placebo gains (GV12).
  const credit = await runCli(['credit', '--in', at('alone.scores.jsonl'), '--out', at('credit.jsonl')]);
  expect(credit.code).toBe(0);
  expect(JSON.parse(readFileSync(at('credit.jsonl'), 'utf8'))).toMatchObject({ info_level: 'calibrated' });
  // A minute on an idle machine; suites share theirs.
}, 900_000);

test('figures of another scorer, and files of another kind, are refused in one sentence', async () => {
  writeFileSync(at('ok.jsonl'), `${JSON.stringify(talk)}\n`);
  const other: CalibrationFile = {
    schema: 'turnwise-calibration/1',
    scorer: {
      id: 'turnwise-toy',
      backend: 'engine',
      revision: 'x',
      tokenizer_sha: null,
      template_sha: null,
      version: null,
    },
    placebo: [],
    fitness: [],
  };
  writeFileSync(at('other.json'), JSON.stringify(other));
  writeFileSync(at('none.json'), '{"schema": "turnwise-score/1"}');
  const refused = async (args: readonly string[], code: number, words: RegExp): Promise<void> => {
    const result = await runCli(args);
    expect(result.stderr).toMatch(words);
    expect(result.stderr.trim().split('\n').length).toBeLessThan(4);
    expect(result.code).toBe(code);
  };
  const score = ['score', '--in', at('ok.jsonl'), '--out', at('never.jsonl'), '--calibration'];
  await refused([...score, at('other.json')], 2, /has another revision .*turnwise doctor --out/);
  await refused([...score, at('none.json')], 1, /none\.json holds no calibration/);
  await refused(['doctor', '--in', at('nowhere.jsonl')], 1, /Cannot read/);
  await refused(['doctor', '--placeholder', 'auto'], 2, /no text that could stand for a reply/);
  await refused(['doctor', '--model', at('no.gguf')], 1, /no\.gguf/);
});

test('a server that is not there is a failed check: a table, one sentence, exit 1, and no file', async () => {
  const args = ['doctor', '--url', 'http://127.0.0.1:9', '--api-key-env', 'TEST_TOKEN', '--out', at('gone.json')];
  const { code, stdout, stderr } = await runCli(args, { env: { TEST_TOKEN: 'x' } });
  expect(code).toBe(1);
  expect(stdout).toMatch(/FAIL {2}Connection/);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).toMatch(/127\.0\.0\.1:9/);
  expect(readdirSync(folder)).not.toContain('gone.json');
});

test('Ctrl-C ends it in one sentence, and leaves nothing', async () => {
  const { code, stderr } = await runCli(['doctor', '--out', at('half.json')], {
    onStart: (child) => {
      setTimeout(() => child.kill('SIGINT'), 4000);
    },
  });
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/Interrupted/);
  expect(readdirSync(folder).filter((name) => name.includes('half'))).toEqual([]);
});
