import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import card from '../../media/models/turnwise-toy.json' with { type: 'json' };
import type { RemoteServer } from '../../src/backends/remote-server.ts';
import { CALIBRATION_MIN, calibrationFileSchema, UNFIT_BELOW } from '../../src/core/calibration.ts';
import { runCli } from '../cli/run-cli.ts';
import { writeTokenizerFolder } from '../backends/protocol/tokenizer-folder.ts';
import type { openFigures } from './figures.ts';

/** What is known of a server beforehand; null: anything. */
export interface Known {
  readonly kind: string;
  readonly mode: 'raw' | 'processed' | null;
  /** Largest difference of a token's log-prob between two ways to it, nats. */
  readonly tolerance: number;
  readonly reusesPrefix: boolean | null;
  /** Whether it serves the toy, whose card says what its gains are. */
  readonly toy: boolean;
}

/** As few as give 50 placebo gains, with two to spare. */
const REPLIES = 52;
/** A server that decodes what it scores, on a machine that does other things as well. */
const TIMEOUT_MS = 600_000;
/** Standard errors of the difference of two means: one run in a thousand lies beyond. */
const ERRORS = 3.3;
/** With so few replies a placeholder this near the line may fall on either side of it. */
const NEAR_THE_LINE = 0.08;

const reportSchema = z.object({
  scorer: z.object({ backend: z.string() }),
  probes: z.object({ n: z.int(), actions: z.enum(['sampled', 'written']) }),
  checks: z.array(
    z.object({
      id: z.string(),
      state: z.enum(['ok', 'warn', 'fail', 'unknown']),
      sentence: z.string(),
      values: z.array(z.object({ name: z.string(), value: z.union([z.number(), z.string(), z.boolean()]).nullable() })),
    }),
  ),
  ...calibrationFileSchema.pick({ placebo: true, fitness: true }).shape,
});
type Report = z.infer<typeof reportSchema>;

