import fc from 'fast-check';
import { expect, test } from 'vitest';
import { baselineNames } from '../../../src/core/credit/baselines.ts';
import { creditBatch } from '../../../src/core/credit/credit.ts';
import { GATE_FORMS } from '../../../src/core/credit/gate.ts';
import type { CreditEpisode, CreditTurn, Ledger } from '../../../src/core/credit/ledger.ts';
import { resolveCreditOptions, type CreditChoices } from '../../../src/core/credit/options.ts';

const gain = fc.oneof(fc.constantFrom(null, 0, 0.1), fc.double({ min: -5, max: 5, noNaN: true }));
// In hundredths: of denormal outcomes no share can be taken.
const outcome = fc.oneof(
  fc.constantFrom(null, 0, 1),
  fc.integer({ min: 0, max: 100 }).map((n) => n / 100),
);
const turn = (index: number): fc.Arbitrary<CreditTurn> =>
  fc
    .record({ tokens: fc.nat(40), gain, reward: fc.constantFrom(undefined, undefined, null, 0, 0.5, -1) })
    .map((cell) => ({ ...cell, index, pooled: true, null_reason: cell.gain === null ? ('straddle' as const) : null }));
const batches: fc.Arbitrary<CreditEpisode[]> = fc
  .array(
    fc.record({
      group_id: fc.constantFrom('g', 'h'),
      outcome,
      turns: fc.integer({ min: 1, max: 4 }).chain((n) => fc.tuple(...Array.from({ length: n }, (_, k) => turn(k)))),
    }),
    { minLength: 2, maxLength: 7 },
  )
  .map((episodes) => episodes.map((episode, n) => ({ ...episode, episode_id: `e${n}` })));
const choices: fc.Arbitrary<CreditChoices> = fc.record(
  {
    norm: fc.constantFrom('turn', 'none'),
    pool: fc.constantFrom('ladder', 'group', 'batch', 'calibrated'),
    singleton: fc.constantFrom('batch_loo', 'none'),
    gate_form: fc.constantFrom('sigmoid', 'exp', 'none'),
  },
  { requiredKeys: [] },
);
const measured = { mean: 0.2, sd: 0.4 };
const run = (episodes: readonly CreditEpisode[], choice: CreditChoices): Ledger[] =>
  creditBatch(episodes, resolveCreditOptions(choice, measured));

test('a turn without information gets z to the last bit, beside turns that have some', () => {
  fc.assert(
    fc.property(batches, choices, (episodes, choice) => {
      for (const { z, turns } of run(episodes, choice)) {
        for (const { a_int, advantage } of turns) if (a_int === null) expect(advantage).toBe(z);
      }
    }),
  );
});

test('within an episode more information is never less advantage, and the order is that of the gains', () => {
  fc.assert(
    fc.property(batches, choices, (episodes, choice) => {
      for (const { turns } of run(episodes, choice)) {
        const known = turns.filter(({ a_int }) => a_int !== null).sort((a, b) => (a.gain ?? 0) - (b.gain ?? 0));
        known.slice(1).forEach((later, k) => {
          expect(later.a_int ?? NaN).toBeGreaterThanOrEqual((known[k]?.a_int ?? NaN) - 1e-9);
          expect(later.advantage ?? NaN).toBeGreaterThanOrEqual((known[k]?.advantage ?? NaN) - 1e-9);
        });
      }
    }),
  );
});

test('in a group z has the order of the outcomes, and mean 0', () => {
  fc.assert(
    fc.property(batches, (episodes) => {
      const ledgers = run(episodes, {});
      for (const group of ['g', 'h']) {
        const own = ledgers.filter((ledger) => ledger.group_id === group && ledger.outcome_level === 'group');
        const ordered = own.toSorted((a, b) => (a.outcome ?? 0) - (b.outcome ?? 0));
        ordered.slice(1).forEach((later, k) => {
          expect(later.z ?? NaN).toBeGreaterThanOrEqual(ordered[k]?.z ?? NaN);
        });
        expect(Math.abs(own.reduce((sum, { z }) => sum + (z ?? 0), 0))).toBeLessThan(1e-9);
      }
    }),
  );
});

