import { compareScores } from './compare-scores.ts';
import type { EpisodeState, TurnState } from './episode-state.ts';
import { axisOf } from './review-axis.ts';
import type { CompareView, Figure } from './review-protocol.ts';
import { figure, FINE_DIGITS, placeholderWords, type ReviewSources } from './review-view.ts';
import { gistOf } from './gist.ts';
import { FINAL_ANSWER, isFinalAnswer, oneLine, reasonWords } from './review.ts';
import type { ScoredEpisode } from './scored-episode.ts';
import { sha256Text } from './sha.ts';

/**
 * Two scorings of an episode side by side, in each one's own nats: the chosen two, else the one that is shown and the newest other.
 * A turn flips where one says that the reply helped and the other that it did not.
 */
export function compareView(
  { state, scored, scorings }: ReviewSources,
  chosen: { readonly a: string; readonly b: string } | null,
): CompareView {
  const named = scorings.map((row) => ({ key: scoringKey(row), row }));
  const find = (key: string | null | undefined): ScoredEpisode | null =>
    named.find((one) => one.key === key)?.row ?? null;
  const a = find(chosen?.a) ?? (scored === null ? null : find(scoringKey(scored))) ?? named[0]?.row ?? null;
  const b = find(chosen?.b) ?? named.find(({ row }) => row !== a)?.row ?? null;
  const both = a !== null && b !== null ? compareScores([a], [b]) : null;
  const flips = new Set(both?.flips.map(({ turn }) => turn));
  const turns = state.turns.map((turn) => ({
    index: turn.index,
    said: oneLine(gistOf(turn)),
    a: gainIn(a, state, turn),
    b: gainIn(b, state, turn),
    flips: flips.has(turn.index),
  }));
  return {
    scorings: named.map(({ key, row }) => ({
      key,
      name: `${row.scorer.id} on ${row.scorer.backend}`,
      how: howOf(row),
      shown: scored !== null && key === scoringKey(scored),
    })),
    a: a === null ? null : scoringKey(a),
    b: b === null ? null : scoringKey(b),
    agreement: figure(both?.rankAgreement ?? null, FINE_DIGITS, 'needs three turns that differ'),
    difference: {
      value: both?.meanDifference ?? null,
      label: both?.meanDifference == null ? 'none' : both.meanDifference.toFixed(FINE_DIGITS),
    },
    remark: remarkOf(named.length, both),
    axis: axisOf(turns.flatMap((turn) => [turn.a.value ?? 0, turn.b.value ?? 0])),
    turns,
  };
}

/** Names a scoring of an episode: who scored, and how. */
export function scoringKey({ scorer, options }: ScoredEpisode): string {
  const { id, revision, backend, version } = scorer;
  const key = JSON.stringify([id, revision, backend, version, Object.entries(options).sort()]);
  return sha256Text(key).slice(0, 16);
}

function howOf({ options }: ScoredEpisode): string {
  const { estimator, placeholder, mask_mode } = options;
  return `${placeholderWords(placeholder)}, ${mask_mode === 'natural' ? 'natural length' : 'length matched'}, ${estimator}`;
}

function gainIn(row: ScoredEpisode | null, state: EpisodeState, turn: TurnState): Figure {
  const scored = row?.turns.find(({ index }) => index === turn.index);
  const why = isFinalAnswer(state, turn) ? FINAL_ANSWER : reasonWords(scored?.null_reason ?? 'not_scored_yet');
  return figure(scored?.gain ?? null, FINE_DIGITS, why);
}

function remarkOf(scorings: number, both: ReturnType<typeof compareScores> | null): string {
  if (scorings === 0) return 'Nothing is scored yet, so there is nothing to compare. Score Now asks the chosen scorer.';
  if (both === null) {
    return 'This episode was scored in one way only. Choose another scorer or another placeholder and press Score Now; both scorings stay.';
  }
  const { pairs, flips, onlyA, onlyB } = both;
  const alone = onlyA + onlyB === 0 ? '' : ` ${onlyA} only in the first, ${onlyB} only in the second.`;
  const turned = flips.length === 0 ? 'no turn changes its sign' : `${flips.length} changed sign`;
  return `${pairs.length} ${pairs.length === 1 ? 'turn has' : 'turns have'} a gain in both, ${turned}.${alone}`;
}
