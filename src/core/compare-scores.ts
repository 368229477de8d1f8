import { rankCorrelation } from './rank-correlation.ts';
import type { ScoredEpisode } from './scored-episode.ts';

/** One turn as two scorings saw it; gains in each one's nats. */
export interface TurnPair {
  readonly episodeId: string;
  readonly turn: number;
  readonly a: number;
  readonly b: number;
}

export interface Comparison {
  /** Turns that have a gain in both, in the order of `a`. */
  readonly pairs: readonly TurnPair[];
  /** Turns with a gain in one alone. */
  readonly onlyA: number;
  readonly onlyB: number;
  /** Spearman's rank correlation of the pairs, ties by their mean rank; null for fewer than 3 pairs or where all are tied. */
  readonly rankAgreement: number | null;
  /** Mean of |a - b| in nats; null without pairs. */
  readonly meanDifference: number | null;
  /** Pairs of opposite sign: one scorer says that the reply helped, the other that it did not. */
  readonly flips: readonly TurnPair[];
}

/** Puts two scorings of the same conversations side by side, turn by turn; they may differ in scorer, options or both. */
export function compareScores(a: readonly ScoredEpisode[], b: readonly ScoredEpisode[]): Comparison {
  const [mapA, mapB] = [gainsOf(a), gainsOf(b)];
  const pairs = [...mapA].flatMap(([key, turn]) => {
    const other = mapB.get(key);
    return other === undefined ? [] : [{ episodeId: turn.episodeId, turn: turn.turn, a: turn.gain, b: other.gain }];
  });
  const differences = pairs.map((pair) => Math.abs(pair.a - pair.b));
  return {
    pairs,
    onlyA: mapA.size - pairs.length,
    onlyB: mapB.size - pairs.length,
    rankAgreement:
      pairs.length < 3
        ? null
        : rankCorrelation(
            pairs.map((pair) => pair.a),
            pairs.map((pair) => pair.b),
          ),
    meanDifference: pairs.length === 0 ? null : meanOf(differences),
    flips: pairs.filter((pair) => pair.a * pair.b < 0),
  };
}

interface Gain {
  readonly episodeId: string;
  readonly turn: number;
  readonly gain: number;
}

function gainsOf(rows: readonly ScoredEpisode[]): ReadonlyMap<string, Gain> {
  return new Map(
    rows.flatMap(({ episode_id: episodeId, turns }) =>
      turns.flatMap(({ index: turn, gain }): [string, Gain][] =>
        gain === null ? [] : [[JSON.stringify([episodeId, turn]), { episodeId, turn, gain }]],
      ),
    ),
  );
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
