import { z } from 'zod';
import type { ScorerFacts } from './backend.ts';
import {
  estimatorSchema,
  maskModeSchema,
  scorerIdentitySchema,
  type ScoredEpisode,
  type ScoredTurn,
  type ScoreFlag,
  type ScoreOptions,
} from './scored-episode.ts';

export const CALIBRATION_SCHEMA = 'turnwise-calibration/1';

/** The placeholder that stands for "the fittest one measured for this scorer"; resolved before anything is scored. */
export const AUTO_PLACEHOLDER = 'auto';
/** The placeholder where nothing is known of the scorer (spec S1). */
export const DEFAULT_PLACEHOLDER = 'No information found.';

/** Placebo figures, and fitness, count from this many gains on (spec S1). */
export const CALIBRATION_MIN = 50;
/** Below this AUC of informative over uninformative gains a placeholder is unfit (spec S1). */
export const UNFIT_BELOW = 0.9;

/** mu0 and sd0 (ddof 1) of a scorer's placebo gains, in the estimator's nats, under one way of masking (spec S1). */
export const placeboSchema = z.object({
  estimator: estimatorSchema,
  clip: z.number().positive().nullable(),
  /** K of `kl_topk`; absent for every other estimator. */
  top_k: z.int().positive().optional(),
  placeholder: z.string(),
  mask_mode: maskModeSchema,
  n: z.int().nonnegative(),
  mean: z.number(),
  sd: z.number().nonnegative(),
});

/** How a placeholder acts on a scorer: mean gains (`shift_mean`, nats a token) of replies that say nothing and of replies that do. */
const fitnessSchema = z.object({
  placeholder: z.string(),
  mask_mode: maskModeSchema,
  n: z.int().nonnegative(),
  uninformative_mean: z.number(),
  uninformative_sd: z.number().nonnegative(),
  informative_mean: z.number(),
  /** Chance that an informative gain exceeds an uninformative one; ties count half. */
  auc: z.number().min(0).max(1),
  fit: z.boolean(),
});
export type PlaceholderFitness = z.infer<typeof fitnessSchema>;

/** A/A noise: the largest |difference| of a mean gain (`shift_mean`, nats a token) when the same pairs were scored again. */
const noiseSchema = z.object({
  gain: z.number().nonnegative(),
  pairs: z.int().positive(),
  /** How often each pair was scored. */
  rounds: z.int().min(2),
});
export type MeasuredNoise = z.infer<typeof noiseSchema>;

/** What was measured of a scorer, by its card or by `turnwise doctor`; `noise` absent: nobody scored twice. */
export const calibrationSchema = z.object({
  placebo: z.array(placeboSchema),
  fitness: z.array(fitnessSchema),
  noise: noiseSchema.optional(),
});
export type Calibration = z.infer<typeof calibrationSchema>;

/** What `turnwise doctor --out` writes and `turnwise score --calibration` takes. */
export const calibrationFileSchema = z.object({
  schema: z.literal(CALIBRATION_SCHEMA),
  scorer: scorerIdentitySchema,
  ...calibrationSchema.shape,
});
export type CalibrationFile = z.infer<typeof calibrationFileSchema>;

export const NO_CALIBRATION: Calibration = { placebo: [], fitness: [] };

type Known = Pick<ScorerFacts, 'placebo' | 'calibration'>;
type Way = Pick<ScoreOptions, 'placeholder' | 'mask_mode'>;

/** mu0, sd0 and n for these options; null where nobody measured them under this estimator and way of masking. */
export function placeboUnder({ placebo, calibration }: Known, options: ScoreOptions): ScoredEpisode['placebo'] {
  const measured = placeboIn(calibration, options);
  if (measured !== null) return measured;
  return isDefault(options) && placebo !== null ? placebo : null;
}

/** Whether this way of masking was measured and found unfit: what these options give is not to be trusted (spec S1). */
export function isUnfit({ calibration }: Pick<Known, 'calibration'>, options: Way): boolean {
  return fitnessIn(calibration, options)?.fit === false;
}

/**
 * The placeholder that `auto` stands for (spec S1): of the fit ones the one whose uninformative gains lie nearest 0, then the
 * one of the largest AUC; differences below a hundredth are chance, and the earlier one in the list wins. Where nothing fit is
 * known, the default. Any other placeholder is itself.
 */
