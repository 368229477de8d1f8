import { z } from 'zod';
import { DEFAULT_PLACEHOLDER, placeboSchema, type Calibration } from './calibration.ts';
import { maskModeSchema } from './scored-episode.ts';

/**
 * What a model's card says it was measured to do as a scorer: placebo gains per token (`shift_mean`) and in total
 * (`shift_sum`), under the other estimators and another placeholder, and how each placeholder acts on it. Cards of before say the
 * first alone, under the default options.
 */
export const cardMeasurementsSchema = z.object({
  placebo: z
    .object({
      n: z.int().nonnegative(),
      mean: z.number(),
      sd: z.number().nonnegative(),
      mean_sum: z.number().optional(),
      sd_sum: z.number().nonnegative().optional(),
      placeholder: z.string().default(DEFAULT_PLACEHOLDER),
      mask_mode: maskModeSchema.default('length_matched'),
      others: z
        .array(
          placeboSchema.omit({ placeholder: true, mask_mode: true }).extend({ placeholder: z.string().optional() }),
        )
        .optional(),
    })
    .nullable()
    .optional(),
  fitness: z
    .record(
      z.string(),
      z.object({
        n: z.int().nonnegative(),
        uninformative_mean: z.number(),
        uninformative_sd: z.number().nonnegative(),
        informative_mean: z.number(),
        auc: z.number().min(0).max(1),
        fit: z.boolean(),
      }),
    )
    .nullable()
    .optional(),
});
export type CardMeasurements = z.infer<typeof cardMeasurementsSchema>;

/** The measurements of a card in the form of every measurement. */
export function calibrationOfCard({ placebo, fitness }: CardMeasurements): Calibration {
  const mask_mode = placebo?.mask_mode ?? 'length_matched';
  return {
    placebo: placebo ? placeboOfCard(placebo) : [],
    fitness: Object.entries(fitness ?? {}).map(([placeholder, figures]) => ({ placeholder, mask_mode, ...figures })),
  };
}

function placeboOfCard(placebo: NonNullable<CardMeasurements['placebo']>): Calibration['placebo'] {
  const { n, mean, sd, mean_sum, sd_sum, placeholder, mask_mode, others = [] } = placebo;
  const way = { clip: null, placeholder, mask_mode, n };
  const total =
    mean_sum === undefined || sd_sum === undefined
      ? []
      : [{ ...way, estimator: 'shift_sum', mean: mean_sum, sd: sd_sum } as const];
  const more = others.map((figures) => ({ ...figures, placeholder: figures.placeholder ?? placeholder, mask_mode }));
  return [{ ...way, estimator: 'shift_mean', mean, sd }, ...total, ...more];
}