test.each([
  ['sigmoid', 0.5],
  ['exp', 1],
] as const)('the gate %s starts at %d and closes as outcomes spread, later where T is higher', (form, open) => {
  const { of } = GATE_FORMS[form];
  expect(of(0, 0.5)).toBe(open);
  const positive = fc.double({ min: 0, max: 10, noNaN: true });
  const temperature = fc.double({ min: 0.05, max: 5, noNaN: true });
  fc.assert(
    fc.property(positive, positive, temperature, temperature, (a, b, t, u) => {
      const value = of(a, t);
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(open);
      expect(of(Math.max(a, b), t)).toBeLessThanOrEqual(of(Math.min(a, b), t));
      expect(of(a, Math.max(t, u))).toBeGreaterThanOrEqual(of(a, Math.min(t, u)));
    }),
  );
});

test('turns that are not trained on change no cap and no token credit; a branch adds nothing by what it inherits', () => {
  fc.assert(
    fc.property(batches, choices, (episodes, choice) => {
      const context = { tokens: 0, gain: null, null_reason: 'inherited', pooled: false } as const;
      const branched = episodes.map(({ turns, ...episode }) => ({
        ...episode,
        turns: [{ ...context, index: 0 }, ...turns.map((own) => ({ ...own, index: own.index + 1 }))],
      }));
      const [plain, longer] = [run(episodes, choice), run(branched, choice)];
      longer.forEach((ledger, k) => {
        const other = plain[k];
        expect(ledger.scale).toBe(other?.scale);
        expect(ledger.info_n).toBe(other?.info_n);
        const numbers = (turns: Ledger['turns']): unknown[] => turns.map(({ a_int, advantage }) => [a_int, advantage]);
        expect(numbers(ledger.turns.slice(1))).toEqual(numbers(other?.turns ?? []));
        expect(ledger.turns[0]).toMatchObject({ a_int: null, null_reason: 'inherited' });
      });
    }),
  );
});

test('baselines: rescaled ones have mean z over the tokens with credit; null where a part is; the order of episodes is nothing', () => {
  fc.assert(
    fc.property(batches, choices, (episodes, choice) => {
      const ledgers = run(episodes, choice);
      const backwards = run(episodes.toReversed(), choice).toReversed();
      expect(backwards.map(({ turns }) => turns.map(({ baselines }) => baselines))).toEqual(
        ledgers.map(({ turns }) => turns.map(({ baselines }) => baselines)),
      );
      for (const { z, scale, turns } of ledgers) {
        for (const { a_int, baselines } of turns) {
          expect(Object.keys(baselines)).toEqual(baselineNames);
          expect(baselines.grpo).toBe(z);
          expect(baselines.intrinsic_only).toBe(a_int === null ? null : scale * a_int);
          expect(baselines.igpo).toBeNull();
          if (z === null) expect(baselines.equalized).toBeNull();
        }
        for (const name of ['equalized', 'r2g', 'em'] as const) {
          const kept = turns.filter(({ baselines }) => baselines[name] !== null && baselines[name] !== 0);
          const tokens = kept.reduce((sum, own) => sum + own.tokens, 0);
          if (tokens === 0 || z === null || z === 0) continue;
          const sum = kept.reduce((more, own) => more + own.tokens * (own.baselines[name] ?? 0), 0);
          const size = kept.reduce((most, own) => Math.max(most, Math.abs(own.baselines[name] ?? 0)), 1);
          expect(Math.abs(sum / tokens - z)).toBeLessThan(1e-9 * size);
        }
      }
    }),
  );
});

test('fixed to the placebo gains, one conversation is credited like many', () => {
  fc.assert(
    fc.property(batches, (episodes) => {
      const together = run(episodes, { pool: 'calibrated' });
      episodes.forEach((episode, k) => {
        const [alone] = run([episode], { pool: 'calibrated' });
        expect(alone?.turns.map(({ a_int }) => a_int)).toEqual(together[k]?.turns.map(({ a_int }) => a_int));
        for (const { gain: own, a_int } of alone?.turns ?? []) {
          expect(a_int).toBe(own === null ? null : (own - measured.mean) / (measured.sd + 1e-6));
        }
      });
    }),
  );
});
