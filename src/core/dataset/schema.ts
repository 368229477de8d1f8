import { z } from 'zod';
import {
  baselineColumnsSchema,
  gateFormSchema,
  gateOnSchema,
  infoLevelSchema,
  normSchema,
  outcomeLevelSchema,
  poolBySchema,
  poolSchema,
  presetSchema,
  singletonSchema,
} from '../credit/ledger.ts';
import { groupRuleSchema } from '../group.ts';
import { actionStateSchema, nullReasonSchema, observationKindSchema } from '../observation.ts';
import { reviewLabelSchema } from '../override.ts';
import { estimatorSchema, scoreFlagSchema } from '../scored-episode.ts';

/** Version of the row format; readers refuse any other. */
export const DATASET_SCHEMA = 'infopo-fused/3';

// The number formats decide the Parquet types: int32 INT32, int INT64, float32 FLOAT, number DOUBLE, 0 | 1 INT_8, `parquet: timestamp`
// milliseconds since 1970. This file is the one definition of the columns; the written schema and the JSON Schema are derived.
const count = z.int32().nonnegative();
const tokenIds = z.array(z.int32().nonnegative());
const mask = z.array(z.literal([0, 1]));
const logprobs = z.array(z.float32().max(1e-6));
const messageStruct = z.object({ role: z.enum(['system', 'user', 'assistant', 'tool']), content: z.string() });
const when = z.int().nonnegative().meta({ parquet: 'timestamp' });
export const splitSchema = z.enum(['train', 'validation', 'test']);

/** One agent action of an episode. Offsets are tokens into `input_ids`, or into a segment where the row has segments. */
export const datasetTurnSchema = z.object({
  turn_index: count,
  kind: z.enum(['question', 'answer', 'tool_call']),
  /** Only `sampled` actions are trained on; a gain whose next action was stopped or edited enters no pool. */
  action_state: actionStateSchema,
  action_start: count.nullable(),
  action_end: count.nullable(),
  obs_start: count.nullable(),
  obs_end: count.nullable(),
  /** Kind of the first observation; null where none came back. */
  obs_kind: observationKindSchema.nullable(),
  /** Each observation masked alone, the turn's others real; a lone one has the turn's gain, and its log-probs are the turn's. */
  obs_gains: z
    .array(
      z.object({
        kind: observationKindSchema,
        gain: z.number().nullable(),
        gain_sum: z.number().nullable(),
        null_reason: nullReasonSchema.nullable(),
        logp_masked: logprobs.nullable(),
      }),
    )
    .nullable(),
  inherited: z.boolean(),
  /** A reviewer left the turn out, or its episode: never trained on. */
  excluded: z.boolean(),
  mask_truncated: z.boolean(),
  /** Gain in nats by `fusion.estimator`, in total nats, and outside copied n-grams (spec S1). */
  info_gain: z.number().nullable(),
  info_gain_sum: z.number().nullable(),
  info_gain_nocopy: z.number().nullable(),
  /** Mean size of S behind a gain by `kl_topk` or `kl_full`; null under every other estimator. */
  kl_support: z.number().nullable(),
  /** L_t: loss tokens of the action, 0 for one that is not trained on; null where the ids are unknown. */
  action_tokens: count.nullable(),
  next_action_tokens: count.nullable(),
  null_reason: nullReasonSchema.nullable(),
  flags: z.array(scoreFlagSchema),
  noise: z.number().nonnegative().nullable(),
  placeholder_min: z.number().nullable(),
  placeholder_max: z.number().nullable(),
  /** Log-probs in nats of the next action's tokens, the reply read and the reply masked. */
  logp_factual: logprobs.nullable(),
  logp_masked: logprobs.nullable(),
  /** z of S3, A_int of S4, A_t of S7. */
  outcome_adv: z.number().nullable(),
  intrinsic_adv: z.number().nullable(),
  fused_adv: z.number().nullable(),
  /** Other ways to credit the turn (spec, Baselines), and what they need besides: its own reward, log-probs of a reference. */
  baselines: baselineColumnsSchema,
  turn_reward: z.number().nullable(),
  reference_before: z.number().nullable(),
  reference_after: z.number().nullable(),
  /** The turn's own pool, under `fusion.pool_by = index` only. */
  info_level: infoLevelSchema.nullable(),
  info_n: count.nullable(),
  info_mean: z.number().nullable(),
  info_sd: z.number().nullable(),
  /** What a reviewer said of the turn, and what the developer's thumb said while it was had. */
  human_label: reviewLabelSchema.nullable(),
  human_note: z.string().nullable(),
  thumb: z.enum(['up', 'down']).nullable(),
  thumb_note: z.string().nullable(),
  latency_ms: z.number().nonnegative().nullable(),
  /** Words that the developer had to send; null where nothing came back. */
  reply_words: count.nullable(),
});
export type DatasetTurn = z.infer<typeof datasetTurnSchema>;

