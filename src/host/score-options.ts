import { DEFAULT_SCORE_OPTIONS } from '../app/score.ts';
import { DEFAULT_TOP_K } from '../app/turn-gains.ts';
import type { ScorerFacts } from '../core/backend.ts';
import { AUTO_PLACEHOLDER, DEFAULT_PLACEHOLDER, resolvePlaceholder } from '../core/calibration.ts';
import { maskModeSchema, type ScoreOptions } from '../core/scored-episode.ts';
import type { CreditChoices } from '../core/credit/options.ts';
import type { Settings } from '../core/settings.ts';
import type { Host } from './host.ts';

/** Bound of shift_clip in nats; the command line's default. */
const CLIP = 1;

type Window = Pick<Host, 'settings' | 'servers' | 'journal'>;

/** The scoring options that the settings say. `auto` is the placeholder that the last check of the chosen scorer found fittest. */
export function scoreOptions({ settings, servers, journal }: Window): ScoreOptions {
  const { current } = settings;
  const estimator = current['scoring.estimator'];
  const mask_mode = current['scoring.maskMode'];
  const said = current['scoring.placeholder'];
  const placeholder =
    said === AUTO_PLACEHOLDER
      ? (journal.memo.get(memoKey(servers.describeScorer().key, mask_mode)) ?? DEFAULT_PLACEHOLDER)
      : said;
  return {
    ...DEFAULT_SCORE_OPTIONS,
    estimator,
    clip: estimator === 'shift_clip' ? CLIP : null,
    ...(estimator === 'kl_topk' ? { top_k: DEFAULT_TOP_K } : {}),
    placeholder,
    mask_mode,
  };
}

/** What the settings say of credit; the rest is the preset's. */
export function creditOptions(settings: Settings): CreditChoices {
  return { preset: settings['credit.preset'], pool_by: settings['credit.poolBy'] };
}

/** Keeps what `auto` stands for with the chosen scorer: options are needed before anybody connects to it. */
export function rememberPlaceholder({ servers, journal }: Window, facts: Pick<ScorerFacts, 'calibration'>): void {
  for (const mask_mode of maskModeSchema.options) {
    const placeholder = resolvePlaceholder({ placeholder: AUTO_PLACEHOLDER, mask_mode }, facts);
    journal.memo.set(memoKey(servers.describeScorer().key, mask_mode), placeholder);
  }
}

function memoKey(scorer: string, maskMode: string): string {
  return `placeholder ${maskMode} ${scorer}`;
}
