import type { GenerationRecord } from '../backend.ts';
import { NO_BASELINES } from '../credit/baselines.ts';
import type { Ledger } from '../credit/ledger.ts';
import type { TurnState } from '../episode-state.ts';
import type { Message } from '../message.ts';
import type { ScoredEpisode, ScoredTurn } from '../scored-episode.ts';
import { exportedContexts, exportedFlags, exportedOutcome, type ExportEpisode } from './export-episode.ts';
import { isLeftOut } from './exclusions.ts';
import { DATASET_SCHEMA, type DatasetRow, type DatasetTurn, type Fusion } from './schema.ts';
import { layTokens, type Span } from './token-layout.ts';

/** Names the rules by which secrets are replaced. */
export const REDACTION_RULESET = 'turnwise-redaction/1';

/**
 * The exported row of one episode; pure. `scored` must be the episode's own scores and `ledger` its credit within the batch of
 * its split; without them the row ships the conversation, its ids where the policy's server recorded them, and no credit.
 */
export function datasetRow(episode: ExportEpisode, scored: ScoredEpisode | null, ledger: Ledger | null): DatasetRow {
  const { state } = episode;
  const contexts = exportedContexts(state, scored);
  const layout = layTokens(
    contexts?.contexts ?? state.turns.map(() => null),
    state.turns.map((turn, index) => ({
      trainable: turn.state === 'sampled',
      advantage: ledger?.turns[index]?.advantage ?? null,
    })),
    { scored: ledger !== null },
  );
  const outcome = exportedOutcome(state, episode.outcome);
  const generations = state.turns.flatMap(({ generation }) => generation ?? []);
  const firstAction = state.messages.findIndex(({ role }) => role === 'assistant');
  return {
    schema_version: DATASET_SCHEMA,
    episode_id: state.id,
    task_id: state.taskId,
    group_id: state.groupId,
    group_rule: state.groupRule,
    parent_episode_id: state.parent?.episode_id ?? null,
    fork_turn: state.parent?.turn ?? null,
    person: episode.person,
    weight: Math.fround(episode.weight),
    human_label: state.override.label,
    human_note: noted(state.override.note),
    excluded: state.override.excluded,
    source: state.source,
    created_at: state.createdAt,
    prompt: state.messages.slice(0, firstAction < 0 ? undefined : firstAction).map(plain),
    messages: state.messages.map(plain),
    data_source: 'turnwise',
    ability: 'code',
    reward_model: { style: 'rule', ground_truth: null },
    extra_info: { split: episode.split, index: episode.index },
    model: agreed(generations, ({ model }) => model),
    model_revision: agreed(generations, ({ model_revision }) => model_revision),
    tokenizer_sha: agreed(generations, ({ tokenizer_sha }) => tokenizer_sha),
    chat_template_sha: agreed(generations, ({ template_sha }) => template_sha),
    server: agreed(generations, ({ server }) => server),
    sampling: samplingOf(generations),
    ...layout.columns,
    behavior_logprobs_mode: agreed(generations, ({ logprobs_mode }) => logprobs_mode),
    token_source: contexts?.source ?? null,
    turns: state.turns.map((turn, index) =>
      datasetTurn(turn, scored?.turns[index] ?? null, ledger, {
        action: layout.actions[index] ?? null,
        observation: layout.observations[index] ?? null,
        nextTokens: contexts?.contexts[index + 1]?.action_ids.length ?? null,
        flags: exportedFlags(state, scored, index),
        excluded: isLeftOut(state, turn),
      }),
    ),
    outcome_reward: outcome.value,
    outcome_detail: outcome.detail,
    fusion: scored && ledger ? fusionOf(scored, ledger) : null,
    redaction: redactionOf(episode),
    consent: episode.consent,
  };
}

/** Tokens tell what was replaced in the text, so a redacted row is text only. */
function redactionOf({ replacements = 0 }: ExportEpisode): DatasetRow['redaction'] {
  return { ruleset: REDACTION_RULESET, replacements, token_level_valid: replacements === 0 };
}

function datasetTurn(
  turn: TurnState,
  scored: ScoredTurn | null,
  ledger: Ledger | null,
  place: {
    readonly action: Span | null;
    readonly observation: Span | null;
    readonly nextTokens: number | null;
    readonly flags: DatasetTurn['flags'];
    readonly excluded: boolean;
  },
): DatasetTurn {
  const { action, observation } = place;
  const credit = ledger?.turns[turn.index] ?? null;
  const gain = scored?.gain ?? null;
  const known = action === null ? null : turn.state === 'sampled' ? action.end - action.start : 0;
  const reason = credit?.null_reason ?? scored?.null_reason ?? null;
  return {
    turn_index: turn.index,
    kind: turn.kind,
    action_state: turn.state,
    action_start: action?.start ?? null,
    action_end: action?.end ?? null,
    obs_start: observation?.start ?? null,
    obs_end: observation?.end ?? null,
    obs_kind: turn.observations[0]?.kind ?? null,
    obs_gains: obsGains(turn, scored),
    inherited: turn.state === 'inherited',
    excluded: place.excluded,
    mask_truncated: scored?.mask_truncated ?? false,
    info_gain: gain,
    info_gain_sum: scored?.gain_sum ?? null,
    info_gain_nocopy: scored?.gain_nocopy ?? null,
    kl_support: scored?.kl_support ?? null,
    action_tokens: credit?.tokens ?? known,
    next_action_tokens: scored?.logp_factual?.length ?? place.nextTokens,
    null_reason: reason ?? (gain === null ? 'not_scored_yet' : null),
    flags: place.flags,
    noise: scored?.noise ?? null,
    placeholder_min: null,
    placeholder_max: null,
    logp_factual: scored?.logp_factual?.map(Math.fround) ?? null,
    logp_masked: scored?.logp_masked?.map(Math.fround) ?? null,
    outcome_adv: ledger?.z ?? null,
    intrinsic_adv: credit?.a_int ?? null,
    fused_adv: credit?.advantage ?? null,
    baselines: credit?.baselines ?? NO_BASELINES,
    turn_reward: credit?.reward ?? null,
    reference_before: credit?.reference?.before ?? null,
    reference_after: credit?.reference?.after ?? null,
    info_level: credit?.info_level ?? null,
    info_n: credit?.info_n ?? null,
    info_mean: credit?.info_mean ?? null,
    info_sd: credit?.info_sd ?? null,
    human_label: turn.override.label,
    human_note: noted(turn.override.note),
    thumb: turn.thumb === null ? null : turn.thumb === 1 ? 'up' : 'down',
    thumb_note: noted(turn.note),
    latency_ms: turn.observations[0]?.latencyMs ?? null,
    reply_words: replyWords(turn),
  };
}

