import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explainLedger } from '../../src/core/credit/explain.ts';
import { axisOf } from '../../src/core/review-axis.ts';
import { compareView } from '../../src/core/review-compare.ts';
import { reviewHostMessageSchema, type Figure } from '../../src/core/review-protocol.ts';
import { reviewUpdate, withUpdate } from '../../src/core/review-update.ts';
import { reviewView } from '../../src/core/review-view.ts';
import { scoredTalk, sourcesOf, talk, type Pair } from './review-episode.ts';

const logprob = fc.double({ min: -12, max: 0, noNaN: true });
const pair = fc
  .array(fc.tuple(logprob, logprob), { minLength: 1, maxLength: 6 })
  .map((both): Pair => [both.map(([factual]) => factual), both.map(([, masked]) => masked)]);
const episode = fc.array(fc.option(pair, { freq: 5 }), { minLength: 1, maxLength: 6 });

/** What a label says, read as a person reads it. */
const numberIn = ({ label }: Figure): number => Number(label.replace('−', '-'));

const expectShown = (figure: Figure, value: number | null, digits: number): void => {
  expect(figure.value).toBe(value);
  if (value === null) expect(figure.label).toMatch(/[a-z]/);
  else expect(numberIn(figure)).toBeCloseTo(value, digits);
  if (value !== null) expect(figure.label.split('.')[1]).toHaveLength(digits);
};

test('every number that is shown equals the ledger and the score at the shown precision', () => {
  fc.assert(
    fc.property(fc.array(episode, { minLength: 1, maxLength: 5 }), (episodes) => {
      const rows = episodes.map((pairs, at) => scoredTalk(`e${at}`, pairs, { outcome: at % 2 }));
      const state = talk('e0', (episodes[0] ?? []).map(String));
      const sources = sourcesOf(state, rows);
      const { head, rows: drawn } = reviewView(sources);
      const { ledger, scored } = sources;
      if (ledger === null || scored === null) throw new Error('It is credited.');
      expectShown(head.z, ledger.z, 3);
      expectShown(head.gate, ledger.gate, 3);
      expectShown(head.scale, ledger.scale, 3);
      expect(head.outcome.value).toBe(ledger.outcome);
      expect(drawn).toHaveLength(ledger.turns.length);
      for (const [at, row] of drawn.entries()) {
        const turn = ledger.turns[at];
        expectShown(row.total, scored.turns[at]?.gain_sum ?? null, 2);
        expectShown(row.mean, turn?.gain ?? null, 3);
        if (turn?.gain !== null) expectShown(row.advantage, turn?.advantage ?? null, 3);
        expectShown(row.aInt, turn?.a_int ?? null, 3);
      }
      const shown = [...head.arithmetic, ...drawn.flatMap((row) => row.arithmetic)];
      expect(explainLedger(ledger).slice(0, shown.length)).toEqual(shown);
      const known = drawn.flatMap(({ total }) => total.value ?? []);
      if (known.length > 0)
        expectShown(
          head.total,
          known.reduce((sum, value) => sum + value, 0),
          2,
        );
    }),
    { numRuns: 60 },
  );
});

const A: Pair = [
  [-1, -0.5],
  [-3, -1],
];
const B: Pair = [
  [-2, -2],
  [-1, -1.5],
];

