import { autoPlaceholder } from '../app/auto-placeholder.ts';
import { DEFAULT_SCORE_OPTIONS } from '../app/score.ts';
import { DEFAULT_TOP_K } from '../app/turn-gains.ts';
import { AUTO_PLACEHOLDER, type Calibration } from '../core/calibration.ts';
import type { CreditChoices } from '../core/credit/options.ts';
import type { ScoreOptions } from '../core/scored-episode.ts';
import type { Settings } from '../core/settings.ts';
import type { Host } from './host.ts';

/** Bound of shift_clip in nats; the command line's default. */
const CLIP = 1;

/** The scoring options that the settings say. `bundled` is what the bundled model's card says was measured of it. */
export function scoreOptions(
  { settings, servers, journal }: Pick<Host, 'settings' | 'servers' | 'journal'>,
  bundled: Calibration,
): ScoreOptions {
  const { current } = settings;
  const estimator = current['scoring.estimator'];
  const mask_mode = current['scoring.maskMode'];
  const said = current['scoring.placeholder'];
  const scorer = servers.describeScorer().key;
  return {
    ...DEFAULT_SCORE_OPTIONS,
    estimator,
    clip: estimator === 'shift_clip' ? CLIP : null,
    ...(estimator === 'kl_topk' ? { top_k: DEFAULT_TOP_K } : {}),
    placeholder:
      said === AUTO_PLACEHOLDER ? autoPlaceholder(journal.memo, { scorer, maskMode: mask_mode, bundled }) : said,
    mask_mode,
  };
}

/** What the settings say of credit; the rest is the preset's. */
export function creditOptions(settings: Settings): CreditChoices {
  return { preset: settings['credit.preset'], pool_by: settings['credit.poolBy'] };
}
