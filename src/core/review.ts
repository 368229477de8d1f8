import { toldMuchYetFailed } from './caution.ts';
import { exportedOutcome } from './dataset/export-episode.ts';
import type { Ledger, LedgerTurn } from './credit/ledger.ts';
import type { EpisodeState, TurnState } from './episode-state.ts';
import { gistOf, wordsOf } from './gist.ts';
import type { MarkId } from './marks/mark.ts';
import { markEpisode, marksOf } from './marks/marks.ts';
import type { NullReason } from './observation.ts';
import type { Override } from './override.ts';
import type { ScoredEpisode, ScoredTurn } from './scored-episode.ts';

/** Where the scoring of an episode stands. */
export interface ScoringProgress {
  readonly state: 'queued' | 'scoring' | 'scored' | 'stale' | 'failed' | 'cancelled';
  readonly message: string | null;
}

/** One turn as a reviewer reads it; gains in nats, null with `why` in words. */
export interface TurnReview {
  readonly index: number;
  readonly kind: TurnState['kind'];
  /** What the agent said, in one line. */
  readonly said: string;
  /** What came back, in one line; null: nothing did. */
  readonly reply: string | null;
  /** Sum over the next action's tokens, and their mean. */
  readonly gain: number | null;
  readonly mean: number | null;
  /** Why there is no gain, in words and in one. */
  readonly why: string | null;
  readonly mark: string | null;
  /** A gain is on its way. */
  readonly pending: boolean;
  readonly credit: CreditReview;
  readonly marks: readonly MarkId[];
  /** What reviewers laid over it. */
  readonly override: Override;
}

/** The advantage A_t (spec S7) and what it was measured against, in words. */
export interface CreditReview {
  readonly advantage: number | null;
  readonly words: string;
  /** What to look at before the gain is trusted; null: nothing. */
  readonly caution: string | null;
}

/** An episode as a reviewer reads it. */
export interface EpisodeReview {
  readonly id: string;
  readonly title: string;
  readonly decision: TurnState['decision'];
  /** Sum of the gains that are known, in nats; null while none is. */
  readonly gain: number | null;
  /** Whose gains they are; null while there are none. */
  readonly scoredBy: ScoredBy | null;
  readonly turns: readonly TurnReview[];
}

/** Who made a score, and whether another scorer or other options are chosen by now. */
export interface ScoredBy {
  readonly name: string;
  readonly stale: boolean;
}

/** Puts an episode, its newest scores and its credit side by side; pure. Scores may be older than the episode. */
export function reviewEpisode(
  state: EpisodeState,
  scored: Pick<ScoredEpisode, 'placebo' | 'turns'> | null,
  ledger: Ledger | null,
  progress: ScoringProgress | null,
  scoredBy: ScoredBy | null = null,
  company: Company | null = null,
): EpisodeReview {
  const marks = marksOf(markEpisode(state.turns, exportedOutcome(state).value, scored));
  const turns = state.turns.map((turn): TurnReview => {
    const score = scored?.turns[turn.index];
    const gain = score?.gain_sum ?? null;
    const missing = gain === null ? missingGain(state, turn, score, progress) : null;
    return {
      index: turn.index,
      kind: turn.kind,
      said: oneLine(gistOf(turn)),
      reply:
        turn.observations.length === 0 ? null : oneLine(turn.observations.map(({ text }) => wordsOf(text)).join(' ')),
      gain,
      mean: score?.gain ?? null,
      why: missing?.why ?? null,
      mark: missing?.mark ?? null,
      pending: missing?.pending ?? false,
      credit: creditReview(ledger, turn.index, gain, unfitWords(score), company),
      marks: marks.get(turn.index) ?? [],
      override: turn.override,
    };
  });
  const gains = turns.flatMap(({ gain }) => gain ?? []);
  return {
    id: state.id,
    title: oneLine(wordsOf(state.request ?? 'New conversation')),
    decision: state.turns.findLast(({ kind }) => kind === 'answer')?.decision ?? null,
    gain: gains.length === 0 ? null : gains.reduce((sum, gain) => sum + gain, 0),
    scoredBy,
    turns,
  };
}

