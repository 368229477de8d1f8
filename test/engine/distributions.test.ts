import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningEngine } from '../../src/app/engine-process.ts';
import { DEFAULT_SCORE_OPTIONS, scoreTranscripts } from '../../src/app/score.ts';
import { openEngineBackend } from '../../src/backends/engine.ts';
import type { Backend, NextTokens, ScoreSequence } from '../../src/core/backend.ts';
import type { ScoredEpisode, ScoreOptions } from '../../src/core/scored-episode.ts';
import { packTokens, unpackTokens } from '../../src/core/packed-tokens.ts';
import { startToy } from './model.ts';

let engine: RunningEngine;
let backend: Backend;

beforeAll(async () => {
  engine = await startToy();
  backend = openEngineBackend(engine);
});
afterAll(() => engine.close());

const talk = {
  episode_id: 'a',
  messages: [
    { role: 'user', content: 'Average a list of numbers.' },
    { role: 'assistant', content: 'How should missing values be treated?' },
    { role: 'user', content: 'skip them' },
    { role: 'tool', content: 'lint ok' },
    { role: 'assistant', content: 'Noted: skip them. And how many decimals?' },
    { role: 'user', content: '2 decimals' },
    { role: 'assistant', content: 'Noted: 2 decimals.' },
  ],
} as const;

async function score(options: Partial<ScoreOptions>, scorer: Backend = backend): Promise<ScoredEpisode> {
  const run = { backend: scorer, options: { ...DEFAULT_SCORE_OPTIONS, ...options } };
  for await (const row of scoreTranscripts([{ ...talk, messages: [...talk.messages] }], run)) return row;
  throw new Error('nothing was scored');
}

const mass = ({ logprobs }: NextTokens): number => logprobs.reduce((sum, value) => sum + Math.exp(value), 0);

describe('what else the scorer held possible', () => {
  test('whole distributions add up to 1, and hold the log-prob of the token that stands there', async () => {
    const [ids] = await backend.tokenize(['Average a list of numbers.']);
    const sequence: ScoreSequence = { ids: ids ?? [], from: 1, to: ids?.length ?? 0 };
    const plain = await backend.score([sequence]);
    const full = await backend.score([sequence], { distributions: 'full' });
    const top = await backend.score([sequence], { distributions: { top: 5 } });
    expect(plain.distributions).toBeUndefined();
    const rows = full.distributions?.[0] ?? [];
    expect(rows).toHaveLength(sequence.to - 1);
    rows.forEach((row, j) => {
      expect(mass(row)).toBeCloseTo(1, 6);
      expect(row.logprobs).toEqual(row.logprobs.toSorted((a, b) => b - a));
      const own = row.logprobs[row.ids.indexOf(sequence.ids[j + 1] ?? -1)];
      expect(own).toBeCloseTo(full.logprobs[0]?.[j] ?? NaN, 6);
      // Without the other logits the normaliser is the library's, a sum in 32 bits.
      expect(own).toBeCloseTo(plain.logprobs[0]?.[j] ?? NaN, 4);
      expect(top.distributions?.[0]?.[j]).toEqual({ ids: row.ids.slice(0, 5), logprobs: row.logprobs.slice(0, 5) });
    });
    expect(full.tokensEvaluated).toBe(plain.tokensEvaluated);
  });

  test('more than one answer holds is refused in words, and such a conversation is unsupported, not failed', async () => {
    const ids = Array.from({ length: 2000 }, () => 300);
    const many = Array.from({ length: 12 }, (): ScoreSequence => ({ ids, from: 1, to: ids.length }));
    await expect(backend.score(many, { distributions: 'full' })).rejects.toMatchObject({
      reason: 'distributions_too_large',
      message: expect.stringContaining('kl_topk') as unknown,
    });
  });

  test('the wire changes no number that is a 32-bit float, and nonsense is refused', () => {
    const tokens = { ids: [7, 0, 1535], logprobs: [-0.5, -1.25, Math.fround(-1e-3)] };
    expect(unpackTokens(packTokens(tokens))).toEqual(tokens);
    const [short, odd, positive] = [
      packTokens({ ids: [1], logprobs: [-1, -2] }),
      packTokens({ ids: [1, 1], logprobs: [-1, -2] }),
      packTokens({ ids: [1], logprobs: [0.5] }),
    ];
    for (const packed of [short, odd, positive, { ids: '', logprobs: '' }]) expect(unpackTokens(packed)).toBeNull();
  });
});

describe('divergences end to end', () => {
  test('kl_topk is below kl_full and grows with K; S is as large as it says; totals are those of the shifts', async () => {
    const shift = await score({});
    const full = await score({ estimator: 'kl_full' });
    const tops = await Promise.all([1, 20, 400].map((top_k) => score({ estimator: 'kl_topk', top_k })));
    const gains = (row: ScoredEpisode): (number | null)[] => row.turns.map(({ gain }) => gain);
    expect(gains(full).at(-1)).toBeNull();
    for (const t of [0, 1]) {
      const ladder = [...tops, full].map((row) => row.turns[t]?.gain ?? NaN);
      ladder.slice(1).forEach((more, k) => {
        expect(more).toBeGreaterThanOrEqual((ladder[k] ?? NaN) - 1e-6);
      });
      expect(ladder[0]).toBeGreaterThan(0);
      expect(tops[0]?.turns[t]?.kl_support).toBeLessThanOrEqual(3);
      expect(tops[0]?.turns[t]?.kl_support).toBeGreaterThanOrEqual(2);
      expect(tops[1]?.turns[t]?.kl_support).toBeLessThanOrEqual(22);
      expect(full.turns[t]?.kl_support).toBeGreaterThan(1000);
      expect(full.turns[t]?.gain_sum).toBeCloseTo(shift.turns[t]?.gain_sum ?? NaN, 4);
      expect(shift.turns[t]).not.toHaveProperty('kl_support');
    }
    expect(full.tokens_evaluated).toBeLessThanOrEqual(full.tokens_limit);
    expect(full.options).not.toHaveProperty('top_k');
  });

  test('each observation alone has its divergence too', async () => {
    const { turns } = await score({ estimator: 'kl_topk' });
    expect(turns[0]?.obs_gains?.map(({ gain }) => gain !== null && gain >= 0)).toEqual([true, true]);
    expect(turns[1]?.obs_gains).toEqual([
      { gain: turns[1]?.gain, gain_sum: turns[1]?.gain_sum, null_reason: null, logp_masked: null },
    ]);
  });

  test.each([undefined, 'top'] as const)('a scorer that tells %s is not asked for more: unsupported', async (told) => {
    let asked = 0;
    const facts = await backend.facts();
    const poor: Backend = {
      ...backend,
      facts: () => Promise.resolve({ ...facts, capabilities: { ...facts.capabilities, distributions: told } }),
      score: (...request) => {
        asked += 1;
        return backend.score(...request);
      },
    };
    const { turns, tokens_evaluated } = await score({ estimator: 'kl_full' }, poor);
    expect(turns.map(({ gain, null_reason }) => [gain, null_reason])).toEqual([
      [null, 'unsupported'],
      [null, 'unsupported'],
      [null, 'no_next_action'],
    ]);
    expect(turns[0]?.null_detail).toMatch(/whole distributions; score with the local engine/);
    expect(turns[0]?.obs_gains?.map(({ null_reason }) => null_reason)).toEqual(['unsupported', 'unsupported']);
    expect([asked, tokens_evaluated]).toEqual([0, 0]);
    const top = await score({ estimator: 'kl_topk' }, poor);
    expect(top.turns[0]?.gain === null).toBe(told === undefined);
  });
});
