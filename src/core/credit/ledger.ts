import { z } from 'zod';
import { groupRuleSchema, type GroupRule } from '../group.ts';
import { nullReasonSchema, type NullReason } from '../observation.ts';

export const LEDGER_SCHEMA = 'turnwise-credit/1';

/** `ladder` climbs group, batch, calibrated, none (spec S4); the others are fixed. */
export const poolSchema = z.enum(['ladder', 'group', 'batch', 'calibrated']);
export const normSchema = z.enum(['turn', 'token', 'none']);
export const singletonSchema = z.enum(['batch_loo', 'none', 'reference']);
export const gateFormSchema = z.enum(['sigmoid', 'exp', 'none']);
export const gateOnSchema = z.enum(['outcome', 'info']);
export const poolBySchema = z.enum(['all', 'index']);
export const presetSchema = z.enum(['colbench', 'usergym', 'tau2', 'infopo_repo']);
export const outcomeLevelSchema = z.enum(['group', 'batch', 'reference', 'none']);
export const infoLevelSchema = z.enum(['group', 'batch', 'calibrated', 'none']);

/** Every choice behind a batch's credit, resolved: what the ledger records and `batch_id` hashes. */
export const creditOptionsSchema = z.object({
  /** The preset's name, or `custom` when an explicit flag changed one of its values. */
  preset: z.union([presetSchema, z.literal('custom')]),
  beta: z.number().nonnegative(),
  /** Gate temperature T in reward units. */
  gate_temperature: z.number().positive(),
  gate_form: gateFormSchema,
  gate_on: gateOnSchema,
  norm: normSchema,
  pool: poolSchema,
  pool_by: poolBySchema,
  min_batch: z.int().positive(),
  singleton: singletonSchema,
  sigma_floor: z.number().nonnegative(),
  /** Mean and sd of the scorer's placebo gains, null where unknown. */
  placebo_mean: z.number().nullable(),
  placebo_sd: z.number().nonnegative().nullable(),
  /** Gains of exactly 0 leave the statistics and get A_int 0 (parity with the reference implementation). */
  drop_zero_gains: z.boolean(),
});
export type CreditOptions = z.infer<typeof creditOptionsSchema>;

/** What credit needs of a turn: L_t loss tokens, the gain in nats (null = unknown) and whether it may enter a pool. */
export interface CreditTurn {
  readonly index: number;
  readonly tokens: number;
  readonly gain: number | null;
  readonly null_reason: z.infer<typeof nullReasonSchema> | null;
  /** False for a gain that is scored but kept out of pools (next action stopped or edited). */
  readonly pooled: boolean;
  /** The turn's own reward, for the baselines; absent where the source of the data gives none. */
  readonly reward?: number | null | undefined;
  /** Mean log-prob in nats of a reference solution before and after the turn's reply, for `igpo`. */
  readonly reference?: { readonly before: number; readonly after: number } | null | undefined;
  /** Carried to the ledger as they are: gains of each observation alone, and the mean size of S behind a KL gain. */
  readonly obs_gains?: readonly { readonly gain: number | null; readonly null_reason: NullReason | null }[] | undefined;
  readonly kl_support?: number | null | undefined;
}

/** What credit needs of an episode. */
export interface CreditEpisode {
  readonly episode_id: string;
  readonly group_id: string;
  /** What made the group; absent where nobody says. */
  readonly group_rule?: GroupRule | null | undefined;
  readonly outcome: number | null;
  readonly turns: readonly CreditTurn[];
}

const columnSchema = z.number().nullable();

/** Other ways to credit a turn (spec, Baselines); null where the method has no number. */
export const baselineColumnsSchema = z.object({
  grpo: columnSchema,
  intrinsic_only: columnSchema,
  equalized: columnSchema,
  r2g: columnSchema,
  em: columnSchema,
  igpo: columnSchema,
});
export type Baseline = keyof z.infer<typeof baselineColumnsSchema>;

/** One turn of the ledger. `a_int` is S4, `advantage` is A_t of S7; level, n, mean and sd stand here under `pool_by = index`. */
export const ledgerTurnSchema = z.object({
  index: z.int().nonnegative(),
  tokens: z.int().nonnegative(),
  gain: z.number().nullable(),
  a_int: z.number().nullable(),
  advantage: z.number().nullable(),
  /** Why `gain` is null, else why `a_int` is; null where both are known. */
  null_reason: nullReasonSchema.nullable(),
  /** False where the gain entered no pool. */
  pooled: z.boolean(),
  baselines: baselineColumnsSchema,
  /** Gains of each observation alone (spec S1), in nats, where several came back or one. */
  obs_gains: z.array(z.object({ gain: z.number().nullable(), null_reason: nullReasonSchema.nullable() })).optional(),
  /** Mean size of S behind a gain by `kl_topk` or `kl_full`. */
  kl_support: z.number().nullable().optional(),
  reward: z.number().nullable().optional(),
  reference: z.object({ before: z.number(), after: z.number() }).nullable().optional(),
  info_level: infoLevelSchema.optional(),
  info_n: z.int().nullable().optional(),
  info_mean: z.number().nullable().optional(),
  info_sd: z.number().nullable().optional(),
});

/** Every intermediate number of one episode's credit: read by the sidebar and the export alike. One line of `turnwise credit`. */
export const ledgerSchema = z.object({
  schema: z.literal(LEDGER_SCHEMA),
  episode_id: z.string(),
  group_id: z.string(),
  /** What made the group; null where nobody said. */
  group_rule: groupRuleSchema.nullable(),
  outcome: z.number().nullable(),
  /** S3. */
  z: z.number().nullable(),
  outcome_level: outcomeLevelSchema,
  /** Known outcomes of the group, their mean and ddof-1 sd (null with fewer than one, two). */
  group_n: z.int().nonnegative(),
  group_mean: z.number().nullable(),
  group_sd: z.number().nullable(),
  /** Mean and sd that z was measured with: the group's, the batch's without this episode, or the reference's 0 and 1. */
  outcome_mean: z.number().nullable(),
  outcome_sd: z.number().nullable(),
  /** sd that the gate saw, and S5. */
  gate_sd: z.number(),
  gate: z.number(),
  /** s of S6, and the two sds behind it. */
  scale: z.number(),
  sd_out: z.number(),
  sd_int: z.number(),
  /**
   * S4: the rung that held, samples in it, their mean and ddof-1 sd (null with fewer than two). The level is null under
   * `pool_by = index`, where all four stand on each turn. `calibrated` has the placebo gains' mean and sd, and n null.
   */
  info_level: infoLevelSchema.nullable(),
  info_n: z.int().nullable(),
  info_mean: z.number().nullable(),
  info_sd: z.number().nullable(),
  batch_id: z.string(),
  batch_n: z.int().positive(),
  options: creditOptionsSchema,
  turns: z.array(ledgerTurnSchema),
});
export type Ledger = z.infer<typeof ledgerSchema>;
export type LedgerTurn = z.infer<typeof ledgerTurnSchema>;
