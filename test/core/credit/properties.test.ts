import fc from 'fast-check';
import { expect, test } from 'vitest';
import { creditBatch } from '../../../src/core/credit/credit.ts';
import { ledgerSchema, type CreditEpisode, type CreditOptions, type Ledger } from '../../../src/core/credit/ledger.ts';
import { resolveCreditOptions, type CreditChoices } from '../../../src/core/credit/options.ts';
import { TurnwiseError } from '../../../src/core/error.ts';
import { SIX } from './batches.ts';

// Few distinct values as well as many, so that pools without spread and exact zeros are common.
const gain = fc.oneof(
  fc.constantFrom(null, 0, 0.1, 0.1, -0.3),
  fc.double({ min: -20, max: 20, noNaN: true }),
  fc.double({ min: -1e9, max: 1e9, noNaN: true }),
);
const outcome = fc.oneof(fc.constantFrom(null, 0, 1, 0.1), fc.double({ min: 0, max: 1, noNaN: true }));

const turns = (pooled: fc.Arbitrary<boolean>): fc.Arbitrary<CreditEpisode['turns']> =>
  fc
    .array(fc.record({ tokens: fc.nat(60), gain, pooled }), { maxLength: 5 })
    .map((cells) =>
      cells.map((cell, index) => ({ ...cell, index, null_reason: cell.gain === null ? ('straddle' as const) : null })),
    );

const batches = (pooled: fc.Arbitrary<boolean> = fc.nat(5).map((n) => n > 0)): fc.Arbitrary<CreditEpisode[]> =>
  fc
    .array(fc.record({ group_id: fc.constantFrom('g', 'h', 'i'), outcome, turns: turns(pooled) }), {
      minLength: 1,
      maxLength: 8,
    })
    .map((episodes) => episodes.map((episode, n) => ({ ...episode, episode_id: `e${n}` })));

const choices: fc.Arbitrary<CreditChoices> = fc.record(
  {
    preset: fc.constantFrom('colbench', 'usergym', 'tau2'),
    beta: fc.double({ min: 0, max: 3, noNaN: true }),
    gate_form: fc.constantFrom('sigmoid', 'exp', 'none'),
    gate_on: fc.constantFrom('outcome', 'info'),
    norm: fc.constantFrom('turn', 'token', 'none'),
    pool: fc.constantFrom('ladder', 'group', 'batch'),
    min_batch: fc.integer({ min: 1, max: 10 }),
    singleton: fc.constantFrom('batch_loo', 'none', 'reference'),
    sigma_floor: fc.double({ min: 0, max: 2, noNaN: true }),
  },
  { requiredKeys: [] },
);
const placebo = fc.option(
  fc.record({ mean: fc.double({ min: -1, max: 1, noNaN: true }), sd: fc.constantFrom(0, 0.01, 0.5) }),
);

const options: fc.Arbitrary<CreditOptions> = fc.oneof(
  fc.tuple(choices, placebo).map(([choice, measured]) => resolveCreditOptions(choice, measured)),
  fc
    .tuple(choices, placebo)
    .map(([choice, measured]) => resolveCreditOptions({ ...choice, pool_by: 'index', gate_on: 'outcome' }, measured)),
  fc.constant(resolveCreditOptions({ preset: 'infopo_repo' })),
);

const shuffled = (episodes: readonly CreditEpisode[], seed: number): CreditEpisode[] =>
  episodes.toSorted((a, b) => order(a.episode_id, seed) - order(b.episode_id, seed));
const order = (id: string, seed: number): number => (Number(id.slice(1)) * 7919 + seed * 104729) % 101;

const byId = (ledgers: readonly Ledger[]): Ledger[] =>
  ledgers.toSorted((a, b) => (a.episode_id < b.episode_id ? -1 : 1));

test('the order of the episodes and of their turns changes no bit', () => {
  fc.assert(
    fc.property(batches(), options, fc.nat(1000), (episodes, chosen, seed) => {
      const other = shuffled(episodes, seed).map((episode) => ({ ...episode, turns: episode.turns.toReversed() }));
      const ledgers = creditBatch(other, chosen);
      expect(ledgers.map(({ episode_id }) => episode_id)).toEqual(other.map(({ episode_id }) => episode_id));
      expect(byId(ledgers)).toEqual(creditBatch(episodes, chosen));
    }),
    { numRuns: 300 },
  );
});

test('the name of a batch changes with every number in it, and with nothing else', () => {
  const chosen = resolveCreditOptions();
  const name = (episodes: readonly CreditEpisode[], other = chosen): string | undefined =>
    creditBatch(episodes, other)[0]?.batch_id;
  const first = (change: Partial<CreditEpisode>): CreditEpisode[] =>
    SIX.map((episode, at) => (at === 0 ? { ...episode, ...change } : episode));
  const turn = { index: 0, tokens: 2, gain: 0.75, null_reason: null, pooled: true };
  const changed = [
    name(SIX),
    name(SIX.slice(1)),
    name(SIX, resolveCreditOptions({ beta: 0.31 })),
    name(first({ outcome: null })),
    name(first({ group_id: 'G9' })),
    name(first({ turns: [turn] })),
    name(first({ turns: [{ ...turn, tokens: 3 }] })),
    name(first({ turns: [{ ...turn, gain: 0.7500001 }] })),
    name(first({ turns: [{ ...turn, pooled: false }] })),
  ];
  expect(new Set(changed).size).toBe(changed.length);
  const { beta, ...others } = chosen;
  expect(name(SIX, { ...others, beta })).toBe(name(SIX));
  expect(name(SIX)).toMatch(/^[0-9a-f]{64}$/);
});

