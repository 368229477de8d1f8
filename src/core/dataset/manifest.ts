import { z } from 'zod';
import { DATASET_SCHEMA, splitSchema } from './schema.ts';
import { creditOptionsSchema } from '../credit/ledger.ts';
import { scoreOptionsSchema, scorerIdentitySchema } from '../scored-episode.ts';

export const MANIFEST_SCHEMA = 'turnwise-dataset/1';

/** Why an episode of the store is not in a dataset. */
export const refusalReasonSchema = z.enum([
  'excluded',
  'no_consent',
  'no_action',
  'action_running',
  'newer_events',
  'secret_found',
]);
export type RefusalReason = z.infer<typeof refusalReasonSchema>;

const counter = z.int().nonnegative();

/** `manifest.json`: what a dataset folder holds and how it was made; no clock, so that the same input gives the same bytes. */
export const manifestSchema = z.strictObject({
  schema: z.literal(MANIFEST_SCHEMA),
  row_schema: z.literal(DATASET_SCHEMA),
  made_by: z.string(),
  files: z.array(
    z.strictObject({
      path: z.string().regex(/^[a-z0-9_-]+(\/[a-z0-9_-]+)*\.[a-z]+$/i),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      bytes: counter,
      /** Null for a file that has no rows. */
      rows: counter.nullable(),
    }),
  ),
  splits: z.array(
    z.strictObject({
      split: splitSchema,
      rows: counter,
      turns: counter,
      /** Null where no row of the split has scores. */
      batch_id: z.string().nullable(),
      batch_n: counter,
    }),
  ),
  /** Rows without scores: in no batch, without credit. */
  unscored: counter,
  refused: z.array(z.strictObject({ reason: refusalReasonSchema, episodes: counter })),
  credit_options: creditOptionsSchema.nullable(),
  score_options: scoreOptionsSchema.nullable(),
  scorer: scorerIdentitySchema.nullable(),
});
export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestFile = Manifest['files'][number];

/** Where the files of a split stand in a dataset's folder. */
export function splitFiles(split: string): {
  readonly episodes: string;
  readonly mirror: string;
  readonly turns: string;
} {
  return {
    episodes: `episodes/${split}.parquet`,
    mirror: `episodes/${split}.jsonl`,
    turns: `turns/${split}.parquet`,
  };
}
