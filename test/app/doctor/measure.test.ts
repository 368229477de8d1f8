import { describe, expect, test } from 'vitest';
import { areaUnderCurve, checkFitness, measureFitness } from '../../../src/app/doctor/check-fitness.ts';
import { measurePlacebo } from '../../../src/app/doctor/check-placebo.ts';
import { keepCalibration } from '../../../src/app/doctor/keep-calibration.ts';
import type { ProbeGains, Shifts } from '../../../src/app/doctor/probe-gains.ts';
import { donorOf, probesFrom, someProbes, type Probe } from '../../../src/app/doctor/probes.ts';
import { openJournal } from '../../../src/store/journal.ts';
import { letterFacts } from '../letter-backend.ts';
import { temporaryStore } from '../../store/temporary-store.ts';

/** n lists of two shifts around a mean, the k-th moved by k hundredths, so that moments can be had by hand. */
const shiftsAround = (mean: number, n: number): number[][] =>
  Array.from({ length: n }, (_, k) => [mean + k / 100 - 0.5, mean + k / 100 + 0.5]);

const gainsOf = (byPlaceholder: Readonly<Record<string, Shifts>>): ProbeGains => ({
  byPlaceholder: new Map(Object.entries(byPlaceholder)),
  records: [],
  cut: 0,
  replies: 0,
  actions: 'sampled',
  pairs: [],
});

describe('placebo figures', () => {
  const placebo = (n: number): ProbeGains =>
    gainsOf({ mask: { told: [], silent: [], placebo: shiftsAround(0.2, n), placeboTopK: null, placeboFull: null } });

  test('every estimator has its own, in its own nats', () => {
    const figures = new Map(measurePlacebo(placebo(51), 'natural').map((entry) => [entry.estimator, entry]));
    expect([...figures.keys()]).toEqual(['shift_mean', 'shift_sum', 'shift_clip', 'shift_relu', 'k2', 'k3']);
    // k / 100 over k = 0..50 has mean .25 and ddof-1 sd .01 sqrt(51 * 52 / 12).
    const sd = 0.01 * Math.sqrt((51 * 52) / 12);
    expect(figures.get('shift_mean')).toMatchObject({ n: 51, placeholder: 'mask', mask_mode: 'natural', clip: null });
    expect(figures.get('shift_mean')?.mean).toBeCloseTo(0.45, 9);
    expect(figures.get('shift_mean')?.sd).toBeCloseTo(sd, 9);
    expect(figures.get('shift_sum')?.mean).toBeCloseTo(0.9, 9);
    expect(figures.get('shift_sum')?.sd).toBeCloseTo(2 * sd, 9);
    expect(figures.get('shift_clip')?.clip).toBe(1);
  });

  test('where the scorer tells distributions, divergences have figures too', () => {
    const placeboTopK = Array.from({ length: 50 }, (_, k) => k);
    const placeboFull = placeboTopK.map((gain) => 2 * gain);
    const known = gainsOf({ mask: { told: [], silent: [], placebo: [], placeboTopK, placeboFull } });
    const way = { clip: null, placeholder: 'mask', mask_mode: 'length_matched' };
    const sd = Math.sqrt((50 * 51) / 12);
    expect(measurePlacebo(known, 'length_matched')).toEqual([
      { ...way, estimator: 'kl_topk', top_k: 20, n: 50, mean: 24.5, sd },
      { ...way, estimator: 'kl_full', n: 50, mean: 49, sd: 2 * sd },
    ]);
  });

  test('of 49 there are none, of 50 there are', () => {
    expect(measurePlacebo(placebo(49), 'length_matched')).toEqual([]);
    expect(measurePlacebo(placebo(50), 'length_matched')).toHaveLength(6);
  });
});

