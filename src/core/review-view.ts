import { wordsOf } from './gist.ts';
import { CALIBRATION_MIN, type MeasuredNoise } from './calibration.ts';
import { explainParts } from './credit/explain.ts';
import { ESTIMATORS } from './credit/gain.ts';
import { KL_ESTIMATORS } from './credit/kl.ts';
import type { Ledger } from './credit/ledger.ts';
import { exportedOutcome } from './dataset/export-episode.ts';
import type { EpisodeState } from './episode-state.ts';
import { MARKS, markEpisode, marksOf } from './marks/marks.ts';
import { NO_OVERRIDE, wentOnSince } from './override.ts';
import { axisOf } from './review-axis.ts';
import type { Bar, Figure, ReviewHead, ReviewRow, ReviewView, Span } from './review-protocol.ts';
import {
  oneLine,
  reasonWords,
  reviewEpisode,
  signed,
  type Company,
  type EpisodeReview,
  type ScoredBy,
  type ScoringProgress,
  type TurnReview,
} from './review.ts';
import { isKlEstimator, type Estimator, type ScoredEpisode, type ScoredTurn } from './scored-episode.ts';

/** Digits behind the point: total nats, everything per token or without a unit. */
export const TOTAL_DIGITS = 2;
export const FINE_DIGITS = 3;

/** What is known of an episode; `scorings` are all of its scores, by whatever scorer and options. */
export interface ReviewSources {
  readonly state: EpisodeState;
  readonly scored: ScoredEpisode | null;
  readonly ledger: Ledger | null;
  readonly progress: ScoringProgress | null;
  readonly scoredBy: ScoredBy | null;
  readonly scorings: readonly ScoredEpisode[];
  /** A/A noise that was measured of the scorer; null: it was not. */
  readonly noise: MeasuredNoise | null;
  /** Who stands in the pools beside it; null: nobody counted. */
  readonly company: Company | null;
}

/** The picture of an episode's credit; pure, so that a reload shows exactly what was there. Numbers are the ledger's. */
export function reviewView(sources: ReviewSources, progress: ReviewHead['progress'] = null): ReviewView {
  const { state, scored, ledger, scoredBy } = sources;
  const review = reviewEpisode(state, scored, ledger, sources.progress, scoredBy, sources.company);
  const marks = marksOf(markEpisode(state.turns, exportedOutcome(state).value, scored));
  const { turns: lines = [], episode: arithmetic = [] } = ledger === null ? {} : explainParts(ledger);
  const rows = review.turns.map((turn, at): ReviewRow => {
    const score = scored?.turns.find(({ index }) => index === turn.index);
    const credited = ledger?.turns.findIndex(({ index }) => index === turn.index) ?? -1;
    return {
      index: turn.index,
      kind: turn.kind,
      said: turn.said,
      reply: turn.reply,
      pending: turn.pending,
      ...barsOf(turn, score, sources),
      ...creditOf(turn, sources),
      marks: (marks.get(turn.index) ?? []).map((id) => ({ id, title: MARKS[id].title, rule: MARKS[id].rule })),
      override: state.turns[turn.index]?.override ?? NO_OVERRIDE,
      inherited: state.turns[turn.index]?.state === 'inherited',
      arithmetic: lines[credited === -1 ? at : credited] ?? [],
    };
  });
  return { head: headOf(sources, review, rows, progress, arithmetic), rows };
}

