import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chooseProbes } from '../../../src/app/doctor/bundled-probes.ts';
import type { Check, CheckId } from '../../../src/app/doctor/check.ts';
import { examine, PLACEHOLDERS, type DoctorReport } from '../../../src/app/doctor/doctor.ts';
import { doctorMarkdown } from '../../../src/app/doctor/markdown.ts';
import type { RunningEngine } from '../../../src/app/engine-process.ts';
import { openChat } from '../../../src/backends/chat.ts';
import { openEngineBackend } from '../../../src/backends/engine.ts';
import type { Backend, ChatBackend, GenerationRecord, ScoreResult } from '../../../src/core/backend.ts';
import { TurnwiseError } from '../../../src/core/error.ts';
import { startToy } from '../../engine/model.ts';

/** A real, small model behind the real engine; faults are put between it and the checks. */
let engine: RunningEngine;
beforeAll(async () => {
  engine = await startToy();
});
afterAll(() => engine.close());

const toy = (): Backend => openEngineBackend(engine);
const toyChat = (): ChatBackend => openChat({ url: engine.url, apiKey: engine.token, model: null, name: 'engine' });

/** Far too few replies for placebo figures, and enough for everything else. */
const run = (backend: Backend, chat: ChatBackend | null, signal?: AbortSignal): Promise<DoctorReport> =>
  examine({
    backend,
    chat,
    choose: (facts) => chooseProbes('auto', null, facts),
    probes: 3,
    placeholders: PLACEHOLDERS.slice(0, 1),
    maskMode: 'length_matched',
    signal,
  });

function check({ checks }: DoctorReport, id: CheckId): Check {
  return checks.find((candidate) => candidate.id === id) ?? expect.fail(`no check ${id}`);
}

const states = ({ checks }: DoctorReport): Record<string, string> =>
  Object.fromEntries(checks.map(({ id, state }) => [id, state]));

/** The toy with other numbers: `change` gets a log-prob and how many times the server was asked before. */
function withScores(change: (value: number, round: number) => number): Backend {
  const backend = toy();
  let round = 0;
  return {
    ...backend,
    score: async (sequences, request): Promise<ScoreResult> => {
      const result = await backend.score(sequences, request);
      round += 1;
      return { ...result, logprobs: result.logprobs.map((row) => row.map((value) => change(value, round))) };
    },
  };
}

/** The toy's chat with other records. */
function withRecords(change: (record: GenerationRecord) => GenerationRecord): ChatBackend {
  const chat = toyChat();
  return {
    name: chat.name,
    async *stream(messages, options) {
      for await (const event of chat.stream(messages, options)) {
        yield event.type === 'finished' ? { ...event, record: change(event.record) } : event;
      }
    },
  };
}

test('a sound scorer passes every check, and too few replies give no placebo figures', async () => {
  const report = await run(toy(), toyChat());
  expect(states(report)).toEqual({
    connection: 'ok',
    capabilities: 'ok',
    template: 'ok',
    noise: 'ok',
    logprob_mode: 'ok',
    decode: 'ok',
    placebo: 'unknown',
    fitness: 'unknown',
    throughput: 'ok',
  });
  expect(report.calibration).toEqual({ placebo: [], fitness: [], noise: { gain: 0, pairs: 3, rounds: 4 } });
  const mean = check(report, 'placebo').values.find(({ name }) => name === 'mean');
  expect(mean?.value).toBeNull();
  expect(check(report, 'noise').values.map(({ value }) => value)).toEqual([0, 0, 0]);
  expect(check(report, 'logprob_mode').values[0]?.value).toBe('processed');
  const overLimit = check(report, 'throughput').values.find(({ name }) => name.includes('causal limit'));
  expect(overLimit?.value).toBe(1);
  expect(report.probes).toMatchObject({ n: 3, actions: 'sampled' });
  const page = doctorMarkdown(report);
  expect(page).toContain('## Placebo gains: unknown');
  expect(page).toContain('turnwise-toy');
});