describe('bars', () => {
  const state = talk('e', ['one', 'two']);
  const shown = scoredTalk('e', [A, B]);
  const scored = (pairs: readonly (Pair | null)[], options: Partial<typeof shown.options>, scorer = shown.scorer) =>
    scoredTalk('e', pairs, { options: { ...shown.options, ...options }, scorer });

  test('have a whisker from the least to the most that placeholders gave, of the same scorer and way of measuring', () => {
    const others = [
      scored([B, A], { placeholder: 'y' }),
      scored([[[-9], [0]], null], { placeholder: 'z', mask_mode: 'natural' }),
      scored([[[-9], [0]], null], { placeholder: 'z' }, { ...shown.scorer, id: 'another' }),
    ];
    const { rows } = reviewView(sourcesOf(state, [shown], { scorings: [shown, ...others] }));
    expect(rows[0]?.total.placeholders).toEqual([-1.5, 2.5]);
    expect(rows[0]?.mean.placeholders).toEqual([-0.75, 1.25]);
    expect(rows[1]?.total.placeholders).toEqual([-1.5, 2.5]);
    expect(reviewView(sourcesOf(state, [shown])).rows[0]?.total.placeholders).toBeNull();
  });

  test('have a whisker of the A/A noise, of the total as many times as there are tokens; also one measured apart', () => {
    const again = scored([A, B], { noise: 2 });
    const noisy = { ...again, turns: again.turns.map((turn) => ({ ...turn, noise: turn.index === 0 ? 0.25 : null })) };
    for (const sources of [sourcesOf(state, [noisy]), sourcesOf(state, [shown], { scorings: [shown, noisy] })]) {
      const { rows } = reviewView(sources);
      expect(rows[0]?.mean.noise).toEqual([1, 1.5]);
      expect(rows[0]?.total.noise).toEqual([2, 3]);
      expect(rows[1]?.mean.noise).toBeNull();
    }
  });

  test('have the noise that was measured of their scorer, and where nobody measured it none and the words why, never 0', () => {
    const measured = (gain: number) => ({ noise: { gain, pairs: 50, rounds: 4 } });
    const { head, rows } = reviewView(sourcesOf(state, [shown], measured(0.25)));
    expect(rows[0]?.mean.noise).toEqual([1, 1.5]);
    expect(rows[0]?.total.noise).toEqual([2, 3]);
    expect(head.noise).toMatch(/0\.25 a token in 50 pairs .* 4 times/);
    expect(reviewView(sourcesOf(state, [shown], measured(0))).head.noise).toMatch(/the same bits/);
    const unknown = reviewView(sourcesOf(state, [shown]));
    expect(unknown.rows.flatMap(({ total, mean }) => [total.noise, mean.noise])).toEqual([
      null,
      null,
      null,
      null,
      null,
      null,
    ]);
    expect(unknown.head.noise).toMatch(/not measured: Check the Scorer/);
    // It was measured of mean gains.
    const sum = reviewView(sourcesOf(state, [scored([A, B], { estimator: 'shift_sum' })], measured(0.25)));
    expect(sum.rows[0]?.total.noise).toBeNull();
    expect(reviewView(sourcesOf(state, [])).head.noise).toBeNull();
  });

  test('that are left out of training say so where their advantage is explained', () => {
    const out = { type: 'override_set', turn: 0, change: { field: 'excluded', value: true } } as const;
    const { rows } = reviewView(sourcesOf(talk('e', ['one', 'two'], [out]), [shown]));
    expect(rows[0]?.against).toMatch(/^left out of training; /);
    expect(rows[1]?.against).not.toMatch(/left out/);
  });

  test('stand before a placebo band where fifty were measured, and before none with fewer', () => {
    const banded = (n: number) =>
      reviewView(sourcesOf(state, [{ ...shown, placebo: { mean: 0.1, sd: 0.2, n } }])).head.band;
    expect(banded(50)?.low).toBeCloseTo(-0.3);
    expect(banded(50)?.high).toBeCloseTo(0.5);
    expect(banded(49)).toBeNull();
  });

  test('say in words why there is none', () => {
    const { rows } = reviewView(sourcesOf(state, [scoredTalk('e', [null, B])]));
    expect(rows.map(({ total }) => total.label)).toEqual([
      'the reply cannot be cut out of its tokens',
      '−1.50',
      'waits for the next action',
    ]);
  });
});

test('scores of a scorer that is gone are shown as they were, and compared with nothing', () => {
  const sources = sourcesOf(talk('e', ['one']), [scoredTalk('e', [A])], {
    ledger: null,
    scoredBy: { name: 'gone on vllm', stale: true },
  });
  const { head, rows } = reviewView(sources);
  expect(head.scoredBy?.stale).toMatch(/stay as they were/);
  expect(rows[0]?.total.label).toBe('+2.50');
  expect(rows[0]?.advantage).toEqual({ value: null, label: rows[0]?.against });
  expect(head.company).toMatch(/compared with nothing/);
});