/** One observation has the turn's gain; of several, each has that of its own mask. */
function obsGains(turn: TurnState, scored: ScoredTurn | null): DatasetTurn['obs_gains'] {
  const count = turn.observations.length;
  if (count === 0) return null;
  // Scores of before have none; more came back since they were made than they know of.
  const known = scored?.obs_gains?.length === count ? scored.obs_gains : null;
  return turn.observations.map(({ kind }, k) => {
    const own = count === 1 ? { ...scored, logp_masked: null } : known?.[k];
    const gain = own?.gain ?? null;
    return {
      kind,
      gain,
      gain_sum: own?.gain_sum ?? null,
      null_reason: gain === null ? (own?.null_reason ?? scored?.null_reason ?? 'not_scored_yet') : null,
      logp_masked: own?.logp_masked?.map(Math.fround) ?? null,
    };
  });
}

/** What a tool or a test said is not the developer's typing. */
function replyWords({ observations }: TurnState): number | null {
  if (observations.length === 0) return null;
  const words = observations.flatMap(({ kind, text }) =>
    kind === 'tool' || kind === 'test' ? [] : text.split(/\s+/u).filter((word) => word !== ''),
  );
  return words.length;
}

function fusionOf({ scorer, options: how }: ScoredEpisode, ledger: Ledger): Fusion {
  const { options } = ledger;
  return {
    preset: options.preset,
    estimator: how.estimator,
    clip: how.clip,
    top_k: how.top_k ?? null,
    beta: options.beta,
    T: options.gate_temperature,
    gate: ledger.gate,
    gate_form: options.gate_form,
    gate_on: options.gate_on,
    gate_sd: ledger.gate_sd,
    scale: ledger.scale,
    sd_out: ledger.sd_out,
    sd_int: ledger.sd_int,
    norm: options.norm,
    pool: options.pool,
    pool_by: options.pool_by,
    min_batch: options.min_batch,
    singleton: options.singleton,
    sigma_floor: options.sigma_floor,
    drop_zero_gains: options.drop_zero_gains,
    mu0: options.placebo_mean,
    sd0: options.placebo_sd,
    batch_id: ledger.batch_id,
    batch_n: ledger.batch_n,
    z: ledger.z,
    outcome_level: ledger.outcome_level,
    outcome_mean: ledger.outcome_mean,
    outcome_sd: ledger.outcome_sd,
    group_size: ledger.group_n,
    group_mean: ledger.group_mean,
    group_sd: ledger.group_sd,
    info_level: ledger.info_level,
    info_n: ledger.info_n,
    info_mean: ledger.info_mean,
    info_sd: ledger.info_sd,
    placeholder: how.placeholder,
    mask_mode: how.mask_mode,
    seed: how.seed,
    scorer_model: scorer.id,
    scorer_revision: scorer.revision,
    scorer_backend: scorer.backend,
    scorer_version: scorer.version,
    scorer_tokenizer_sha: scorer.tokenizer_sha,
    scorer_template_sha: scorer.template_sha,
  };
}

/** What all actions of an episode share, else null: a row has one provenance or none. */
function agreed<T>(generations: readonly GenerationRecord[], of: (generation: GenerationRecord) => T): T | null {
  const [first, ...rest] = generations.map(of);
  return first !== undefined && rest.every((value) => value === first) ? first : null;
}

function samplingOf(generations: readonly GenerationRecord[]): DatasetRow['sampling'] {
  if (generations.length === 0) return null;
  return {
    temperature: agreed(generations, ({ sampling }) => sampling.temperature),
    top_p: agreed(generations, ({ sampling }) => sampling.top_p),
    top_k: agreed(generations, ({ sampling }) => sampling.top_k),
    seed: agreed(generations, ({ sampling }) => sampling.seed),
  };
}

function plain({ role, content }: Message): DatasetRow['messages'][number] {
  return { role, content: wellFormed(content) };
}

function noted(note: string | null): string | null {
  return note === null ? null : wellFormed(note);
}

/** Half surrogates cannot be written as UTF-8; replaced here, both files hold the same text. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}
