import { z } from 'zod';
import { groupRuleSchema } from './group.ts';
import { actionStateSchema, nullReasonSchema, observationKindSchema, thumbSchema } from './observation.ts';

export const SCORE_SCHEMA = 'turnwise-score/1';

/** Facts about a turn's score that keep it out of pools or ask for caution; see spec S1. */
export const scoreFlagSchema = z.enum(['next_action_stopped', 'next_action_edited', 'placeholder_unfit']);
export type ScoreFlag = z.infer<typeof scoreFlagSchema>;

const logprobs = z.array(z.number().max(1e-6));
const ids = z.array(z.int().nonnegative());

/** One observation of a turn, masked alone while the turn's others stay real; `gain` as the turn's, in nats. */
export const observationGainSchema = z.object({
  gain: z.number().nullable(),
  gain_sum: z.number().nullable(),
  null_reason: nullReasonSchema.nullable(),
  /** Of the next action with this one masked; null where the turn's own are the same, and where nothing was scored. */
  logp_masked: logprobs.nullable(),
});
export type ObservationGain = z.infer<typeof observationGainSchema>;

/**
 * One turn as scored. `action_ids` are this turn's action; the log-prob arrays are those of the *next* action, the first one
 * at offset `next_from` of the factual sequence. `gain` is the chosen estimator in nats, `gain_sum` total nats. What could
 * not be known is null, with `null_reason`.
 */
export const scoredTurnSchema = z.looseObject({
  index: z.int().nonnegative(),
  /** L_t: loss tokens of this action; 0 for one that is not trained on. */
  tokens: z.int().nonnegative(),
  action_state: actionStateSchema.optional(),
  gain: z.number().nullable(),
  gain_sum: z.number().nullable(),
  null_reason: nullReasonSchema.nullable(),
  null_detail: z.string().optional(),
  flags: z.array(scoreFlagSchema).optional(),
  obs_kinds: z.array(observationKindSchema).optional(),
  action_ids: ids.nullable(),
  /** Whose ids the action's are: the policy's own, or the scorer's tokenisation of the text. */
  token_source: z.enum(['policy', 'scorer']).optional(),
  /** Which of the episode's `contexts` holds this action, and its span [start, end) there. */
  context: z.int().nonnegative().nullable().optional(),
  action_start: z.int().nonnegative().nullable().optional(),
  action_end: z.int().nonnegative().nullable().optional(),
  /** Span [start, end) of this turn's observations in the *next* action's context; null where none came back. */
  obs_context: z.int().nonnegative().nullable().optional(),
  obs_start: z.int().nonnegative().nullable().optional(),
  obs_end: z.int().nonnegative().nullable().optional(),
  gain_nocopy: z.number().nullable().optional(),
  /** One entry per observation of the turn, in their order; absent where none came back. */
  obs_gains: z.array(observationGainSchema).optional(),
  /** Mean size of S behind a gain by `kl_topk` or `kl_full`: tokens that are told apart, and one for the rest. */
  kl_support: z.number().nullable().optional(),
  /** The turn's own reward, where the source of the data gives one. */
  reward: z.number().nullable().optional(),
  /** Mean log-prob in nats of a reference solution before and after this turn's reply. */
  reference: z.object({ before: z.number(), after: z.number() }).nullable().optional(),
  /** What a person thought of this turn: 1 up, 0 down; and their words. */
  thumb: thumbSchema.nullable().optional(),
  note: z.string().nullable().optional(),
  /** The episode and turn that lent its reply to the mask `random_reply`. */
  mask_donor: z.string().nullable().optional(),
  next_from: z.int().positive().nullable(),
  mask_ids: ids.nullable(),
  mask_truncated: z.boolean(),
  factual_ids_sha: z.string().nullable(),
  masked_ids_sha: z.string().nullable(),
  logp_factual: logprobs.nullable(),
  logp_masked: logprobs.nullable(),
  noise: z.number().nonnegative().nullable().optional(),
});
export type ScoredTurn = z.infer<typeof scoredTurnSchema>;

export const scorerIdentitySchema = z.object({
  id: z.string(),
  revision: z.string().nullable(),
  tokenizer_sha: z.string().nullable(),
  template_sha: z.string().nullable(),
  backend: z.string(),
  version: z.string().nullable(),
});

/** Estimators that need nothing but the log-probs of the next action's own tokens. */
export const shiftEstimators = ['shift_mean', 'shift_sum', 'shift_clip', 'shift_relu', 'k2', 'k3'] as const;
export type ShiftEstimator = (typeof shiftEstimators)[number];
/** Estimators that need what else the scorer held possible at each position. */
export const klEstimators = ['kl_topk', 'kl_full'] as const;
export type KlEstimator = (typeof klEstimators)[number];

export const estimatorSchema = z.enum([...shiftEstimators, ...klEstimators]);
export type Estimator = z.infer<typeof estimatorSchema>;

export function isKlEstimator(estimator: Estimator): estimator is KlEstimator {
  return klEstimators.some((name) => name === estimator);
}

export const maskModeSchema = z.enum(['length_matched', 'natural']);

export const scoreOptionsSchema = z.object({
  estimator: estimatorSchema,
  /** Bound of shift_clip in nats; null for every other estimator. */
  clip: z.number().positive().nullable(),
  /** K of `kl_topk`; absent for every other estimator. */
  top_k: z.int().positive().optional(),
  /** The placeholder's text, or `random_reply`. */
  placeholder: z.string(),
  mask_mode: maskModeSchema,
  seed: z.int(),
  /** How often each pair was scored again to measure A/A noise. */
  noise: z.int().nonnegative(),
});
export type ScoreOptions = z.infer<typeof scoreOptionsSchema>;

/** One line of what `turnwise score` writes. Batch members must share `scorer` and `options`. */
export const scoredEpisodeSchema = z.looseObject({
  schema: z.literal(SCORE_SCHEMA),
  episode_id: z.string().min(1),
  group_id: z.string().min(1),
  /** What made the group; absent in scores of before. */
  group_rule: groupRuleSchema.optional(),
  outcome: z.number().min(0).max(1).nullable(),
  scorer: scorerIdentitySchema,
  /** mu0 and sd0 of the scorer's placebo gains under this estimator, where known (spec S1). */
  placebo: z.object({ mean: z.number(), sd: z.number().nonnegative(), n: z.int() }).nullable(),
  options: scoreOptionsSchema,
  tokens_evaluated: z.int().nonnegative().nullable(),
  tokens_limit: z.int().nonnegative(),
  /**
   * The rendered contexts that the actions were scored in, each ending with an action; none is a prefix of another. One for
   * an append-only template, several where the template rewrites history.
   */
  contexts: z.array(ids).optional(),
  turns: z.array(scoredTurnSchema),
});
export type ScoredEpisode = z.infer<typeof scoredEpisodeSchema>;