describe('fitness', () => {
  const fitnessOf = (told: number, silent: number, n = 50) =>
    measureFitness(
      gainsOf({
        mask: {
          told: shiftsAround(told, n),
          silent: shiftsAround(silent, n),
          placebo: [],
          placeboTopK: null,
          placeboFull: null,
        },
      }),
      'length_matched',
    );

  test('the area under the curve counts ties half', () => {
    expect(areaUnderCurve([1, 2], [0, 0])).toBe(1);
    expect(areaUnderCurve([0], [0])).toBe(0.5);
    expect(areaUnderCurve([0, 3], [1, 1])).toBe(0.5);
    expect(areaUnderCurve([0], [1])).toBe(0);
  });

  test('fit where telling replies outrank empty ones, unfit where they do not or stand on their head', () => {
    expect(fitnessOf(2, 0)[0]).toMatchObject({ auc: 1, fit: true, n: 50 });
    expect(fitnessOf(0, 0)[0]).toMatchObject({ auc: 0.5, fit: false });
    expect(fitnessOf(0, 2)[0]).toMatchObject({ auc: 0, fit: false });
    expect(fitnessOf(2, 0, 49)).toEqual([]);
  });

  test('the default unfit and another fit: a warning that names it; none fit: a failure', () => {
    const [unfit] = fitnessOf(0, 2);
    const [fit] = fitnessOf(2, 0);
    if (!unfit || !fit) return expect.fail('measured nothing');
    const standard = { ...unfit, placeholder: 'No information found.' };
    const warning = checkFitness([standard, { ...fit, placeholder: 'not sure' }], 'length_matched');
    expect(warning).toMatchObject({ state: 'warn' });
    expect(warning.sentence).toContain('"not sure"');
    expect(checkFitness([standard], 'length_matched').state).toBe('fail');
    expect(checkFitness([], 'length_matched').state).toBe('unknown');
  });
});

describe('probes', () => {
  const talk = (id: string, reply: string) => ({
    episode_id: id,
    group_id: id,
    messages: [
      { role: 'user' as const, content: 'Sort it.' },
      { role: 'assistant' as const, content: 'How?' },
      { role: 'user' as const, content: reply },
      { role: 'assistant' as const, content: 'Done.' },
      { role: 'user' as const, content: 'thanks' },
    ],
  });

  test('every reply that was acted upon is one, and what says nothing is the same in every run', () => {
    const probes = probesFrom([talk('a', 'by name')], ['no idea', 'up to you']);
    expect(probes).toHaveLength(1);
    expect(probes[0]).toMatchObject({ id: 'a/0', told: { text: 'by name', next: 'Done.' } });
    expect(probes[0]?.history).toHaveLength(2);
    expect(probes).toEqual(probesFrom([talk('a', 'by name')], ['no idea', 'up to you']));
  });

  test('a donor is of another task and says something else', () => {
    const probes: Probe[] = probesFrom([talk('a', 'x'), talk('b', 'x'), talk('c', 'y')], ['no idea']);
    expect(donorOf(probes, 0)).toBe('y');
    expect(donorOf(probes.slice(0, 2), 0)).toBeNull();
    expect(someProbes(probes, 2).map(({ task }) => task)).toEqual(['a', 'b']);
  });
});

test('what was measured outlives the store being closed, and what was measured again replaces it', () => {
  const path = temporaryStore();
  const keep = (mean: number, estimator: 'shift_mean' | 'shift_sum'): boolean => {
    const journal = openJournal(path);
    const placebo = { estimator, clip: null, placeholder: 'x', mask_mode: 'natural' as const, n: 60, mean, sd: 1 };
    const kept = keepCalibration(journal, {
      scorer: letterFacts.identity,
      facts: letterFacts,
      probes: null,
      maskMode: 'natural',
      checks: [],
      calibration: { placebo: [placebo], fitness: [], noise: { gain: mean / 100, pairs: 50, rounds: 4 } },
    });
    journal.close();
    return kept;
  };
  expect([keep(1, 'shift_mean'), keep(2, 'shift_sum'), keep(3, 'shift_mean')]).toEqual([true, true, true]);
  const journal = openJournal(path);
  const known = journal.calibrations.get(letterFacts.identity);
  expect(known?.placebo.map(({ estimator, mean }) => [estimator, mean])).toEqual([
    ['shift_mean', 3],
    ['shift_sum', 2],
  ]);
  expect(known?.noise).toEqual({ gain: 0.03, pairs: 50, rounds: 4 });
  expect(journal.calibrations.get({ ...letterFacts.identity, version: '2' })).toBeNull();
  journal.close();
});
