import fc from 'fast-check';
import { expect, test } from 'vitest';
import { barsWithQuartiles, histogramBars, lineOverTime } from '../../src/core/picture/charts.ts';
import { escaped, ticks } from '../../src/core/picture/svg.ts';
import { spreadOf, trendsOf, type TrendEpisode } from '../../src/core/trends.ts';

type Turn = readonly [total: number | null, words: number | null, thumb?: 0 | 1];

function episode(id: string, turns: readonly Turn[], { inherited = 0, unfit = false, day = 1 } = {}): TrendEpisode {
  return {
    digest: {
      id,
      startedAt: new Date(2026, 10, day, 12).getTime(),
      outcome: turns.length % 2,
      turns: turns.map(([, words, thumb], index) => ({
        kind: words === null ? 'answer' : 'question',
        inherited: index < inherited,
        words,
        thumb: thumb ?? null,
        label: null,
        excluded: false,
      })),
    },
    score: {
      gains: turns.map(([total]) => ({ total, mean: total === null ? null : total / 4, unfit, reason: null })),
      marks: [],
    },
  };
}

test('figures over conversations, each turn counted once', () => {
  const trends = trendsOf([
    episode('a', [
      [1, 2, 1],
      [0.1, 6],
      [null, null],
    ]),
    episode(
      'b',
      [
        [3, 2, 0],
        [null, null],
      ],
      { day: 3 },
    ),
    episode(
      'branch',
      [
        [9, 9],
        [0.5, 4],
        [null, null],
      ],
      { inherited: 1, day: 3 },
    ),
    episode(
      'unfit',
      [
        [7, 3, 1],
        [null, null],
      ],
      { unfit: true, day: 3 },
    ),
    { ...episode('unscored', [[null, 5]]), score: null },
  ]);
  expect(trends).toMatchObject({ episodes: 5, scored: 4, questions: 6 });
  expect(trends.gainByTurn.map(({ label, spread }) => [label, spread.n, spread.mean])).toEqual([
    ['1', 2, 2],
    ['2', 2, 0.3],
  ]);
  expect(trends.questionsPerEpisode).toEqual([
    { label: '0', n: 0 },
    { label: '1', n: 4 },
    { label: '2', n: 1 },
  ]);
  expect(trends.wordsPerQuestion).toMatchObject({ n: 6, mean: 22 / 6 });
  expect(trends.gainPerQuestion).toMatchObject({ n: 4, mean: 4.6 / 4 });
  expect(trends.gainPerWord).toBeCloseTo(4.6 / 14, 12);
  expect(trends.needless).toEqual({ n: 1, of: 4 });
  expect(trends.byDay.map(({ day, gain }) => [day, gain.n])).toEqual([
    ['2026-11-01', 2],
    ['2026-11-03', 2],
  ]);
  expect(
    trends.rated.map(({ episodeId, turn, thumb, gainSum, unfit }) => [episodeId, turn, thumb, gainSum, unfit]),
  ).toEqual([
    ['a', 0, 1, 1, false],
    ['b', 0, 0, 3, false],
    ['unfit', 0, 1, 7, true],
  ]);
});

test('nothing is known of nothing', () => {
  expect(trendsOf([])).toMatchObject({
    episodes: 0,
    gainByTurn: [],
    questionsPerEpisode: [],
    gainPerWord: null,
    needless: { n: 0, of: 0 },
  });
  expect(spreadOf([])).toEqual({ n: 0, mean: null, low: null, median: null, high: null });
});

const totals = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { maxLength: 12 });

test('a spread lies among its values, and axes hold them, whatever they are', () => {
  fc.assert(
    fc.property(totals, (values) => {
      const { low, median, high, mean } = spreadOf(values);
      for (const value of [low, median, high]) if (value !== null) expect(values).toContain(value);
      if (low !== null && high !== null && mean !== null) {
        expect(low).toBeLessThanOrEqual(high);
        expect(mean).toBeLessThanOrEqual(Math.max(...values) + 1e-6);
      }
      if (values.length === 0) return;
      const steps = ticks(Math.min(...values), Math.max(...values));
      expect(steps[0]).toBeLessThanOrEqual(Math.min(...values) + 1e-9);
      expect(steps.at(-1)).toBeGreaterThanOrEqual(Math.max(...values) - 1e-9);
      expect(steps.length).toBeLessThanOrEqual(7);
    }),
  );
});

test('pictures are plain shapes: no script, no style, no foreign text as markup, and named in words', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), totals), { maxLength: 6 }), (places) => {
      const points = places.map(([label, values]) => ({ label, spread: spreadOf(values) }));
      const counts = places.map(([label, values]) => ({ label, n: values.length }));
      const about = { title: 'Gain <by> "turn"', axis: 'turn & more', unit: 'nats' };
      for (const svg of [barsWithQuartiles(points, about), lineOverTime(points, about), histogramBars(counts, about)]) {
        expect(svg).toMatch(/^<svg [^>]*role="img" aria-label="[^"]+"/);
        expect(svg).not.toMatch(/<script|style=|javascript:|\son\w+=|NaN|Infinity|undefined/);
        // Every element that opens closes, and only those that a picture is made of stand in it.
        const tags = [...svg.matchAll(/<(\/?)([a-zA-Z]+)[^<>]*?(\/?)>/g)];
        expect(new Set(tags.map(([, , name]) => name)).size).toBeLessThanOrEqual(9);
        const depth = tags.reduce((sum, [, close, , own]) => sum + (close === '/' ? -1 : own === '/' ? 0 : 1), 0);
        expect(depth).toBe(0);
      }
    }),
  );
  expect(escaped('<b onclick="x">&\u0000\ud800')).toBe('&lt;b onclick=&quot;x&quot;&gt;&amp;  ');
});
