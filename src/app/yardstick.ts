import { rankCorrelation } from '../core/rank-correlation.ts';
import { seededRandom } from './demo/random.ts';

/** A turn that a person rated, with its gain in nats where it has one. */
export interface RatedTurn {
  readonly episodeId: string;
  readonly turn: number;
  /** 1 up, 0 down. */
  readonly thumb: 0 | 1;
  readonly note: string | null;
  readonly gain: number | null;
  readonly gainSum: number | null;
  /** The gain was measured under a placeholder that is unfit for its scorer. */
  readonly unfit: boolean;
}

/** Rank agreement of thumbs with a figure, and the middle 95 % of what resampling the turns gives. */
export interface Agreement {
  readonly rho: number;
  readonly low: number;
  readonly high: number;
}

/** Gains held against what people thought. */
export interface Yardstick {
  /** Rated turns with a gain, of them thumbs up; rated ones without a gain; rated ones with a note. */
  readonly n: number;
  readonly up: number;
  readonly without: number;
  readonly notes: number;
  readonly unfit: number;
  /** Null with fewer than 10 ratings, and where all thumbs or all gains are alike; the total also where a turn has none. */
  readonly mean: Agreement | null;
  readonly total: Agreement | null;
  /** Thumb and gain the furthest apart by rank, the worst first, at most 3. */
  readonly apart: readonly RatedTurn[];
}

/** With fewer rated turns nothing is said. */
export const YARDSTICK_MIN = 10;

/**
 * Spearman's rank correlation of thumbs with gains over all rated turns, ties by their mean rank, with a percentile interval of
 * 2,000 resamples of the turns. The seed is fixed and the turns are put in order first, so that the same ratings give the same
 * figures.
 */
export function yardstick(rated: readonly RatedTurn[]): Yardstick {
  const inOrder = [...rated].sort((a, b) => compare(a.episodeId, b.episodeId) || a.turn - b.turn);
  const known = inOrder.filter(({ gain }) => gain !== null);
  const enough = known.length >= YARDSTICK_MIN;
  const thumbs = known.map(({ thumb }) => thumb);
  const agreed = (values: readonly number[], label: string): Agreement | null =>
    enough ? agreement(thumbs, values, label) : null;
  const gains = known.flatMap(({ gain }) => gain ?? []);
  const sums = known.flatMap(({ gainSum }) => gainSum ?? []);
  return {
    n: known.length,
    up: thumbs.filter((thumb) => thumb === 1).length,
    without: rated.length - known.length,
    notes: rated.filter(({ note }) => note !== null).length,
    unfit: known.filter(({ unfit }) => unfit).length,
    mean: agreed(gains, 'gain'),
    total: sums.length < known.length ? null : agreed(sums, 'gain_sum'),
    apart: enough ? furthestApart(known) : [],
  };
}

const RESAMPLES = 2000;

function agreement(thumbs: readonly number[], values: readonly number[], label: string): Agreement | null {
  const rho = rankCorrelation(thumbs, values);
  if (rho === null) return null;
  const random = seededRandom(`yardstick/${label}`);
  const drawn = Array.from({ length: RESAMPLES }, () => {
    const places = thumbs.map(() => Math.floor(random() * thumbs.length));
    return rankCorrelation(
      places.map((at) => thumbs[at] ?? 0),
      places.map((at) => values[at] ?? 0),
    );
  });
  // A resample in which all thumbs are alike has no correlation; it is left out, as if it had not been drawn.
  const sorted = drawn.filter((value) => value !== null).sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? rho;
  return { rho, low: at(0.025), high: at(0.975) };
}

/** A thumb down on a high gain, or up on a low one: how far into the wrong half of the gains it stands. */
function furthestApart(known: readonly RatedTurn[]): RatedTurn[] {
  const gains = known.map(({ gain }) => gain ?? 0).sort((a, b) => a - b);
  const middle = ((gains[Math.floor((gains.length - 1) / 2)] ?? 0) + (gains[Math.floor(gains.length / 2)] ?? 0)) / 2;
  const wrong = ({ thumb, gain }: RatedTurn): number => ((gain ?? middle) - middle) * (thumb === 1 ? -1 : 1);
  return known
    .filter((turn) => wrong(turn) > 0)
    .sort((a, b) => wrong(b) - wrong(a))
    .slice(0, 3);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