test.each([
  ['nothing was asked', sourcesOf(talk('e', []), []), /nothing to weigh/],
  ['nothing is scored', sourcesOf(talk('e', ['one']), []), /Score Now/],
  [
    'scoring is under way',
    sourcesOf(talk('e', ['one']), [], { progress: { state: 'scoring', message: null } }),
    /at work/,
  ],
])('where %s the view says what to do', (_, sources, words) => {
  expect(reviewView(sources).head.help).toMatch(words);
});

test('marks come with their rule, and what reviewers said with the turn', () => {
  const said = { type: 'override_set', turn: 0, change: { field: 'label', value: 'useful' } } as const;
  const out = { type: 'override_set', turn: null, change: { field: 'excluded', value: true } } as const;
  const lie: Pair = [
    [-3, -3],
    [-1, -1],
  ];
  const sources = sourcesOf(talk('e', ['one'], [said, out]), [scoredTalk('e', [lie])]);
  const { head, rows } = reviewView(sources);
  expect(rows[0]?.override).toMatchObject({ label: 'useful', excluded: false });
  expect(head.override.excluded).toBe(true);
  expect(rows[0]?.marks.map(({ id }) => id)).toContain('acted_against');
  for (const { rule } of rows[0]?.marks ?? []) expect(rule).toMatch(/nats|gain/i);
  // The score below is what it was.
  expect(rows[0]?.total.label).toBe('−4.00');
});

test('an axis holds every value and zero, and its ticks are round', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { maxLength: 20 }), (values) => {
      const { low, high, ticks } = axisOf(values);
      const slack = (high - low) * 1e-9;
      for (const value of values) expect(value >= low - slack && value <= high + slack).toBe(true);
      expect(low).toBeLessThan(0);
      expect(high).toBeGreaterThan(0);
      expect(ticks.some(({ value }) => value === 0)).toBe(true);
      expect(ticks.length).toBeLessThan(10);
    }),
  );
});

test('an update turns the one view into the other, keeps what did not change, and fits the protocol', () => {
  const one = reviewView(sourcesOf(talk('e', ['one', 'two']), []));
  const scored = sourcesOf(talk('e', ['one', 'two', 'three']), [scoredTalk('e', [A, B, null])]);
  const two = reviewView(scored);
  const update = reviewUpdate(one, two);
  if (update?.type !== 'update') throw new Error('It only grew.');
  expect(reviewHostMessageSchema.safeParse({ ...update, seq: 1 }).success).toBe(true);
  expect(withUpdate(one, update)).toEqual(two);
  expect(reviewUpdate(two, two)).toBeNull();
  const three = reviewView({ ...scored, progress: { state: 'scoring', message: null } });
  const last = reviewUpdate(two, three);
  if (last?.type === 'update') {
    const after = withUpdate(two, last);
    const same = after.rows.filter((row, at) => row === two.rows[at]);
    expect(same.length).toBe(two.rows.length - last.rows.length);
  }
  expect(reviewUpdate(two, one)?.type).toBe('snapshot');
});

test('two scorings of an episode: rank agreement, and the turns that change their sign', () => {
  const state = talk('e', ['a', 'b', 'c']);
  const shown = scoredTalk('e', [A, B, [[-1], [-1.5]]]);
  const other = scoredTalk('e', [B, B, [[-1], [-1.2]]], { options: { ...shown.options, placeholder: 'y' } });
  const sources = sourcesOf(state, [shown], { scorings: [other, shown] });
  const view = compareView(sources, null);
  expect(view.scorings.find(({ key }) => key === view.a)?.shown).toBe(true);
  expect(view.turns.filter(({ flips }) => flips).map(({ index }) => index)).toEqual([0]);
  expect(view.agreement.label).toBe('0.000');
  const back = compareView(sources, { a: view.b ?? '', b: view.a ?? '' });
  expect(back.turns.map(({ a, b }) => [b, a])).toEqual(view.turns.map(({ a, b }) => [a, b]));
  expect(compareView(sourcesOf(state, [shown]), null).remark).toMatch(/one way only/);
});