/** Runs `turnwise doctor` as a person would against a real server, and holds what it finds against what is known of that server. */
export function doctorSuite(remote: () => RemoteServer, figures: ReturnType<typeof openFigures>, known: Known): void {
  test(
    'turnwise doctor finds out what is known of this server',
    async () => {
      const started = performance.now();
      const args = ['--replies', String(REPLIES), ...(known.toy ? ['--probes', 'demo'] : [])];
      const { code, stdout, stderr } = await doctor(remote(), known.kind, args);
      figures.add(`turnwise doctor, ${REPLIES} replies`, (performance.now() - started) / 1000, 's');
      const report = reportSchema.parse(JSON.parse(stdout));
      const failed = report.checks.filter(({ state }) => state === 'fail');
      expect(failed).toEqual([]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(report.scorer.backend).toBe(known.kind);
      expect(report.probes).toEqual({ n: REPLIES, actions: 'sampled' });

      const { reusesPrefix } = known;
      if (reusesPrefix !== null) expect(valueOf(report, 'capabilities', 'reuses shared prefixes')).toBe(reusesPrefix);
      figures.add('doctor: what to change', stateAndAdvice(report));
      const same = valueOf(report, 'template', 'chat prompts with the same ids');
      // Unknown servers may keep the ids of their prompts to themselves.
      if (known.toy || same !== null) expect(same).toBe(REPLIES);

      const mode = valueOf(report, 'logprob_mode', 'mode of the chat');
      figures.add(
        'doctor: log-probs of the chat',
        `${String(mode)}, recorded as ${String(valueOf(report, 'logprob_mode', 'as recorded'))}`,
      );
      expect(valueOf(report, 'logprob_mode', 'as recorded')).toBe(mode);
      if (known.mode !== null) expect(mode).toBe(known.mode);
      for (const [id, name] of [
        ['noise', 'largest difference of a token'],
        ['decode', 'largest difference'],
      ] as const) {
        const worst = numberOf(report, id, name);
        figures.add(`doctor: ${id}, ${name}`, worst, 'nats', `<= ${known.tolerance}`);
        expect(worst).toBeLessThanOrEqual(known.tolerance);
      }
      expect(numberOf(report, 'decode', 'tokens compared')).toBeGreaterThan(30);
      figures.add('doctor: plan scored', numberOf(report, 'throughput', 'plan scored'), 'tokens/s');

      const { placebo, fitness } = card;
      const own = report.placebo.find(
        (entry) => entry.estimator === 'shift_mean' && entry.placeholder === placebo.placeholder,
      );
      if (own === undefined) expect.fail('No placebo figures were measured.');
      expect(own.n).toBeGreaterThanOrEqual(CALIBRATION_MIN);
      figures.add(
        `doctor: mean of ${own.n} placebo gains, and sd`,
        `${own.mean.toFixed(3)}, ${own.sd.toFixed(3)} nats/token`,
      );
      if (!known.toy) return;
      const errors =
        (own.mean - placebo.mean) / Math.hypot(placebo.sd / Math.sqrt(placebo.n), placebo.sd / Math.sqrt(own.n));
      figures.add(
        `doctor: that mean from the card's ${placebo.mean.toFixed(3)}`,
        errors,
        'standard errors',
        `within ${ERRORS}`,
      );
      expect(Math.abs(errors)).toBeLessThanOrEqual(ERRORS);
      expect(own.sd / placebo.sd).toBeGreaterThan(0.4);
      expect(own.sd / placebo.sd).toBeLessThan(2);
      expect(report.fitness.length).toBeGreaterThanOrEqual(1);
      for (const { placeholder, fit, auc } of report.fitness) {
        const carded = fitness[placeholder as keyof typeof fitness];
        if (Math.abs(carded.auc - UNFIT_BELOW) > NEAR_THE_LINE)
          expect([placeholder, fit]).toEqual([placeholder, carded.fit]);
        expect(Math.abs(auc - carded.auc)).toBeLessThan(0.2);
      }
      const shown = report.fitness.map(({ placeholder, auc }) => `"${placeholder}" ${auc.toFixed(2)}`).join(', ');
      figures.add('doctor: AUC by placeholder, fit as on the card', shown);
    },
    TIMEOUT_MS,
  );

  test('turnwise doctor with the tokenizer of another model says so, and names the flag', async () => {
    const folder = writeTokenizerFolder();
    try {
      const { code, stdout, stderr } = await doctor({ ...remote(), tokenizer: folder }, known.kind, []);
      expect(code).toBe(1);
      const [failed, ...others] = checksOf(stdout).filter(({ state }) => state === 'fail');
      expect(others).toEqual([]);
      expect(failed).toMatchObject({
        id: 'template',
        sentence: expect.stringMatching(/other token ids.*--tokenizer/) as string,
      });
      expect(stderr).toContain(failed?.sentence);
      figures.add('doctor, with another tokenizer', failed?.sentence ?? '');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** The checks of a report, in whatever state. */
export function checksOf(stdout: string): Report['checks'] {
  return reportSchema.pick({ checks: true }).parse(JSON.parse(stdout)).checks;
}

/** `turnwise doctor --json` against a server; what it says where it fails is on stdout all the same. */
export function doctor(
  { url, model, apiKey, tokenizer }: RemoteServer,
  kind: string,
  args: readonly string[],
): ReturnType<typeof runCli> {
  const flags = [
    ...['--backend', kind, '--url', url, ...(model === null ? [] : ['--model', model])],
    ...(apiKey === null ? [] : ['--api-key-env', 'SERVER_KEY']),
    ...(tokenizer === null ? [] : ['--tokenizer', tokenizer]),
  ];
  return runCli(['doctor', ...flags, ...args, '--json'], { env: { SERVER_KEY: apiKey ?? '' } });
}

function valueOf({ checks }: Report, id: string, name: string): number | string | boolean | null {
  return checks.find((check) => check.id === id)?.values.find((value) => value.name === name)?.value ?? null;
}

function numberOf(report: Report, id: string, name: string): number {
  const value = valueOf(report, id, name);
  return typeof value === 'number' ? value : expect.fail(`${id} has no ${name}, but ${String(value)}`);
}

function stateAndAdvice({ checks }: Report): string {
  const wanting = checks.filter(({ state }) => state === 'warn' || state === 'unknown');
  return wanting.length === 0 ? 'nothing' : wanting.map(({ id, sentence }) => `${id}: ${sentence}`).join(' | ');
}
