import { describe, expect, test } from 'vitest';
import {
  applyCalibration,
  AUTO_PLACEHOLDER,
  beyondCard,
  DEFAULT_PLACEHOLDER,
  isUnfit,
  mergeCalibrations,
  placeboUnder,
  resolvePlaceholder,
  type Calibration,
  type PlaceholderFitness,
} from '../../src/core/calibration.ts';
import { calibrationOfCard, cardMeasurementsSchema } from '../../src/core/model-card.ts';
import type { ScoredTurn, ScoreOptions } from '../../src/core/scored-episode.ts';

const options: ScoreOptions = {
  estimator: 'shift_mean',
  clip: null,
  placeholder: DEFAULT_PLACEHOLDER,
  mask_mode: 'length_matched',
  seed: 0,
  noise: 0,
};
const figures = { n: 60, mean: 0.4, sd: 0.5 };
const placebo = (changes: Partial<Calibration['placebo'][0]> = {}): Calibration['placebo'][0] => ({
  estimator: 'shift_mean',
  clip: null,
  placeholder: DEFAULT_PLACEHOLDER,
  mask_mode: 'length_matched',
  ...figures,
  ...changes,
});
const fitness = (placeholder: string, uninformative_mean: number, auc: number): PlaceholderFitness => ({
  placeholder,
  mask_mode: 'length_matched',
  n: 60,
  uninformative_mean,
  uninformative_sd: 0.01,
  informative_mean: 1,
  auc,
  fit: auc >= 0.9,
});
const fitTo = (...list: PlaceholderFitness[]): { readonly calibration: Calibration } => ({
  calibration: { placebo: [], fitness: list },
});

describe('placebo figures are those of the very options', () => {
  const known = { placebo: null, calibration: { placebo: [placebo()], fitness: [] } };
  test('the same options', () => {
    expect(placeboUnder(known, options)).toEqual(figures);
  });
  test.each<Partial<ScoreOptions>>([
    { estimator: 'shift_sum' },
    { placeholder: 'not sure' },
    { mask_mode: 'natural' },
    { estimator: 'shift_clip', clip: 1 },
  ])('not %j', (changes) => {
    expect(placeboUnder(known, { ...options, ...changes })).toBeNull();
    // Neither do the plain figures of a card speak for other options.
    expect(placeboUnder({ placebo: figures }, { ...options, ...changes })).toBeNull();
  });
  test('of divergences those of the same K', () => {
    const measured = {
      placebo: null,
      calibration: { placebo: [placebo({ estimator: 'kl_topk', top_k: 20 })], fitness: [] },
    };
    const under = (top_k: number) => placeboUnder(measured, { ...options, estimator: 'kl_topk', top_k });
    expect([under(20), under(5)]).toEqual([figures, null]);
  });
  test('fewer than 50 gains are no figures', () => {
    const few = { placebo: null, calibration: { placebo: [placebo({ n: 49 })], fitness: [] } };
    expect(placeboUnder(few, options)).toBeNull();
  });
});

describe('auto', () => {
  const auto = { placeholder: AUTO_PLACEHOLDER, mask_mode: 'length_matched' } as const;
  test.each([
    ['the default where nothing is known', fitTo(), DEFAULT_PLACEHOLDER],
    ['the default where nothing is fit', fitTo(fitness('not sure', 0, 0.89)), DEFAULT_PLACEHOLDER],
    ['a fit one over one that is not', fitTo(fitness('a', 0, 0.5), fitness('b', 0.3, 0.95)), 'b'],
    ['the one whose empty replies gain least', fitTo(fitness('a', -0.2, 1), fitness('b', 0.05, 0.95)), 'b'],
    ['then the larger AUC', fitTo(fitness('a', 0.001, 0.92), fitness('b', 0.002, 0.99)), 'b'],
    ['then the first', fitTo(fitness('a', 0.003, 1), fitness('b', 0.0001, 0.999)), 'a'],
  ])('takes %s', (_, known, expected) => {
    expect(resolvePlaceholder(auto, known)).toBe(expected);
  });
  test('is of one way of masking', () => {
    const natural = { placeholder: AUTO_PLACEHOLDER, mask_mode: 'natural' } as const;
    expect(resolvePlaceholder(natural, fitTo(fitness('b', 0, 1)))).toBe(DEFAULT_PLACEHOLDER);
  });
  test('any other placeholder is itself', () => {
    expect(resolvePlaceholder(options, fitTo(fitness('b', 0, 1)))).toBe(DEFAULT_PLACEHOLDER);
  });
});

