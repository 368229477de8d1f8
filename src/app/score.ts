import type { Backend, ScorerFacts, ScoreResult } from '../core/backend.ts';
import {
  AUTO_PLACEHOLDER,
  DEFAULT_PLACEHOLDER,
  isUnfit,
  placeboUnder,
  resolvePlaceholder,
} from '../core/calibration.ts';
import { errorText, TurnwiseError } from '../core/error.ts';
import type { NullReason } from '../core/observation.ts';
import { planEpisode, sequencesOf, type EpisodePlan, type PlannedTurn, type TurnTokens } from '../core/plan/plan.ts';
import {
  SCORE_SCHEMA,
  type ScoredEpisode,
  type ScoredTurn,
  type ScoreFlag,
  type ScoreOptions,
} from '../core/scored-episode.ts';
import { sha256Ids, sha256Text } from '../core/sha.ts';
import { groupOfTranscript, segment, type Transcript } from '../core/transcript.ts';
import { collectDonors, pickDonor, type Donor } from './donors.ts';
import { layContexts, type ActionPlace } from './contexts.ts';
import { prepareTranscript, type PreparedAction } from './prepare.ts';
import { distributionsFor, gainsOf, lackOf, unscoredObservations } from './turn-gains.ts';

/** A placeholder that is no text of its own: another task's reply (spec S1). */
export const RANDOM_REPLY = 'random_reply';

/** The placeholders that have a name or are often meant (spec S1); any other text is one as well. */
export const PLACEHOLDERS: Readonly<Record<string, { readonly equation: string }>> = {
  /** ids = tokens of the default's text (spec S1). */
  [DEFAULT_PLACEHOLDER]: { equation: 'the default' },
  /** ids = tokens of this text (spec S1). */
  "I don't know.": { equation: 'another' },
  /** ids = none: the reply is cut out (spec S1). */
  '': { equation: 'nothing at all; with --mask-mode natural' },
  /** ids = tokens of a reply of another task, chosen by hash(episode, turn, seed) (spec S1). */
  [RANDOM_REPLY]: { equation: 'a reply of another task in the same file, chosen by hash(episode, turn, seed)' },
  /** The fit placeholder whose uninformative gains lie nearest 0, then of the largest AUC (spec S1). */
  [AUTO_PLACEHOLDER]: { equation: 'the fittest that turnwise doctor, or the card, measured of this scorer' },
};

export const DEFAULT_SCORE_OPTIONS: ScoreOptions = {
  estimator: 'shift_mean',
  clip: null,
  placeholder: DEFAULT_PLACEHOLDER,
  mask_mode: 'length_matched',
  seed: 0,
  noise: 0,
};

export interface ScoreRun {
  readonly backend: Backend;
  readonly options: ScoreOptions;
  readonly signal?: AbortSignal | undefined;
  /** Called after each episode with how many are done. */
  readonly onEpisode?: (done: number) => void;
}

/** A transcript with everything that scoring it will ask for. */
export interface PlannedTranscript {
  readonly transcript: Transcript;
  readonly plan: EpisodePlan;
  readonly actions: readonly PreparedAction[];
  /** `episode/turn` of the donor per turn index; null where the placeholder is plain text. */
  readonly donors: readonly (string | null)[];
}

/**
 * Plans transcripts one by one, without asking the server for a single score: only its template and tokenizer are used.
 * Donors for `random_reply` come from the same list. A conversation that the template or the tokenizer refuses has no sequences,
 * and a reason in every turn.
 */
export async function* planTranscripts(
  transcripts: readonly Transcript[],
  { backend, options: wanted, signal }: ScoreRun,
): AsyncGenerator<PlannedTranscript, void, void> {
  const facts = await backend.facts(signal);
  const options = resolved(wanted, facts);
  const random = options.placeholder === RANDOM_REPLY;
  const donors = random ? collectDonors(transcripts) : [];
  const fixed = random ? null : ((await backend.tokenize([options.placeholder], signal))[0] ?? []);
  for (const transcript of transcripts) {
    try {
      yield await planOne(transcript, backend, facts, options, { donors, fixed }, signal);
    } catch (thrown) {
      if (signal?.aborted || isHopeless(thrown)) throw thrown;
      yield unplanned(transcript, thrown, facts.contextSize);
    }
  }
}

/**
 * Scores transcripts side by side, as many as the scorer takes and at most `concurrency` of them, in the order given. A turn that cannot be scored is null with a
 * reason; an episode whose request fails is `backend_failed` in every planned turn, and the run goes on. Throws only where no
 * later episode could fare better: unreachable server, refused key, a server that cannot score.
 */