/** Signed, so that the direction reads without colour: `+0.41`, `−0.07`, `0.00`. */
export function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${value < 0 ? '−' : '+'}${text}`;
}

/** The first line of a text, blanks folded, cut at `length` characters. */
export function oneLine(text: string, length = 120): string {
  const folded = text.trim().replace(/\s+/g, ' ');
  const characters = Array.from(folded);
  return characters.length <= length ? folded : `${characters.slice(0, length - 1).join('')}…`;
}

/** What stands where the gain of a conversation's last words would: nothing came back that could have told anything. */
export const FINAL_ANSWER = 'final answer';

/** Whether a turn ends its conversation with code that nobody has said anything about. */
export function isFinalAnswer({ turns }: EpisodeState, turn: TurnState): boolean {
  return turn.index === turns.length - 1 && turn.kind === 'answer' && turn.observations.length === 0;
}

function missingGain(
  state: EpisodeState,
  turn: TurnState,
  score: ScoredTurn | undefined,
  progress: ScoringProgress | null,
): { readonly why: string; readonly mark: string; readonly pending: boolean } {
  if (turn.index === state.turns.length - 1) {
    return isFinalAnswer(state, turn)
      ? { why: FINAL_ANSWER, mark: 'answer', pending: false }
      : { why: REASONS.no_next_action, mark: '…', pending: false };
  }
  const reason = score?.null_reason ?? null;
  // Scored when it was still the last action: its gain comes with the scoring that is due.
  const older = reason === null || reason === 'no_next_action' || reason === 'not_scored_yet';
  if (reason !== null && !older) return { why: REASONS[reason], mark: 'no gain', pending: false };
  const stage = progress?.state ?? 'scored';
  switch (stage) {
    case 'queued':
    case 'stale':
      // It failed and will be tried again: why is worth more than when.
      return progress?.message == null
        ? { why: 'queued', mark: 'queued', pending: true }
        : { why: `not scored yet: ${progress.message}`, mark: 'not scored', pending: false };
    case 'scoring':
      return { why: 'scoring…', mark: 'scoring…', pending: true };
    case 'failed':
      return { why: `not scored: ${progress?.message ?? 'the scorer failed'}`, mark: 'not scored', pending: false };
    case 'cancelled':
      return { why: 'cancelled; Score Now asks for it again', mark: 'not scored', pending: false };
    case 'scored':
      return { why: REASONS.not_scored_yet, mark: 'not scored', pending: false };
    default:
      return stage satisfies never;
  }
}

/** Null reasons in words (spec S1). */
export const REASONS: Readonly<Record<NullReason, string>> = {
  no_next_action: 'waits for the next action',
  empty_reply: 'no reply to mask',
  straddle: 'the reply cannot be cut out of its tokens',
  mask_equals_reply: 'the reply is the placeholder itself',
  no_donor: 'no other conversation to borrow a reply from',
  template_mismatch: "the scorer's chat template changes the reply",
  too_long: 'longer than the scorer can read',
  backend_failed: 'the scorer failed',
  unsupported: 'this scorer cannot',
  not_scored_yet: 'not scored yet',
  pool_too_small: 'needs more conversations',
  inherited: 'scored in the conversation that this one branched from',
};

/** Why a number is unknown, in words. */
export function reasonWords(reason: NullReason): string {
  return REASONS[reason];
}

function creditReview(
  ledger: Ledger | null,
  index: number,
  total: number | null,
  unfit: string | null,
  company: Company | null,
): CreditReview {
  const turn = ledger?.turns.find((candidate) => candidate.index === index);
  if (ledger === null || turn === undefined) return { advantage: null, words: 'needs a gain first', caution: unfit };
  const failed = toldMuchYetFailed(ledger, turn, total) ? 'told much, and the outcome fell short: was it right?' : null;
  // What such a gain says of the reply may stand on its head, so nothing is read from it.
  return { advantage: turn.advantage, words: comparedWith(ledger, turn, company), caution: unfit ?? failed };
}

function unfitWords(score: ScoredTurn | undefined): string | null {
  const unfit = score?.gain != null && score.flags?.includes('placeholder_unfit') === true;
  return unfit ? 'the placeholder is unfit for this scorer: run Check the Scorer, and choose auto' : null;
}

/** Conversations that stand in the pools of a batch beside one of them: those of its task, and all. */
export interface Company {
  readonly group: number;
  readonly batch: number;
}

/** Who stands in the pools beside an episode: every other one of the batch that brought a gain in. */
export function companyIn(ledgers: Iterable<Ledger>, { episode_id, group_id }: Ledger): Company {
  const others = [...ledgers].filter(
    (other) => other.episode_id !== episode_id && other.turns.some(({ gain, pooled }) => gain !== null && pooled),
  );
  return { group: others.filter((other) => other.group_id === group_id).length, batch: others.length };
}

function comparedWith(ledger: Ledger, turn: LedgerTurn, company: Company | null): string {
  const level = turn.info_level ?? ledger.info_level ?? 'none';
  const n = turn.info_n ?? ledger.info_n ?? 0;
  if (turn.advantage === null) return REASONS.pool_too_small;
  if (turn.a_int === null) return 'from the outcome alone';
  switch (level) {
    case 'group':
      return `against ${episodes(company?.group)} of this task (${n} gains)`;
    case 'batch':
      return `against ${episodes(company?.batch)} (${n} gains)`;
    case 'calibrated':
      return "against the scorer's placebo gains";
    case 'none':
      return REASONS.pool_too_small;
    default:
      return level satisfies never;
  }
}

/** Other conversations; where nobody counted them they are just that. */
function episodes(others: number | undefined): string {
  if (others === undefined) return 'other episodes';
  return others === 0 ? 'its own turns' : `${others} other ${others === 1 ? 'episode' : 'episodes'}`;
}
