import { describe, expect, test } from 'vitest';
import { creditBatch } from '../../src/core/credit/credit.ts';
import { resolveCreditOptions } from '../../src/core/credit/options.ts';
import { reduce } from '../../src/core/reduce.ts';
import { companyIn, oneLine, reviewEpisode, signed, type ScoringProgress } from '../../src/core/review.ts';
import { scoredEpisodeSchema, type ScoredEpisode } from '../../src/core/scored-episode.ts';
import { started, stored } from './event-arbitrary.ts';
import { exchanges } from './review-episode.ts';

const episode = (...replies: (string | null)[]) =>
  reduce(
    stored([{ ...started, max_turns: 9 }, { type: 'request_accepted', text: 'Convert\nit.' }, ...exchanges(replies)]),
  );

function scores(...gains: (number | null)[]): ScoredEpisode {
  return scoredEpisodeSchema.parse({
    schema: 'turnwise-score/1',
    episode_id: 'e',
    group_id: 'e',
    outcome: null,
    scorer: { id: 's', revision: null, tokenizer_sha: null, template_sha: null, backend: 'b', version: null },
    placebo: null,
    options: { estimator: 'shift_mean', clip: null, placeholder: 'x', mask_mode: 'natural', seed: 0, noise: 0 },
    tokens_evaluated: null,
    tokens_limit: 1,
    turns: gains.map((gain, index) => ({
      index,
      tokens: 4,
      gain,
      gain_sum: gain === null ? null : gain * 4,
      null_reason: gain === null ? 'no_next_action' : null,
      action_ids: null,
      next_from: null,
      mask_ids: null,
      mask_truncated: false,
      factual_ids_sha: null,
      masked_ids_sha: null,
      logp_factual: null,
      logp_masked: null,
    })),
  });
}

const queued: ScoringProgress = { state: 'queued', message: null };

describe('a turn without a gain says why', () => {
  test.each<[string, (string | null)[], (number | null)[] | null, ScoringProgress | null, string, boolean]>([
    ['the last action', ['a', null], null, queued, 'waits for the next action', false],
    ['nobody asked for a score', ['a', null], null, null, 'not scored yet', false],
    ['it waits', ['a', null], null, queued, 'queued', true],
    [
      'it failed, and will be tried again',
      ['a', null],
      null,
      { state: 'queued', message: 'No engine.' },
      'not scored yet: No engine.',
      false,
    ],
    ['it is at work', ['a', null], null, { state: 'scoring', message: null }, 'scoring…', true],
    [
      'the scorer failed',
      ['a', null],
      null,
      { state: 'failed', message: 'No engine; install it.' },
      'not scored: No engine; install it.',
      false,
    ],
    ['scored when it was the last one', ['a', 'b', null], [0.5, null], queued, 'queued', true],
  ])('%s', (name, replies, gains, progress, why, pending) => {
    const index = name === 'the last action' ? 1 : name.startsWith('scored when') ? 1 : 0;
    const review = reviewEpisode(episode(...replies), gains && scores(...gains), null, progress);
    expect(review.turns[index]).toMatchObject({ gain: null, why, pending });
  });

  test('a reason that scoring found is kept, whatever the queue says', () => {
    const row = scores(null, null);
    const [first] = row.turns;
    const odd = { ...row, turns: [{ ...first, null_reason: 'straddle' as const }, ...row.turns.slice(1)] };
    const review = reviewEpisode(episode('a', null), scoredEpisodeSchema.parse(odd), null, queued);
    expect(review.turns[0]).toMatchObject({ why: 'the reply cannot be cut out of its tokens', pending: false });
  });
});

test('the sum stands for the turn, the mean beside it, and the episode is the sum of what is known', () => {
  const review = reviewEpisode(episode('metres', 'two', null), scores(0.5, -0.25, null), null, null);
  expect(review.turns.map(({ gain, mean }) => [gain, mean])).toEqual([
    [2, 0.5],
    [-1, -0.25],
    [null, null],
  ]);
  expect(review).toMatchObject({ gain: 1, title: 'Convert it.' });
  expect(reviewEpisode(episode('a', null), null, null, null).gain).toBeNull();
});

test('credit names what it was measured against, and says when conversations are missing', () => {
  const state = episode('metres', null);
  const member = (id: string, gain: number, outcome: number | null) => ({
    episode_id: id,
    group_id: id,
    outcome,
    turns: [{ index: 0, tokens: 4, gain, null_reason: null, pooled: true }],
  });
  const words = (members: ReturnType<typeof member>[]): [number | null, string] | undefined => {
    const ledgers = creditBatch(members, resolveCreditOptions());
    const [ledger = expect.fail('no credit')] = ledgers;
    const company = companyIn(ledgers, ledger);
    const { credit } = reviewEpisode(state, scores(0.5, null), ledger, null, null, company).turns[0] ?? {};
    return credit && [credit.advantage, credit.words];
  };
  expect(words([member('e', 0.5, null)])).toEqual([null, 'needs more conversations']);
  const many = Array.from({ length: 8 }, (_, at) => member(`m${at}`, at / 10, null));
  const [advantage, against] = words([member('e', 0.5, null), ...many]) ?? [];
  expect(advantage).not.toBeNull();
  expect(against).toBe('against 8 other episodes (9 gains)');
});

test('a turn that told much in an episode that failed is marked beside its advantage', () => {
  const member = (id: string, outcome: number) => ({
    episode_id: id,
    group_id: 'task',
    outcome,
    turns: [{ index: 0, tokens: 4, gain: 0.5, null_reason: null, pooled: true }],
  });
  const caution = (outcome: number): string | null | undefined => {
    const ledgers = creditBatch([member('e', outcome), member('other', 1)], resolveCreditOptions());
    const ledger = ledgers.find(({ episode_id }) => episode_id === 'e') ?? null;
    return reviewEpisode(episode('metres', null), scores(0.5, null), ledger, null).turns[0]?.credit.caution;
  };
  expect(caution(0)).toBe('told much, and the outcome fell short: was it right?');
  expect(caution(1)).toBeNull();
});

test.each([
  [0.412, 2, '+0.41'],
  [-0.0749, 2, '−0.07'],
  [-0.001, 2, '0.00'],
  [0, 3, '0.000'],
])('%f is written %s', (value, digits, expected) => {
  expect(signed(value, digits)).toBe(expected);
});

test('a line is cut between characters', () => {
  expect(oneLine(' a \n b\t', 3)).toBe('a b');
  expect(oneLine('🍰🍰🍰', 2)).toBe('🍰…');
});

test('a gain under a placeholder that is unfit for the scorer is shown with a caution, with credit and without', () => {
  const unfit = scores(0.5, null);
  const turns = unfit.turns.map((turn) => ({ ...turn, flags: ['placeholder_unfit' as const] }));
  const [first, last] = reviewEpisode(episode('metres', null), { ...unfit, turns }, null, null).turns;
  expect(first?.credit.caution).toMatch(/unfit/);
  expect(last?.credit.caution).toBeNull();
  expect(reviewEpisode(episode('metres', null), unfit, null, null).turns[0]?.credit.caution).toBeNull();
});