export async function* scoreTranscripts(
  transcripts: readonly Transcript[],
  { options, ...wanted }: ScoreRun & { readonly concurrency?: number },
): AsyncGenerator<ScoredEpisode, void, void> {
  const facts = await wanted.backend.facts(wanted.signal);
  const run = { ...wanted, options: resolved(options, facts) };
  const width = Math.max(1, Math.min(run.concurrency ?? Infinity, facts.capabilities.concurrency));
  const inFlight: Promise<ScoredEpisode>[] = [];
  let done = 0;
  const settle = async (): Promise<ScoredEpisode | undefined> => {
    const scored = await inFlight.shift();
    done += 1;
    run.onEpisode?.(done);
    return scored;
  };
  try {
    for await (const planned of planTranscripts(transcripts, run)) {
      inFlight.push(scorePlanned(planned, facts, run));
      if (inFlight.length < width) continue;
      const scored = await settle();
      if (scored) yield scored;
    }
    while (inFlight.length > 0) {
      const scored = await settle();
      if (scored) yield scored;
    }
  } finally {
    await Promise.allSettled(inFlight);
  }
}

/** The options that are recorded: `auto` names the placeholder that it stands for with this scorer. */
export function resolved(options: ScoreOptions, facts: Pick<ScorerFacts, 'calibration'>): ScoreOptions {
  return { ...options, placeholder: resolvePlaceholder(options, facts) };
}

/** A conversation that could not even be rendered; the next one may be. */
function unplanned(transcript: Transcript, thrown: unknown, contextSize: number): PlannedTranscript {
  const byTemplate = thrown instanceof TurnwiseError && thrown.reason === 'template_failed';
  const nullReason = byTemplate ? 'template_mismatch' : 'backend_failed';
  const turns = segment(transcript.messages).map(({ index, next, observations }): TurnTokens => {
    const known = next === null ? 'no_next_action' : observations.length === 0 ? 'empty_reply' : null;
    const why = {
      nullReason: known ?? nullReason,
      nullDetail: known === null ? errorText(thrown) : undefined,
    } as const;
    return { index, context: null, nextAction: null, placeholder: null, ...why };
  });
  const plan = planEpisode(transcript.episode_id, turns, { maskMode: 'natural', contextSize });
  return { transcript, plan, actions: [], donors: [] };
}

async function planOne(
  transcript: Transcript,
  backend: Backend,
  facts: ScorerFacts,
  options: ScoreOptions,
  { donors, fixed }: { readonly donors: readonly Donor[]; readonly fixed: readonly number[] | null },
  signal?: AbortSignal,
): Promise<PlannedTranscript> {
  const actions = await prepareTranscript(transcript, backend, facts, signal);
  const { groupId } = groupOfTranscript(transcript);
  const chosen = actions.map(({ turn }) =>
    fixed === null ? pickDonor(donors, groupId, transcript.episode_id, turn.index, options.seed) : null,
  );
  const lent = await backend.tokenize(
    chosen.map((donor) => donor?.text ?? ''),
    signal,
  );
  const turns = actions.map(({ turn, state }, index): TurnTokens => {
    const next = actions[index + 1];
    return {
      index: turn.index,
      context: next?.cut ?? null,
      nextAction: next?.ids ?? null,
      placeholder: fixed ?? (chosen[index] ? (lent[index] ?? null) : null),
      nullReason:
        state === 'inherited'
          ? 'inherited'
          : next === undefined
            ? 'no_next_action'
            : turn.observations.length === 0
              ? 'empty_reply'
              : next.cutProblem,
    };
  });
  return {
    transcript,
    plan: planEpisode(transcript.episode_id, turns, { maskMode: options.mask_mode, contextSize: facts.contextSize }),
    actions,
    donors: chosen.map((donor) => donor?.id ?? null),
  };
}

async function scorePlanned(
  planned: PlannedTranscript,
  facts: ScorerFacts,
  { backend, options, signal }: ScoreRun,
): Promise<ScoredEpisode> {
  const { transcript, plan, actions } = planned;
  const distributions = distributionsFor(options);
  const missing = distributions === undefined ? null : lackOf(distributions, facts);
  const sequences = missing === null ? sequencesOf(plan.turns) : [];
  let result: ScoreResult | null = null;
  const again: ScoreResult[] = [];
  let failure: Failure = { reason: 'unsupported', detail: missing ?? '' };
  if (sequences.length > 0) {
    try {
      result = await backend.score(sequences, { signal, session: sessionOf(transcript.episode_id), distributions });
      for (let round = 1; round <= options.noise; round += 1) {
        // A session of its own: noise is that of computing anew, not of reading a cache.
        const session = sessionOf(transcript.episode_id, round);
        again.push(await backend.score(sequences, { signal, session, distributions }));
      }
    } catch (thrown) {
      if (signal?.aborted || isHopeless(thrown)) throw thrown;
      failure = failureOf(thrown);
      result = null;
    }
  }
  const { contexts, places } = layContexts(actions);
  const { groupId, groupRule } = groupOfTranscript(transcript);
  const unfit: readonly ScoreFlag[] = isUnfit(facts, options) ? ['placeholder_unfit'] : [];
  let at = 0;
  const turns = plan.turns.map((turn, index): ScoredTurn => {
    const base = describeTurn(planned, turn, index, places);
    if (turn.nullReason !== null) return base;
    if (result === null) {
      const { reason, detail } = failure;
      return { ...base, ...withoutGain(base, turn, reason), null_detail: detail };
    }
    const gains = gainsOf(turn, at, result, again, options);
    at += sequencesOf([turn]).length;
    return { ...base, flags: [...(base.flags ?? []), ...unfit], ...gains };
  });
  return {
    schema: SCORE_SCHEMA,
    episode_id: transcript.episode_id,
    group_id: groupId,
    group_rule: groupRule,
    outcome: transcript.outcome ?? null,
    ...(transcript.source === undefined ? {} : { source: transcript.source }),
    scorer: facts.identity,
    placebo: placeboUnder(facts, options),
    options,
    tokens_evaluated: result === null ? (sequences.length === 0 ? 0 : null) : result.tokensEvaluated,
    tokens_limit: plan.limit,
    contexts,
    turns,
  };
}

