import { DEFAULT_SCORE_OPTIONS } from '../app/score.ts';
import type { ScoreOptions } from '../core/scored-episode.ts';
import type { Settings } from '../core/settings.ts';

/** Bound of shift_clip in nats; the command line's default. */
const CLIP = 1;

/** The scoring options that the settings say. */
export function scoreOptions(settings: Settings): ScoreOptions {
  const estimator = settings['scoring.estimator'];
  return {
    ...DEFAULT_SCORE_OPTIONS,
    estimator,
    clip: estimator === 'shift_clip' ? CLIP : null,
    placeholder: settings['scoring.placeholder'],
    mask_mode: settings['scoring.maskMode'],
  };
}
