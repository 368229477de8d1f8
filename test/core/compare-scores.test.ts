import { expect, test } from 'vitest';
import { compareScores } from '../../src/core/compare-scores.ts';
import type { ScoredEpisode, ScoredTurn } from '../../src/core/scored-episode.ts';

function scored(episode_id: string, gains: readonly (number | null)[]): ScoredEpisode {
  const turns = gains.map((gain, index): ScoredTurn => ({
    index,
    tokens: 1,
    gain,
    gain_sum: gain,
    null_reason: gain === null ? 'no_next_action' : null,
    action_ids: null,
    next_from: null,
    mask_ids: null,
    mask_truncated: false,
    factual_ids_sha: null,
    masked_ids_sha: null,
    logp_factual: null,
    logp_masked: null,
  }));
  return {
    schema: 'turnwise-score/1',
    episode_id,
    group_id: 'g',
    outcome: null,
    scorer: { id: 's', revision: null, tokenizer_sha: null, template_sha: null, backend: 'b', version: null },
    placebo: null,
    options: { estimator: 'shift_mean', clip: null, placeholder: 'x', mask_mode: 'natural', seed: 0, noise: 0 },
    tokens_evaluated: null,
    tokens_limit: 0,
    turns,
  };
}

test('turns are paired by episode and index; what one side lacks is counted, not invented', () => {
  const found = compareScores([scored('e', [0.5, -0.2, null]), scored('f', [1])], [scored('e', [0.4, 0.1, 0.3])]);
  expect(found.pairs).toEqual([
    { episodeId: 'e', turn: 0, a: 0.5, b: 0.4 },
    { episodeId: 'e', turn: 1, a: -0.2, b: 0.1 },
  ]);
  expect(found).toMatchObject({ onlyA: 1, onlyB: 1, rankAgreement: null });
  expect(found.flips).toEqual([{ episodeId: 'e', turn: 1, a: -0.2, b: 0.1 }]);
  expect(found.meanDifference).toBeCloseTo(0.2, 12);
});

test.each<[string, number[], number[], number | null]>([
  ['the same order', [1, 2, 3, 4], [10, 20, 30, 400], 1],
  ['the opposite order', [1, 2, 3], [3, 2, 1], -1],
  // scipy.stats.spearmanr([1, 2, 2, 4, 5], [2, 1, 3, 5, 4])
  ['ties share a rank', [1, 2, 2, 4, 5], [2, 1, 3, 5, 4], 0.7181848464596079],
  ['nothing varies', [1, 1, 1], [1, 2, 3], null],
])('rank agreement: %s', (_, a, b, expected) => {
  const { rankAgreement } = compareScores([scored('e', a)], [scored('e', b)]);
  if (expected === null) expect(rankAgreement).toBeNull();
  else expect(rankAgreement).toBeCloseTo(expected, 12);
});

test('nothing in common is no agreement and no difference', () => {
  expect(compareScores([scored('e', [1])], [])).toEqual({
    pairs: [],
    onlyA: 1,
    onlyB: 0,
    rankAgreement: null,
    meanDifference: null,
    flips: [],
  });
});