interface Failure {
  readonly reason: NullReason;
  readonly detail: string;
}

/** What a request can fail of that has nothing to do with the server's health is no failure of the server. */
function failureOf(thrown: unknown): Failure {
  const tooLarge = thrown instanceof TurnwiseError && thrown.reason === 'distributions_too_large';
  return { reason: tooLarge ? 'unsupported' : 'backend_failed', detail: errorText(thrown) };
}

function withoutGain(
  base: ScoredTurn,
  turn: PlannedTurn,
  reason: NullReason,
): Pick<ScoredTurn, 'null_reason' | 'obs_gains'> {
  const obs_gains = unscoredObservations(base.obs_gains?.length ?? 0, turn, reason);
  return { null_reason: reason, ...(obs_gains === undefined ? {} : { obs_gains }) };
}

/** Names what a scoring request belongs to; ids may be of any length, session names may not. */
export function sessionOf(episodeId: string, round = 0): string {
  return sha256Text(JSON.stringify([episodeId, round]));
}

/** All of a scored turn that is known without a score. */
function describeTurn(
  { transcript, actions, donors }: PlannedTranscript,
  turn: PlannedTurn,
  index: number,
  places: readonly ActionPlace[],
): ScoredTurn {
  const action = actions[index];
  const next = actions[index + 1];
  const place = places[index];
  const scorable = turn.nullReason === null;
  const observations = unscoredObservations(action?.turn.observations.length ?? 0, turn, 'not_scored_yet');
  const flags: ScoreFlag[] = [
    ...(next?.state === 'stopped' ? (['next_action_stopped'] as const) : []),
    ...(next?.state === 'edited' ? (['next_action_edited'] as const) : []),
  ];
  return {
    index,
    tokens: action?.state === 'sampled' ? action.ids.length : 0,
    action_state: action?.state ?? 'sampled',
    gain: null,
    gain_sum: null,
    null_reason: turn.nullReason,
    ...(!scorable && turn.nullDetail !== undefined ? { null_detail: turn.nullDetail } : {}),
    flags,
    action_ids: action ? [...action.ids] : null,
    token_source: action?.tokenSource ?? 'scorer',
    context: place?.context ?? null,
    action_start: place?.start ?? null,
    action_end: place?.end ?? null,
    obs_context: scorable ? (places[index + 1]?.context ?? null) : null,
    obs_start: scorable ? turn.factual.obsStart : null,
    obs_end: scorable ? turn.factual.obsEnd : null,
    gain_nocopy: null,
    ...(observations === undefined ? {} : { obs_gains: observations }),
    ...reportedBy(transcript, index),
    mask_donor: donors[index] ?? null,
    next_from: scorable ? turn.factual.from : null,
    mask_ids: scorable ? [...turn.maskIds] : null,
    mask_truncated: scorable && turn.maskTruncated,
    factual_ids_sha: scorable ? sha256Ids(turn.factual.ids) : null,
    masked_ids_sha: scorable ? sha256Ids(turn.masked.ids) : null,
    logp_factual: null,
    logp_masked: null,
  };
}

/** What the source of a conversation says of a turn besides its words. */
function reportedBy(
  { turn_rewards, ratings }: Transcript,
  index: number,
): Pick<ScoredTurn, 'reward' | 'thumb' | 'note'> {
  const rating = ratings?.findLast(({ turn }) => turn === index);
  return {
    ...(turn_rewards === undefined ? {} : { reward: turn_rewards[index] ?? null }),
    ...(rating === undefined ? {} : { thumb: rating.thumb, note: rating.note ?? null }),
  };
}

/** The server is gone, or lets nobody in. */
const GONE = ['unreachable', 'connection_lost', 'unauthorized'];

/** Failures that every other episode would meet as well. */
function isHopeless(thrown: unknown): boolean {
  if (!(thrown instanceof TurnwiseError) || GONE.includes(thrown.reason)) return true;
  return thrown.fault === 'usage' || thrown.fault === 'unsupported' || thrown.fault === 'environment';
}