export function resolvePlaceholder(
  { placeholder, mask_mode }: Way,
  { calibration }: Pick<Known, 'calibration'>,
): string {
  if (placeholder !== AUTO_PLACEHOLDER) return placeholder;
  const fit = (calibration?.fitness ?? []).filter((entry) => entry.fit && entry.mask_mode === mask_mode);
  const hundredths = (value: number): number => Math.round(value * 100);
  const [fittest] = [...fit].sort(
    (a, b) =>
      hundredths(Math.abs(a.uninformative_mean)) - hundredths(Math.abs(b.uninformative_mean)) ||
      hundredths(b.auc) - hundredths(a.auc),
  );
  return fittest?.placeholder ?? DEFAULT_PLACEHOLDER;
}

/** Both measurements; where they are of the same thing, the first one's. */
export function mergeCalibrations(first: Calibration, second: Calibration): Calibration {
  const missing = <T>(known: readonly T[], more: readonly T[], keyOf: (entry: T) => string): T[] => {
    const keys = new Set(known.map(keyOf));
    return more.filter((entry) => !keys.has(keyOf(entry)));
  };
  return {
    placebo: [...first.placebo, ...missing(first.placebo, second.placebo, placeboKey)],
    fitness: [...first.fitness, ...missing(first.fitness, second.fitness, fitnessKey)],
    ...noiseOf(first.noise ?? second.noise),
  };
}

/** What of `measured` the scorer's card does not say itself. */
export function beyondCard(measured: Calibration, { placebo, calibration }: Known): Calibration {
  const carded = new Set((calibration?.placebo ?? []).map(placeboKey));
  const fitted = new Set((calibration?.fitness ?? []).map(fitnessKey));
  return {
    placebo: measured.placebo.filter((entry) => !carded.has(placeboKey(entry)) && !(placebo && isDefault(entry))),
    fitness: measured.fitness.filter((entry) => !fitted.has(fitnessKey(entry))),
    // That of this machine under its own load, whatever a card says.
    ...noiseOf(measured.noise),
  };
}

/**
 * A scored row with what is known of its scorer today: scores may be older than the measurement, and rows of one batch must
 * carry the same placebo figures. What the measurement does not say stays as it was scored.
 */
export function applyCalibration<T extends Pick<ScoredEpisode, 'options' | 'placebo' | 'turns'>>(
  row: T,
  calibration: Calibration | null,
): T {
  if (calibration === null) return row;
  const fitness = fitnessIn(calibration, row.options);
  const placebo = placeboIn(calibration, row.options) ?? row.placebo;
  if (fitness === null) return { ...row, placebo };
  return { ...row, placebo, turns: row.turns.map((turn) => withFitness(turn, fitness)) };
}

const UNFIT: ScoreFlag = 'placeholder_unfit';

function withFitness(turn: ScoredTurn, { fit }: PlaceholderFitness): ScoredTurn {
  const others = (turn.flags ?? []).filter((flag) => flag !== UNFIT);
  return { ...turn, flags: fit || turn.gain === null ? others : [...others, UNFIT] };
}

function noiseOf(noise: MeasuredNoise | undefined): Pick<Calibration, 'noise'> {
  return noise === undefined ? {} : { noise };
}

function placeboIn(calibration: Calibration | undefined | null, options: ScoreOptions): ScoredEpisode['placebo'] {
  const key = placeboKey(options);
  const found = calibration?.placebo.find((entry) => entry.n >= CALIBRATION_MIN && placeboKey(entry) === key);
  return found === undefined ? null : { mean: found.mean, sd: found.sd, n: found.n };
}

function fitnessIn(calibration: Calibration | undefined | null, way: Way): PlaceholderFitness | null {
  return calibration?.fitness.find((entry) => fitnessKey(entry) === fitnessKey(way)) ?? null;
}

function placeboKey({
  estimator,
  clip,
  top_k,
  ...way
}: Pick<ScoreOptions, 'estimator' | 'clip' | 'top_k'> & Way): string {
  return JSON.stringify([estimator, clip, top_k ?? null, fitnessKey(way)]);
}

function fitnessKey({ placeholder, mask_mode }: Way): string {
  return JSON.stringify([placeholder, mask_mode]);
}

/** A card's plain placebo figures are those of the default options. */
function isDefault({ estimator, placeholder, mask_mode }: Pick<ScoreOptions, 'estimator'> & Way): boolean {
  return estimator === 'shift_mean' && placeholder === DEFAULT_PLACEHOLDER && mask_mode === 'length_matched';
}