function headOf(
  sources: ReviewSources,
  review: EpisodeReview,
  rows: readonly ReviewRow[],
  progress: ReviewHead['progress'],
  arithmetic: readonly string[],
): ReviewHead {
  const { state, scored, ledger, scoredBy } = sources;
  const band = bandOf(scored);
  const estimator = scored?.options.estimator ?? 'shift_mean';
  const reach = (bars: readonly Bar[]): number[] =>
    bars.flatMap(({ value, noise, placeholders }) => [value ?? 0, ...(noise ?? []), ...(placeholders ?? [])]);
  const mean = reach(rows.map((row) => row.mean));
  return {
    episode: state.id,
    title: oneLine(wordsOf(state.request ?? 'New conversation'), 200),
    about: about(state),
    total: figure(review.gain, TOTAL_DIGITS, 'no gain yet'),
    outcome: outcomeFigure(state, ledger),
    z: figure(ledger?.z ?? null, FINE_DIGITS, 'unknown'),
    gate: plain(ledger?.gate ?? null),
    scale: plain(ledger?.scale ?? null),
    beta: plain(ledger?.options.beta ?? null),
    company: companyOf(ledger, scoredBy),
    scoredBy: scored === null || scoredBy === null ? null : scorerWords(scored, scoredBy),
    estimator: { name: COLUMN[estimator] ?? estimator, equation: equationOf(estimator) },
    axes: {
      total: axisOf(reach(rows.map((row) => row.total))),
      mean: axisOf(band === null ? mean : [...mean, ...within(band, mean)]),
    },
    band,
    noise: noiseWords(scored, rows, sources.noise),
    arithmetic: [...arithmetic],
    override: state.override,
    changed: wentOnSince(state.overrides, state.messages.length),
    progress,
    help: helpOf(state, rows, scoredBy),
  };
}

/** As much of the band as leaves the bars more than half of the room; it goes on beyond the edge. */
function within({ low, high }: { readonly low: number; readonly high: number }, values: readonly number[]): number[] {
  const reach = Math.max(0, ...values.map(Math.abs));
  return [low, high].map((edge) => Math.max(-reach, Math.min(reach, edge)) * BAND_SHARE);
}

/** Of the longest bar's length. */
const BAND_SHARE = 0.8;

/** The bars of a turn with their whiskers: A/A noise to both sides, and from the least to the most that placeholders gave. */
function barsOf(
  { gain, mean, why }: TurnReview,
  score: ScoredTurn | undefined,
  { scored, scorings, noise: measured }: ReviewSources,
): Pick<ReviewRow, 'total' | 'mean'> {
  const label = why ?? 'not scored yet';
  if (score === undefined || scored === null || gain === null || mean === null) {
    const none = { value: null, noise: null, placeholders: null };
    return { total: { ...none, label }, mean: { ...none, label } };
  }
  const ofScorer = scored.options.estimator === 'shift_mean' ? (measured?.gain ?? null) : null;
  const noise = score.noise ?? noiseElsewhere(scored, scorings, score.index) ?? ofScorer;
  const tokens = score.logp_factual?.length ?? null;
  const others = scorings.filter((other) => differsInPlaceholder(other, scored));
  const rangeOf = (own: number, read: (turn: ScoredTurn) => number | null): Span | null => {
    const values = others.flatMap(({ turns }) => {
      const other = turns.find(({ index }) => index === score.index);
      return other === undefined ? [] : (read(other) ?? []);
    });
    return values.length === 0 ? null : [Math.min(own, ...values), Math.max(own, ...values)];
  };
  const totalNoise = noise === null ? null : noiseOfTotal(noise, tokens, scored.options.estimator);
  return {
    total: {
      value: gain,
      label: signed(gain, TOTAL_DIGITS),
      noise: around(gain, totalNoise),
      placeholders: rangeOf(gain, (turn) => turn.gain_sum),
    },
    mean: {
      value: mean,
      label: signed(mean, FINE_DIGITS),
      noise: around(mean, noise),
      placeholders: rangeOf(mean, (turn) => turn.gain),
    },
  };
}