describe('a fault is found by the check that is there for it', () => {
  test('log-probs after a temperature: not those of the chat at temperature 1', async () => {
    const report = await run(
      withScores((value) => 4 * value),
      toyChat(),
    );
    expect(states(report)).toMatchObject({ logprob_mode: 'fail', decode: 'fail', noise: 'ok', connection: 'ok' });
    expect(check(report, 'decode').sentence).toMatch(/raw log-probs/);
  });

  test('numbers that change from one time to the next', async () => {
    const report = await run(
      withScores((value, round) => value - 2 * ((round * 7) % 5) * (1 + Math.sin(value * 1e3))),
      toyChat(),
    );
    expect(states(report)).toMatchObject({ noise: 'fail' });
  });

  test('a little noise where the bits should be the same', async () => {
    const report = await run(
      withScores((value, round) => value - 1e-5 * (round % 3)),
      toyChat(),
    );
    expect(states(report)).toMatchObject({ noise: 'warn' });
  });

  test('a chat that renders other prompts', async () => {
    const chat = withRecords((record) => ({ ...record, prompt_ids: [...(record.prompt_ids ?? []), 5] }));
    expect(states(await run(toy(), chat))).toMatchObject({ template: 'fail' });
  });

  test('a chat whose mode is recorded wrongly', async () => {
    const chat = withRecords((record) => ({ ...record, logprobs_mode: 'raw' }));
    const report = await run(toy(), chat);
    expect(states(report)).toMatchObject({ logprob_mode: 'fail', decode: 'ok' });
    expect(check(report, 'logprob_mode').sentence).toMatch(/recorded as raw and are processed/);
  });

  test('a server that scores and does not chat: what cannot be compared is unknown, the rest goes on', async () => {
    const chat: ChatBackend = {
      name: 'mute',
      async *stream() {
        await Promise.resolve();
        yield { type: 'failed', reason: 'route_missing', message: 'There is no chat here.', partial: '' };
      },
    };
    const backend = toy();
    const report = await examine({
      backend,
      chat,
      choose: (facts) => chooseProbes('general', null, facts),
      probes: 3,
      placeholders: PLACEHOLDERS.slice(0, 1),
      maskMode: 'length_matched',
    });
    expect(states(report)).toMatchObject({
      connection: 'warn',
      decode: 'unknown',
      logprob_mode: 'unknown',
      noise: 'ok',
    });
    expect(report.probes).toMatchObject({ actions: 'written' });
  });

  test.each([
    ['unreachable', 'connection'],
    ['template_mismatch', 'template'],
    ['tokenizer_mismatch', 'template'],
  ] as const)('%s at connect is one failed line, and all the others are unknown', async (reason, id) => {
    const backend = { ...toy(), facts: () => Promise.reject(new TurnwiseError('backend', reason, 'Words for it.')) };
    const report = await run(backend, toyChat());
    expect(check(report, id)).toMatchObject({ state: 'fail', sentence: 'Words for it.' });
    const others = report.checks.filter((candidate) => candidate.id !== id).map(({ state }) => state);
    expect(new Set(others)).toEqual(new Set(['unknown']));
  });

  test('a server that dies while it is probed fails what needs it', async () => {
    const gone = new TurnwiseError('backend', 'connection_lost', 'The server went away.');
    const report = await run({ ...toy(), score: () => Promise.reject(gone) }, toyChat());
    expect(check(report, 'placebo')).toMatchObject({ state: 'fail', sentence: gone.message });
    expect(check(report, 'capabilities').state).toBe('ok');
  });
});

test('an abort ends it', async () => {
  const controller = new AbortController();
  const reason = new TurnwiseError('usage', 'interrupted', 'Interrupted.');
  const backend = withScores((value) => {
    controller.abort(reason);
    return value;
  });
  await expect(run(backend, toyChat(), controller.signal)).rejects.toBe(reason);
});