/** The choices and statistics behind an episode's advantages: with the batch's other rows, enough to compute them again. */
export const fusionSchema = z.object({
  preset: z.union([presetSchema, z.literal('custom')]),
  estimator: estimatorSchema,
  clip: z.number().nullable(),
  top_k: count.nullable(),
  beta: z.number(),
  /** Gate temperature in reward units. */
  T: z.number(),
  gate: z.number(),
  gate_form: gateFormSchema,
  gate_on: gateOnSchema,
  gate_sd: z.number(),
  scale: z.number(),
  sd_out: z.number(),
  sd_int: z.number(),
  norm: normSchema,
  pool: poolSchema,
  pool_by: poolBySchema,
  min_batch: count,
  singleton: singletonSchema,
  sigma_floor: z.number(),
  drop_zero_gains: z.boolean(),
  mu0: z.number().nullable(),
  sd0: z.number().nullable(),
  batch_id: z.string(),
  batch_n: count,
  z: z.number().nullable(),
  outcome_level: outcomeLevelSchema,
  /** Mean and sd that z was taken against. */
  outcome_mean: z.number().nullable(),
  outcome_sd: z.number().nullable(),
  /** Known outcomes of the group within the batch, their mean and ddof-1 sd. */
  group_size: count,
  group_mean: z.number().nullable(),
  group_sd: z.number().nullable(),
  /** The information pool; null under `pool_by = index`, where every turn has its own. */
  info_level: infoLevelSchema.nullable(),
  info_n: count.nullable(),
  info_mean: z.number().nullable(),
  info_sd: z.number().nullable(),
  placeholder: z.string(),
  mask_mode: z.enum(['length_matched', 'natural']),
  seed: z.int(),
  scorer_model: z.string(),
  scorer_revision: z.string().nullable(),
  scorer_backend: z.string(),
  scorer_version: z.string().nullable(),
  scorer_tokenizer_sha: z.string().nullable(),
  scorer_template_sha: z.string().nullable(),
});
export type Fusion = z.infer<typeof fusionSchema>;

/** One rendered context with the action it ends in, for templates that rewrite history. */
export const segmentSchema = z.object({
  input_ids: tokenIds,
  loss_mask: mask,
  behavior_logprobs: z.array(z.float32().nullable()).nullable(),
  token_advantages: z.array(z.float32()).nullable(),
  turn_index: count,
});
export type Segment = z.infer<typeof segmentSchema>;

/** One episode of a dataset. Unknown is null, never 0. */
export const datasetRowSchema = z.object({
  schema_version: z.literal(DATASET_SCHEMA),
  episode_id: z.string().min(1),
  task_id: z.string().nullable(),
  /** The group used for comparison; a group of one is allowed. */
  group_id: z.string().min(1),
  /** What made the group: an explicit task, branches of one conversation, the same request, or nothing but itself. */
  group_rule: groupRuleSchema,
  parent_episode_id: z.string().nullable(),
  fork_turn: count.nullable(),
  /** Salted hash, for splits by person; null where nobody knows who it was. */
  person: z.string().nullable(),
  weight: z.float32().nonnegative(),
  /** What a reviewer said of the whole episode; excluded: all its turns are. */
  human_label: reviewLabelSchema.nullable(),
  human_note: z.string().nullable(),
  excluded: z.boolean(),
  source: z.string(),
  created_at: when,
  /** What stands before the first action, and the whole conversation. */
  prompt: z.array(messageStruct),
  messages: z.array(messageStruct),
  data_source: z.string(),
  ability: z.string(),
  reward_model: z.object({ style: z.string(), ground_truth: z.string().nullable() }),
  extra_info: z.object({ split: splitSchema, index: count }),
  /** Null where unknown, and where the episode's actions do not agree. */
  model: z.string().nullable(),
  model_revision: z.string().nullable(),
  tokenizer_sha: z.string().nullable(),
  chat_template_sha: z.string().nullable(),
  server: z.string().nullable(),
  sampling: z
    .object({
      temperature: z.number().nullable(),
      top_p: z.number().nullable(),
      top_k: z.int32().nullable(),
      seed: z.int().nullable(),
    })
    .nullable(),
  /** The exact ids of the whole conversation; null where there are segments or the ids are unknown. */
  input_ids: tokenIds.nullable(),
  /** 1 = sampled by the policy, untouched, and with a known advantage. */
  loss_mask: mask.nullable(),
  behavior_logprobs: z.array(z.float32().nullable()).nullable(),
  behavior_logprobs_mode: z.enum(['raw', 'processed']).nullable(),
  /** Whose ids: recorded by the policy's server, or rendered by the scorer. */
  token_source: z.enum(['policy', 'scorer']).nullable(),
  token_advantages: z.array(z.float32()).nullable(),
  segments: z.array(segmentSchema).nullable(),
  turns: z.array(datasetTurnSchema),
  outcome_reward: z.number().min(0).max(1).nullable(),
  outcome_detail: z.object({
    kind: z.enum(['tests', 'acceptance', 'rating', 'given', 'unknown']),
    passed: count.nullable(),
    total: count.nullable(),
    accepted: z.boolean().nullable(),
    survival: z.number().nullable(),
    thumb: z.int32().nullable(),
  }),
  /** Null for an episode without scores: it is in no batch. */
  fusion: fusionSchema.nullable(),
  redaction: z.object({ ruleset: z.string(), replacements: count, token_level_valid: z.boolean() }),
  consent: z.object({ scope: z.enum(['exportable', 'simulated', 'imported']), granted_at: when.nullable() }),
});
export type DatasetRow = z.infer<typeof datasetRowSchema>;

/**
 * One agent action as a flat row, derived from its episode: the `turns` config, for analysis. `info_level` to `info_sd` are the
 * turn's own pool, else that of its episode.
 */
export const turnRowSchema = z.object({
  schema_version: z.literal(DATASET_SCHEMA),
  episode_id: z.string(),
  group_id: z.string(),
  group_rule: groupRuleSchema,
  task_id: z.string().nullable(),
  source: z.string(),
  split: splitSchema,
  batch_id: z.string().nullable(),
  /** What z was taken against; null where the episode is in no batch. */
  outcome_level: outcomeLevelSchema.nullable(),
  outcome_reward: z.number().nullable(),
  action_text: z.string(),
  /** What came back, joined by blank lines; null where nothing did. */
  reply_text: z.string().nullable(),
  ...datasetTurnSchema.omit({ obs_gains: true, flags: true, logp_factual: true, logp_masked: true, inherited: true })
    .shape,
});
export type TurnRow = z.infer<typeof turnRowSchema>;