/** What the noise whiskers are, or why there are none; null where there is nothing that could have any. */
function noiseWords(
  scored: ScoredEpisode | null,
  rows: readonly ReviewRow[],
  measured: MeasuredNoise | null,
): string | null {
  if (scored === null || rows.every(({ total }) => total.value === null)) return null;
  const spans = rows.flatMap(({ mean }) => mean.noise ?? []);
  const own = scored.turns.some(({ noise }) => noise != null);
  if (spans.length === 0) {
    return measured === null
      ? 'Noise is not measured: Check the Scorer scores the same pairs again'
      : 'Noise was measured for the mean per token alone';
  }
  if (rows.every(({ mean }) => mean.noise === null || mean.noise[0] === mean.noise[1])) {
    return 'A/A noise: none, the same pair gives the same bits again';
  }
  return own || measured === null
    ? 'A/A noise: the same pair scored again'
    : `A/A noise: at most ${measured.gain.toPrecision(2)} a token in ${measured.pairs} pairs that Check the Scorer scored ${measured.rounds} times`;
}

/** A/A noise that a scoring of the same pair measured, where the one that is shown was made without. */
function noiseElsewhere(shown: ScoredEpisode, scorings: readonly ScoredEpisode[], index: number): number | null {
  const same = scorings.filter((other) => wayOf(other) === wayOf(shown));
  const pair = shown.turns.find((turn) => turn.index === index)?.masked_ids_sha ?? null;
  const turns = same.flatMap((other) => other.turns.find((turn) => turn.index === index) ?? []);
  return turns.find(({ noise, masked_ids_sha }) => noise != null && masked_ids_sha === pair)?.noise ?? null;
}

/** The same scorer and way of measuring under another placeholder; any other difference is no matter of the placeholder. */
function differsInPlaceholder(other: ScoredEpisode, shown: ScoredEpisode): boolean {
  return other.options.placeholder !== shown.options.placeholder && wayOf(other) === wayOf(shown);
}

/** Who scored, and how, but for the placeholder. */
function wayOf({ scorer, options }: ScoredEpisode): string {
  const { estimator, clip, top_k, mask_mode } = options;
  return JSON.stringify([scorer.id, scorer.revision, scorer.backend, estimator, clip, top_k, mask_mode]);
}

/** A/A noise was measured in the estimator's unit: of a mean it is the total's share of one token. */
function noiseOfTotal(noise: number, tokens: number | null, estimator: Estimator): number | null {
  if (estimator === 'shift_sum') return noise;
  return estimator === 'shift_mean' && tokens !== null ? noise * tokens : null;
}

function around(value: number, noise: number | null): Span | null {
  return noise === null ? null : [value - noise, value + noise];
}

function creditOf(
  turn: TurnReview,
  { ledger, scoredBy, state }: ReviewSources,
): Pick<ReviewRow, 'advantage' | 'aInt' | 'against' | 'caution'> {
  const credited = ledger?.turns.find(({ index }) => index === turn.index) ?? null;
  const { advantage, words, caution } = turn.credit;
  const apart = ledger === null && turn.gain !== null && scoredBy !== null;
  const compared = apart ? APART : words;
  // The ledger knows nothing of it: gain and advantage stay what they are, and no token of the turn is trained on.
  const excluded = turn.override.excluded || state.override.excluded;
  const against = excluded ? `left out of training; ${compared}` : compared;
  const reason = credited?.null_reason ?? null;
  return {
    advantage: figure(advantage, FINE_DIGITS, turn.gain === null ? 'none' : against),
    aInt: figure(
      credited?.a_int ?? null,
      FINE_DIGITS,
      reason === null ? (turn.why ?? against) : (turn.why ?? reasonWords(reason)),
    ),
    against,
    caution,
  };
}

const APART = 'scored in another way than the batch, so it is compared with nothing';

/** Mean and two standard deviations of the placebo gains, where enough were measured. */
function bandOf(scored: ScoredEpisode | null): ReviewHead['band'] {
  const placebo = scored?.placebo ?? null;
  if (placebo === null || placebo.n < CALIBRATION_MIN) return null;
  const { mean, sd, n } = placebo;
  return {
    low: mean - 2 * sd,
    high: mean + 2 * sd,
    words: `Placebo gains: what ${n} replies of another task gained, ${signed(mean, FINE_DIGITS)} ± ${(2 * sd).toFixed(FINE_DIGITS)} (mean and two sd). A gain inside looks like nothing learnt.`,
  };
}