test('the card stays, and what it does not say is kept beside it', () => {
  const card = { placebo: figures, calibration: { placebo: [placebo()], fitness: [fitness('a', 0, 1)] } };
  const measured = {
    placebo: [placebo({ mean: 9 }), placebo({ estimator: 'shift_sum' })],
    fitness: [fitness('a', 0, 0.1), fitness('b', 0, 1)],
  };
  const kept = beyondCard(measured, card);
  expect(kept.placebo.map(({ estimator }) => estimator)).toEqual(['shift_sum']);
  expect(kept.fitness.map(({ placeholder }) => placeholder)).toEqual(['b']);
  const all = mergeCalibrations(card.calibration, measured);
  expect(all.placebo.map(({ mean }) => mean)).toEqual([0.4, 0.4]);
  expect(isUnfit({ calibration: all }, { ...options, placeholder: 'a' })).toBe(false);
  // An old card says the figures of the default options and nothing else.
  expect(beyondCard({ placebo: [placebo()], fitness: [] }, { placebo: figures })).toEqual({ placebo: [], fitness: [] });
});

test('a row that was scored before its scorer was measured carries what is known now', () => {
  const turn = (gain: number | null, flags: ScoredTurn['flags']): ScoredTurn => ({
    index: 0,
    tokens: 3,
    gain,
    gain_sum: gain,
    null_reason: gain === null ? 'no_next_action' : null,
    flags,
    action_ids: null,
    next_from: null,
    mask_ids: null,
    mask_truncated: false,
    factual_ids_sha: null,
    masked_ids_sha: null,
    logp_factual: null,
    logp_masked: null,
  });
  const row = { options, placebo: null, turns: [turn(1, ['next_action_edited']), turn(null, [])] };
  expect(applyCalibration(row, null)).toBe(row);
  const unfit = applyCalibration(row, { placebo: [placebo()], fitness: [fitness(DEFAULT_PLACEHOLDER, 1, 0.2)] });
  expect(unfit.placebo).toEqual(figures);
  expect(unfit.turns.map(({ flags }) => flags)).toEqual([['next_action_edited', 'placeholder_unfit'], []]);
  const again = applyCalibration(unfit, { placebo: [], fitness: [fitness(DEFAULT_PLACEHOLDER, 0, 1)] });
  expect(again.placebo).toEqual(figures);
  expect(again.turns.map(({ flags }) => flags)).toEqual([['next_action_edited'], []]);
});

test("a card's means, totals and fitness in the form of every measurement", () => {
  const card = cardMeasurementsSchema.parse({
    placebo: { ...figures, mean_sum: 8, sd_sum: 7, estimator: 'shift_mean', placeholder: 'x', mask_mode: 'natural' },
    fitness: { x: { n: 60, uninformative_mean: 0, uninformative_sd: 0, informative_mean: 1, auc: 1, fit: true } },
  });
  const {
    placebo: [mean, total],
    fitness: [only],
  } = calibrationOfCard(card);
  expect(mean).toMatchObject({ estimator: 'shift_mean', mean: 0.4, placeholder: 'x', mask_mode: 'natural' });
  expect(total).toMatchObject({ estimator: 'shift_sum', mean: 8, sd: 7 });
  expect(only).toMatchObject({ placeholder: 'x', mask_mode: 'natural', fit: true });
  expect(calibrationOfCard({})).toEqual({ placebo: [], fitness: [] });
});

test("a card's figures under other estimators are of its own placeholder and way of masking", () => {
  const others = [{ estimator: 'kl_topk' as const, clip: null, top_k: 20, n: 60, mean: 2, sd: 1 }];
  const { placebo: found } = calibrationOfCard(cardMeasurementsSchema.parse({ placebo: { ...figures, others } }));
  expect(found.at(-1)).toEqual({ ...others[0], placeholder: DEFAULT_PLACEHOLDER, mask_mode: 'length_matched' });
});
