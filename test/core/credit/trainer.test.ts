import { describe, expect, test } from 'vitest';
import { BASELINES, igpo, rewardToGo, type BaselineEpisode } from '../../../src/core/credit/baselines.ts';
import type { Ledger } from '../../../src/core/credit/ledger.ts';
import { behaviourKnown, importanceWeight, tokenLoss } from '../../../src/core/credit/offpolicy.ts';
import { credit, episode } from './batches.ts';

describe('S8 off policy', () => {
  test('GV6: weights, capped at 2', () => {
    const old = [-0.9, -0.5, -1];
    const behaviour = [-1.4, -0.3, -2];
    const weights = old.map((logprob, j) => importanceWeight(logprob, behaviour[j] ?? NaN));
    [1.648721, 0.818731, 2].forEach((weight, j) => {
      expect(weights[j]).toBeCloseTo(weight, 5);
    });
    expect(importanceWeight(-1, null)).toBe(1);
  });

  test('GV8: the clipped loss and the dual clip', () => {
    expect(tokenLoss(0.8, 1.3)).toBeCloseTo(-0.96, 12);
    expect(tokenLoss(-0.8, 4)).toBeCloseTo(2.4, 12);
    expect(tokenLoss(-0.8, 0.5)).toBeCloseTo(0.64, 12);
    expect(tokenLoss(0.8, 1.3, 2)).toBeCloseTo(-1.92, 12);
  });

  test.each([
    { mode: null, temperature: 1, top_p: 1, top_k: null, known: false },
    { mode: 'processed', temperature: 0.3, top_p: 0.9, top_k: 20, known: true },
    { mode: 'raw', temperature: 1, top_p: 1, top_k: null, known: true },
    { mode: 'raw', temperature: 0.7, top_p: 1, top_k: null, known: false },
    { mode: 'raw', temperature: 1, top_p: 0.9, top_k: null, known: false },
    { mode: 'raw', temperature: 1, top_p: 1, top_k: 40, known: false },
  ] as const)(
    'log-probs $mode at temperature $temperature, top_p $top_p, top_k $top_k: $known',
    ({ mode, known, ...sampling }) => {
      expect(behaviourKnown(mode, sampling)).toBe(known);
    },
  );
});

describe('baselines', () => {
  const batch = [
    episode('a', 'g', 1, [
      [2, 0.5],
      [3, 0.1],
      [5, null],
    ]),
    episode('b', 'g', 0, [
      [1, 0.2],
      [4, null],
    ]),
    episode('c', 'g', null, [[1, null]]),
  ];
  const ledgerOf = (id: string): Ledger => {
    const ledger = credit(batch)[id];
    if (ledger === undefined) throw new Error(`no ledger ${id}`);
    return ledger;
  };
  const meanOverTokens = (ledger: Ledger, column: readonly (number | null)[]): number => {
    const kept = ledger.turns.map(({ tokens }, t) => ({
      tokens: column[t] === 0 ? 0 : tokens,
      value: column[t] ?? NaN,
    }));
    return (
      kept.reduce((sum, { tokens, value }) => sum + tokens * value, 0) / kept.reduce((n, { tokens }) => n + tokens, 0)
    );
  };

  test('GV5: rewards to go', () => {
    rewardToGo([0, 0.5, 1]).forEach((credited, t) => {
      expect(credited).toBeCloseTo([1.04, 1.3, 1][t] ?? NaN, 12);
    });
    expect(rewardToGo([0, 0, 0])).toEqual([0, 0, 0]);
    expect(BASELINES.r2g.of(ledgerOf('b'))).toEqual([0, 0]);
  });

  test('GV7: a reference solution', () => {
    expect(igpo({ before: -1, after: -0.2 })).toBeCloseTo(0.450851312, 5);
    const b = ledgerOf('b');
    const reference = [{ before: -1, after: -1 }, null];
    const referenced = { ...b, turns: b.turns.map((turn, t) => ({ ...turn, reference: reference[t] })) };
    expect(BASELINES.igpo.of(ledgerOf('a'))).toEqual([null, null, null]);
    expect(BASELINES.igpo.of(referenced)).toEqual([0, null]);
  });

  test('token credit has mean z, in proportion to the credit of its turn', () => {
    const a = ledgerOf('a');
    for (const name of ['equalized', 'r2g', 'em'] as const) {
      expect(meanOverTokens(a, BASELINES[name].of(a)), name).toBeCloseTo(a.z ?? NaN, 12);
    }
    const [first, second, last] = BASELINES.r2g.of(rewarded(a, [0, 0.5, 1]));
    expect((first ?? NaN) / (last ?? NaN)).toBeCloseTo(1.04, 12);
    expect((second ?? NaN) / (last ?? NaN)).toBeCloseTo(1.3, 12);
    const early = BASELINES.r2g.of(rewarded(a, [0, 1, 0]));
    expect(early[2]).toBe(0);
    expect(meanOverTokens(a, early)).toBeCloseTo(a.z ?? NaN, 12);
    const em = BASELINES.em.of(rewarded(a, [0, 1, 0.5]));
    expect((em[1] ?? NaN) / (em[0] ?? NaN)).toBeCloseTo(2, 12);
  });

  test('z alone, information alone', () => {
    const a = ledgerOf('a');
    expect(BASELINES.grpo.of(a)).toEqual([a.z, a.z, a.z]);
    expect(BASELINES.intrinsic_only.of(a)).toEqual(
      a.turns.map(({ a_int }) => (a_int === null ? null : a.scale * a_int)),
    );
  });

  test('what is unknown stays so', () => {
    const c = ledgerOf('c');
    for (const column of [BASELINES.grpo.of(c), BASELINES.equalized.of(c), BASELINES.r2g.of(c), BASELINES.em.of(c)]) {
      expect(column).toEqual([null]);
    }
    expect(BASELINES.r2g.of(rewarded(ledgerOf('a'), [1, null, 0]))).toEqual([null, null, null]);
    expect(BASELINES.r2g.of(rewarded(ledgerOf('b'), [-0.8, 0.2]))).not.toContain(0);
  });
});

function rewarded(ledger: Ledger, rewards: readonly (number | null)[]): BaselineEpisode {
  return { ...ledger, turns: ledger.turns.map((turn, t) => ({ ...turn, reward: rewards[t] })) };
}