test('an id that comes twice is refused', () => {
  const [first] = SIX;
  if (first === undefined) throw new Error('no episode');
  expect(() => creditBatch([first, first], resolveCreditOptions())).toThrow(TurnwiseError);
  const twice = { ...first, turns: [...first.turns, ...first.turns] };
  expect(() => creditBatch([twice], resolveCreditOptions())).toThrow(TurnwiseError);
});

test('null is never 0: what is unknown stays unknown, and a reason says why', () => {
  fc.assert(
    fc.property(batches(), options, (episodes, chosen) => {
      for (const ledger of creditBatch(episodes, chosen)) {
        if (ledger.outcome === null) expect(ledger.z).toBeNull();
        expect(ledger.z === null).toBe(ledger.outcome_level === 'none');
        for (const { gain: own, a_int, advantage, null_reason } of ledger.turns) {
          if (own === null) expect(a_int).toBeNull();
          expect(advantage === null).toBe(ledger.z === null && a_int === null);
          expect(null_reason === null).toBe(a_int !== null);
          if (own === null) expect(null_reason).toBe('straddle');
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('every number is finite, the cap in (0, 1], the gate in its bounds, and a ledger fits its schema', () => {
  fc.assert(
    fc.property(batches(), options, (episodes, chosen) => {
      for (const ledger of creditBatch(episodes, chosen)) {
        // The schema refuses NaN and infinities; JSON would hide them as null.
        expect(ledgerSchema.parse(ledger)).toEqual(ledger);
        expect(ledger.scale).toBeGreaterThan(0);
        expect(ledger.scale).toBeLessThanOrEqual(1);
        expect(ledger.gate).toBeGreaterThanOrEqual(0);
        expect(ledger.gate).toBeLessThanOrEqual(chosen.gate_form === 'sigmoid' ? 0.5 : 1);
        if (chosen.gate_on === 'outcome' && chosen.gate_temperature >= 0.05) expect(ledger.gate).toBeGreaterThan(0);
      }
    }),
    { numRuns: 300 },
  );
});

test('the cap does nothing under token norm and group pool', () => {
  fc.assert(
    fc.property(batches(fc.constant(true)), fc.boolean(), (episodes, parity) => {
      const chosen = resolveCreditOptions(parity ? { preset: 'infopo_repo' } : { norm: 'token', pool: 'group' });
      // Both epsilons of S6 can cost a millionth.
      for (const { scale } of creditBatch(episodes, chosen)) expect(scale).toBeGreaterThan(1 - 2e-6);
    }),
    { numRuns: 300 },
  );
});

test('without gains the advantage is z', () => {
  fc.assert(
    fc.property(batches(), options, (episodes, chosen) => {
      const silent = episodes.map((episode) => ({
        ...episode,
        turns: episode.turns.map((turn) => ({ ...turn, gain: null })),
      }));
      for (const { z, turns: credited } of creditBatch(silent, chosen)) {
        for (const { advantage } of credited) expect(advantage).toBe(z);
      }
    }),
  );
});

test('ledgers hold all that is needed to compute them again', () => {
  fc.assert(
    fc.property(batches(), options, (episodes, chosen) => {
      const ledgers = creditBatch(episodes, chosen);
      const again = ledgers.map(({ episode_id, group_id, outcome: known, turns: credited }) => ({
        episode_id,
        group_id,
        outcome: known,
        turns: credited.map(({ index, tokens, gain: own, pooled, null_reason }) => ({
          index,
          tokens,
          gain: own,
          pooled,
          null_reason: own === null ? null_reason : null,
        })),
      }));
      expect(creditBatch(again, ledgers[0]?.options ?? chosen)).toEqual(ledgers);
    }),
  );
});

test('S4 and S6 agree with the same sums written out token by token', () => {
  fc.assert(
    fc.property(batches(), fc.constantFrom('turn', 'token'), (episodes, norm) => {
      const ledgers = creditBatch(episodes, resolveCreditOptions({ norm, pool: 'batch' }));
      const samples = episodes.flatMap((episode) =>
        episode.turns.flatMap(({ gain: own, tokens, pooled }) => {
          if (own === null || !pooled) return [];
          return norm === 'turn' ? [own] : Array.from({ length: tokens }, () => own / tokens);
        }),
      );
      const out: number[] = [];
      const info: number[] = [];
      for (const { z, turns: credited } of ledgers) {
        for (const { tokens, a_int } of credited) {
          for (let token = 0; token < tokens; token += 1) {
            if (z !== null) out.push(z);
            info.push(a_int ?? 0);
          }
        }
      }
      for (const ledger of ledgers) {
        close(ledger.sd_out, sd(out));
        close(ledger.sd_int, sd(info));
        if (ledger.info_level !== 'batch') continue;
        expect(ledger.info_n).toBe(samples.length);
        close(ledger.info_sd ?? 0, sd(samples));
      }
    }),
  );
});

function sd(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

function close(found: number, expected: number): void {
  expect(Math.abs(found - expected)).toBeLessThanOrEqual(1e-6 + 1e-9 * Math.abs(expected));
}