function outcomeFigure(state: EpisodeState, ledger: Ledger | null): Figure {
  const { value, detail } = exportedOutcome(state);
  const known = ledger?.outcome ?? value;
  if (known === null) return { value: null, label: 'unknown' };
  const why = detail.kind === 'given' || detail.kind === 'unknown' ? '' : ` by ${detail.kind}`;
  return { value: known, label: `${trimmed(known)}${why}` };
}

const trimmed = (value: number): string => String(Number(value.toFixed(FINE_DIGITS)));

function companyOf(ledger: Ledger | null, scoredBy: ScoredBy | null): string {
  if (ledger === null) return scoredBy === null ? 'nothing to compare yet' : APART;
  const { outcome_level, group_n, batch_n } = ledger;
  switch (outcome_level) {
    case 'group':
      return `outcome against ${group_n} of this task, in a batch of ${batch_n}`;
    case 'batch':
      return `outcome against a batch of ${batch_n}`;
    case 'reference':
      return 'outcome against a fixed reference';
    case 'none':
      return `outcome against nothing yet, in a batch of ${batch_n}`;
    default:
      return outcome_level satisfies never;
  }
}

function scorerWords({ options, placebo }: ScoredEpisode, by: ScoredBy): NonNullable<ReviewHead['scoredBy']> {
  const uncalibrated = placebo === null || placebo.n < CALIBRATION_MIN ? ', not calibrated' : '';
  return {
    name: by.name,
    how: `${placeholderWords(options.placeholder)}, ${options.mask_mode === 'natural' ? 'natural length' : 'length matched'}${uncalibrated}`,
    stale: by.stale ? 'Stale: another scorer or other options are chosen now. These numbers stay as they were.' : null,
  };
}

/** A placeholder as it is named in a sentence. */
export function placeholderWords(placeholder: string): string {
  if (placeholder === '') return 'reply cut out';
  return placeholder === 'random_reply' ? "another task's reply" : `“${oneLine(placeholder, 60)}”`;
}

function helpOf(state: EpisodeState, rows: readonly ReviewRow[], scoredBy: ScoredBy | null): string | null {
  if (rows.length === 0) {
    return state.request === null
      ? 'Nothing was asked yet. Ask in the chat; every turn appears here with what your answer was worth.'
      : 'No turn yet. The first bar appears when the agent has gone on from your first answer.';
  }
  if (rows.some(({ total }) => total.value !== null)) return null;
  if (rows.every(({ reply }) => reply === null))
    return 'Nothing came back to the agent yet, so there is nothing to weigh.';
  if (rows.some(({ pending }) => pending)) return 'The scorer is at work; bars appear here as they are scored.';
  return scoredBy === null
    ? 'Nothing is scored yet. Score Now asks the chosen scorer.'
    : 'No turn has a gain; each says why.';
}

function about(state: EpisodeState): string {
  const source = state.source === 'real_developer' ? '' : `${state.source.replace(/^imported:.*/, 'imported')} · `;
  const branch = state.parent === null ? '' : ` · branch at turn ${state.parent.turn + 1}`;
  const turns = `${state.turns.length} ${state.turns.length === 1 ? 'turn' : 'turns'}`;
  return `${source}${new Date(state.createdAt).toLocaleString()} · ${turns}${branch}`;
}

/** A number at so many digits with its sign, or the words for none. */
export function figure(value: number | null, digits: number, none: string): Figure {
  return { value, label: value === null ? none : signed(value, digits) };
}

/** One that has no sign to speak of. */
function plain(value: number | null): Figure {
  return { value, label: value === null ? 'none' : value.toFixed(FINE_DIGITS) };
}

function equationOf(estimator: Estimator): string {
  return isKlEstimator(estimator) ? KL_ESTIMATORS[estimator].equation : ESTIMATORS[estimator].equation;
}

/** What the second column is called. */
const COLUMN: Readonly<Partial<Record<Estimator, string>>> = {
  shift_mean: 'Mean per token',
  shift_sum: 'Sum',
};
