import { describe, expect, test } from 'vitest';
import { yardstick, type RatedTurn } from '../../src/app/yardstick.ts';

const rated = (thumbs: string, gains: readonly (number | null)[], more: Partial<RatedTurn> = {}): RatedTurn[] =>
  Array.from(thumbs, (thumb, turn) => ({
    episodeId: 'e',
    turn,
    thumb: thumb === '+' ? 1 : 0,
    note: null,
    gain: gains[turn] ?? null,
    gainSum: gains[turn] ?? null,
    unfit: false,
    ...more,
  }));

describe('thumbs against gains', () => {
  const mixed = [0.9, 0.8, 0.7, 0.6, 0.55, 0.3, 0.2, 0.1, 0, -0.1];

  test('ties share their mean rank: the value by hand', () => {
    const { n, up, mean, total } = yardstick(rated('+++++-----', mixed));
    expect({ n, up }).toEqual({ n: 10, up: 5 });
    // Thumbs have ranks 2 and 7, gains 0 to 9: 62.5 / sqrt(62.5 * 82.5).
    expect(mean?.rho).toBeCloseTo(Math.sqrt(62.5 / 82.5), 12);
    expect(total?.rho).toBeCloseTo(mean?.rho ?? NaN, 12);
    expect(yardstick(rated('-----+++++', mixed)).mean?.rho).toBeCloseTo(-Math.sqrt(62.5 / 82.5), 12);
  });

  test('the interval holds the value, is the same in any order, and narrows with more ratings', () => {
    const noisy = '+-++-+--+-';
    const few = rated(noisy, mixed);
    const { mean } = yardstick(few);
    if (mean === null) throw new Error('no figure');
    expect(mean.low).toBeLessThan(mean.rho);
    expect(mean.high).toBeGreaterThan(mean.rho);
    expect(yardstick(few.toReversed())).toEqual(yardstick(few));
    const many = Array.from({ length: 20 }, (_, k) => rated(noisy, mixed, { episodeId: `e${k}` })).flat();
    const wide = yardstick(many).mean;
    expect((wide?.high ?? 9) - (wide?.low ?? 0)).toBeLessThan((mean.high - mean.low) / 2);
    expect(wide?.rho).toBeCloseTo(mean.rho, 12);
  });

  test('nine are too few, ten are enough, and a turn without a gain is not one of them', () => {
    expect(yardstick(rated('+++++----', mixed))).toMatchObject({ n: 9, mean: null, total: null, apart: [] });
    expect(yardstick(rated('+++++-----', [...mixed.slice(0, 9), null]))).toMatchObject({
      n: 9,
      without: 1,
      mean: null,
    });
    expect(yardstick(rated('+++++-----', mixed)).mean).not.toBeNull();
    expect(yardstick([])).toMatchObject({ n: 0, up: 0, mean: null });
  });

  test('thumbs that are all alike, or gains that are, agree with nothing', () => {
    expect(yardstick(rated('++++++++++', mixed)).mean).toBeNull();
    expect(
      yardstick(
        rated(
          '+++++-----',
          mixed.map(() => 0.5),
        ),
      ).mean,
    ).toBeNull();
  });

  test('a total is told only where every turn has one', () => {
    const [first, ...rest] = rated('+++++-----', mixed);
    if (first === undefined) throw new Error('no turn');
    const measured = yardstick([{ ...first, gainSum: null }, ...rest]);
    expect(measured.total).toBeNull();
    expect(measured.mean).not.toBeNull();
  });

  test('names the turns in which thumb and gain are the furthest apart', () => {
    const { apart } = yardstick(rated('-+++++----', mixed, { note: 'why' }));
    expect(apart.map(({ turn }) => turn)).toEqual([0, 5]);
  });
});
