import type { ScorerFacts } from '../../core/backend.ts';
import { CALIBRATION_MIN, placeboUnder, type Calibration } from '../../core/calibration.ts';
import { estimate } from '../../core/credit/gain.ts';
import type { MaskMode } from '../../core/plan/mask.ts';
import { shiftEstimators } from '../../core/scored-episode.ts';
import { DEFAULT_SCORE_OPTIONS } from '../score.ts';
import { DEFAULT_TOP_K } from '../turn-gains.ts';
import { meanOf, spreadOf, type Check } from './check.ts';
import type { ProbeGains } from './probe-gains.ts';

/** Bound of `shift_clip` in nats, the one that scoring uses. */
const CLIP = 1;

/**
 * Mean and sd of the placebo gains under every placeholder and every estimator of log-prob shifts, and by `kl_topk` and
 * `kl_full` where the scorer tells distributions (spec S1): what "nothing learnt" looks like. Nothing where there are fewer than
 * 50, since a guess would be worse.
 */
export function measurePlacebo({ byPlaceholder }: ProbeGains, maskMode: MaskMode): Calibration['placebo'] {
  return [...byPlaceholder].flatMap(([placeholder, { placebo, placeboTopK, placeboFull }]) => {
    const way = { placeholder, mask_mode: maskMode };
    const ofShifts = shiftEstimators.flatMap((estimator) => {
      const clip = estimator === 'shift_clip' ? CLIP : null;
      const gains = placebo.map((d) => estimate(estimator, d, clip));
      return momentsOf(gains).map((moments) => ({ estimator, clip, ...way, ...moments }));
    });
    const ofTopK = momentsOf(placeboTopK ?? []).map((moments) => ({
      ...({ estimator: 'kl_topk', clip: null, top_k: DEFAULT_TOP_K } as const),
      ...way,
      ...moments,
    }));
    const ofAll = momentsOf(placeboFull ?? []).map((moments) => ({
      ...({ estimator: 'kl_full', clip: null } as const),
      ...way,
      ...moments,
    }));
    return [...ofShifts, ...ofTopK, ...ofAll];
  });
}

/** n, mean and sd (ddof 1) in a list of one; none where there are too few. */
function momentsOf(gains: readonly number[]): { readonly n: number; readonly mean: number; readonly sd: number }[] {
  const [mean, sd] = [meanOf(gains), spreadOf(gains)];
  return mean === null || sd === null || gains.length < CALIBRATION_MIN ? [] : [{ n: gains.length, mean, sd }];
}

/** The placebo figures under one placeholder, beside those of the scorer's card. */
export function checkPlacebo(
  gains: ProbeGains,
  facts: ScorerFacts,
  { placeholder, maskMode }: { readonly placeholder: string; readonly maskMode: MaskMode },
): Check {
  const n = gains.byPlaceholder.get(placeholder)?.placebo.length ?? 0;
  const measured = measurePlacebo(gains, maskMode).filter((entry) => entry.placeholder === placeholder);
  const mean = measured.find(({ estimator }) => estimator === 'shift_mean');
  const total = measured.find(({ estimator }) => estimator === 'shift_sum');
  const card = placeboUnder(facts, { ...DEFAULT_SCORE_OPTIONS, placeholder, mask_mode: maskMode });
  const values = [
    { name: 'placebo gains', value: n, unit: 'replies' },
    { name: 'mean', value: mean?.mean ?? null, unit: 'nats/token' },
    { name: 'sd', value: mean?.sd ?? null, unit: 'nats/token' },
    { name: 'mean of totals', value: total?.mean ?? null, unit: 'nats' },
    { name: 'sd of totals', value: total?.sd ?? null, unit: 'nats' },
    ...(card === null
      ? []
      : [
          { name: "the card's mean", value: card.mean, unit: 'nats/token' },
          { name: "the card's sd", value: card.sd, unit: 'nats/token' },
        ]),
  ];
  const say = (state: Check['state'], sentence: string): Check => ({ id: 'placebo', state, values, sentence });
  if (mean === undefined) {
    return say(
      'unknown',
      `Only ${n} placebo gains could be measured, and fewer than ${CALIBRATION_MIN} say nothing; give more conversations, of at least two tasks.`,
    );
  }
  if (mean.sd === 0) {
    return say(
      'fail',
      'All placebo gains are the same: this scorer does not look at the replies. Check the model and its template.',
    );
  }
  return say(
    'ok',
    card === null
      ? 'A single conversation can be credited against these gains of replies that tell nothing.'
      : "The model's card brings its own placebo figures, and those are used.",
  );
}
