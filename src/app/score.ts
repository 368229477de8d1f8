import type { Backend, ScorerFacts, ScoreResult } from '../core/backend.ts';
import { DEFAULT_PLACEHOLDER, isUnfit, placeboUnder, resolvePlaceholder } from '../core/calibration.ts';
import { estimate, gainNoise, nocopyGain, shifts } from '../core/credit/gain.ts';
import { errorText, TurnwiseError } from '../core/error.ts';
import { planEpisode, sequencesOf, type EpisodePlan, type PlannedTurn, type TurnTokens } from '../core/plan/plan.ts';
import {
  SCORE_SCHEMA,
  type ScoredEpisode,
  type ScoredTurn,
  type ScoreFlag,
  type ScoreOptions,
} from '../core/scored-episode.ts';
import { sha256Ids, sha256Text } from '../core/sha.ts';
import { segment, type Transcript } from '../core/transcript.ts';
import { collectDonors, pickDonor, type Donor } from './donors.ts';
import { layContexts, type ActionPlace } from './contexts.ts';
import { prepareTranscript, type PreparedAction } from './prepare.ts';

/** A placeholder that is no text of its own: another task's reply (spec S1). */
export const RANDOM_REPLY = 'random_reply';

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
  const groupId = transcript.group_id ?? transcript.episode_id;
  const chosen = actions.map(({ turn }) =>
    fixed === null ? pickDonor(donors, groupId, transcript.episode_id, turn.index, options.seed) : null,
  );
  const lent = await backend.tokenize(
    chosen.map((donor) => donor?.text ?? ''),
    signal,
  );
  const turns = actions.map(({ turn }, index): TurnTokens => {
    const next = actions[index + 1];
    return {
      index: turn.index,
      context: next?.cut ?? null,
      nextAction: next?.ids ?? null,
      placeholder: fixed ?? (chosen[index] ? (lent[index] ?? null) : null),
      nullReason:
        next === undefined ? 'no_next_action' : turn.observations.length === 0 ? 'empty_reply' : next.cutProblem,
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
  const sequences = sequencesOf(plan.turns);
  let result: ScoreResult | null = null;
  const again: ScoreResult[] = [];
  let failure: string | null = null;
  if (sequences.length > 0) {
    try {
      result = await backend.score(sequences, { signal, session: sessionOf(transcript.episode_id) });
      for (let round = 1; round <= options.noise; round += 1) {
        // A session of its own: noise is that of computing anew, not of reading a cache.
        const session = sessionOf(transcript.episode_id, round);
        again.push(await backend.score(sequences, { signal, session }));
      }
    } catch (thrown) {
      if (signal?.aborted || isHopeless(thrown)) throw thrown;
      failure = errorText(thrown);
      result = null;
    }
  }
  const { contexts, places } = layContexts(actions);
  const unfit: readonly ScoreFlag[] = isUnfit(facts, options) ? ['placeholder_unfit'] : [];
  let pair = 0;
  const turns = plan.turns.map((turn, index): ScoredTurn => {
    const base = describeTurn(planned, turn, index, places);
    if (turn.nullReason !== null) return base;
    const at = 2 * pair;
    pair += 1;
    if (result === null) return { ...base, null_reason: 'backend_failed', null_detail: failure ?? '' };
    return { ...base, flags: [...(base.flags ?? []), ...unfit], ...gainsOf(turn, at, result, again, options) };
  });
  return {
    schema: SCORE_SCHEMA,
    episode_id: transcript.episode_id,
    group_id: transcript.group_id ?? transcript.episode_id,
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

/** Names what a scoring request belongs to; ids may be of any length, session names may not. */
export function sessionOf(episodeId: string, round = 0): string {
  return sha256Text(JSON.stringify([episodeId, round]));
}

type Scorable = Extract<PlannedTurn, { nullReason: null }>;

function gainsOf(
  turn: Scorable,
  at: number,
  result: ScoreResult,
  again: readonly ScoreResult[],
  options: ScoreOptions,
): Pick<ScoredTurn, 'gain' | 'gain_sum' | 'gain_nocopy' | 'logp_factual' | 'logp_masked' | 'noise'> {
  const factual = result.logprobs[at] ?? [];
  const masked = result.logprobs[at + 1] ?? [];
  const d = shifts(factual, masked);
  const gain = estimate(options.estimator, d, options.clip);
  const repeated = again.map(({ logprobs }) =>
    estimate(options.estimator, shifts(logprobs[at] ?? [], logprobs[at + 1] ?? []), options.clip),
  );
  const { ids, from, to, obsStart, obsEnd } = turn.factual;
  return {
    gain,
    gain_sum: estimate('shift_sum', d, null),
    gain_nocopy: nocopyGain(d, ids.slice(from, to), ids.slice(obsStart, obsEnd)),
    logp_factual: [...factual],
    logp_masked: [...masked],
    noise: gainNoise(gain, repeated),
  };
}

/** All of a scored turn that is known without a score. */
function describeTurn(
  { actions, donors }: PlannedTranscript,
  turn: PlannedTurn,
  index: number,
  places: readonly ActionPlace[],
): ScoredTurn {
  const action = actions[index];
  const next = actions[index + 1];
  const place = places[index];
  const scorable = turn.nullReason === null;
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

/** The server is gone, or lets nobody in. */
const GONE = ['unreachable', 'connection_lost', 'unauthorized'];

/** Failures that every other episode would meet as well. */
function isHopeless(thrown: unknown): boolean {
  if (!(thrown instanceof TurnwiseError) || GONE.includes(thrown.reason)) return true;
  return thrown.fault === 'usage' || thrown.fault === 'unsupported' || thrown.fault === 'environment';
}
