import {
  CALIBRATION_MIN,
  DEFAULT_PLACEHOLDER,
  resolvePlaceholder,
  AUTO_PLACEHOLDER,
  UNFIT_BELOW,
  type PlaceholderFitness,
} from '../../core/calibration.ts';
import { estimate } from '../../core/credit/gain.ts';
import type { MaskMode } from '../../core/plan/mask.ts';
import { meanOf, spreadOf, unknownCheck, type Check } from './check.ts';
import type { ProbeGains } from './probe-gains.ts';

/**
 * How each placeholder acts on the scorer (spec S1): fit is one under which replies that say something outrank those that say
 * nothing, AUC >= 0.9. One with fewer than 50 gains on a side is left out.
 */
export function measureFitness({ byPlaceholder }: ProbeGains, maskMode: MaskMode): PlaceholderFitness[] {
  return [...byPlaceholder].flatMap(([placeholder, { told, silent }]): PlaceholderFitness[] => {
    const informative = told.map((d) => estimate('shift_mean', d, null));
    const uninformative = silent.map((d) => estimate('shift_mean', d, null));
    const n = Math.min(informative.length, uninformative.length);
    const [mean, sd, high] = [meanOf(uninformative), spreadOf(uninformative), meanOf(informative)];
    if (mean === null || sd === null || high === null || n < CALIBRATION_MIN) return [];
    const auc = areaUnderCurve(informative, uninformative);
    return [
      {
        placeholder,
        mask_mode: maskMode,
        n,
        uninformative_mean: mean,
        uninformative_sd: sd,
        informative_mean: high,
        auc,
        fit: auc >= UNFIT_BELOW,
      },
    ];
  });
}

/** Chance that a random one of `higher` exceeds a random one of `lower`; ties count half. NaN where one is empty. */
export function areaUnderCurve(higher: readonly number[], lower: readonly number[]): number {
  const wins = higher.reduce((sum, x) => sum + lower.reduce((more, y) => more + (x > y ? 1 : x === y ? 0.5 : 0), 0), 0);
  return wins / (higher.length * lower.length);
}

/** Which placeholders are fit, and which one `auto` takes. */
export function checkFitness(fitness: readonly PlaceholderFitness[], maskMode: MaskMode): Check {
  if (fitness.length === 0) {
    return unknownCheck(
      'fitness',
      `There were fewer than ${CALIBRATION_MIN} pairs of a telling and an empty reply with a next action each; give more conversations, and a server that chats with the same model.`,
    );
  }
  const auto = resolvePlaceholder(
    { placeholder: AUTO_PLACEHOLDER, mask_mode: maskMode },
    { calibration: { placebo: [], fitness: [...fitness] } },
  );
  const values = fitness.map(({ placeholder, auc, fit }) => ({
    name: `"${placeholder}"${fit ? '' : ', unfit'}`,
    value: auc,
    unit: 'AUC',
  }));
  const say = (state: Check['state'], sentence: string): Check => ({ id: 'fitness', state, values, sentence });
  const standard = fitness.find(({ placeholder }) => placeholder === DEFAULT_PLACEHOLDER);
  if (!fitness.some(({ fit }) => fit)) {
    return say(
      'fail',
      'Under no placeholder do replies that tell something outrank empty ones, so that gains of this scorer mean little; try others with --placeholder, or a stronger scorer.',
    );
  }
  if (standard?.fit === false) {
    return say(
      'warn',
      `The default placeholder is unfit for this scorer, and every gain under it is marked so; score with --placeholder auto, which takes "${auto}".`,
    );
  }
  return say('ok', `Replies that tell something outrank empty ones; --placeholder auto takes "${auto}".`);
}
