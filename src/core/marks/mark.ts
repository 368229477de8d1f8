/** What a rule reads of one turn; gains in nats, null where unknown. */
export interface MarkTurn {
  readonly index: number;
  readonly kind: 'question' | 'answer' | 'tool_call';
  /** The parent's, in a branch: marked there. */
  readonly inherited: boolean;
  /** Something came back. */
  readonly replied: boolean;
  /** Mean over the next action's tokens, and total. */
  readonly mean: number | null;
  readonly total: number | null;
  /** Nothing may be read from this gain: unfit placeholder, next action stopped or edited. */
  readonly doubtful: boolean;
}

/** What a rule reads of an episode. */
export interface MarkEpisode {
  /** R in [0, 1] (spec S2); null: unknown. */
  readonly outcome: number | null;
  /** mu0: mean of the scorer's placebo gains, nats a token (spec S1); null where nobody measured it. */
  readonly placeboMean: number | null;
  readonly turns: readonly MarkTurn[];
}

export const MARK_IDS = [
  'honourable_failure',
  'premature_answer',
  'all_was_said',
  'own_sake',
  'acted_against',
] as const;
export type MarkId = (typeof MARK_IDS)[number];

/** One mark: `of` names the turns that carry it; a mark of the whole episode stands on the turn that it is seen at. */
export interface Mark {
  readonly id: MarkId;
  readonly title: string;
  /** The rule as a person reads it, with its numbers. */
  readonly rule: string;
  readonly of: (episode: MarkEpisode) => readonly number[];
}

/** An outcome below this failed. */
export const FAILED_BELOW = 0.5;
/** Total nats from which on a reply told something: what the agent did next was 1.6 times as likely for it. */
export const TOLD_FROM = 0.5;
/** Total nats below which, in either direction, a reply told nothing: less than 1.22 times. */
export const NOTHING_BELOW = 0.2;

/**
 * What a reply was to the agent. Totals, since a mean is smaller the more is written after it; and beyond what the reply of
 * another task does to the mean, where that is known. `unclear` lies between; null: the gain is unknown or doubtful.
 */
export type Told = 'something' | 'nothing' | 'against' | 'unclear';

export function toldOf({ mean, total, doubtful }: MarkTurn, placeboMean: number | null): Told | null {
  if (mean === null || total === null || doubtful) return null;
  const placebo = placeboMean ?? 0;
  if (total >= TOLD_FROM && mean > Math.max(0, placebo)) return 'something';
  if (total <= -TOLD_FROM && mean < Math.min(0, placebo)) return 'against';
  return Math.abs(total) < NOTHING_BELOW ? 'nothing' : 'unclear';
}

/** The turns that are the episode's own: what a branch inherited is its parent's. */
export function ownTurns({ turns }: MarkEpisode): MarkTurn[] {
  return turns.filter(({ inherited }) => !inherited);
}

/** Questions that were answered, each with what the answer was to the agent. */
export function answered(episode: MarkEpisode): { readonly turn: MarkTurn; readonly told: Told | null }[] {
  return ownTurns(episode)
    .filter(({ kind, replied }) => kind === 'question' && replied)
    .map((turn) => ({ turn, told: toldOf(turn, episode.placeboMean) }));
}
