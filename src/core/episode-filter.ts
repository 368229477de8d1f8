import { MARK_IDS, type MarkId } from './marks/mark.ts';
import { MARKS } from './marks/marks.ts';

/** Where an episode stands, as a list shows it. */
export const EPISODE_STATES = [
  'queued',
  'scoring',
  'scored',
  'stale',
  'failed',
  'cancelled',
  'unscored',
  'unscorable',
  'unreadable',
] as const;
export type EpisodeStanding = (typeof EPISODE_STATES)[number];

/** Standings in words. */
export const STANDING_WORDS: Readonly<Record<EpisodeStanding, string>> = {
  queued: 'queued',
  scoring: 'scoring',
  scored: 'scored',
  stale: 'stale',
  failed: 'failed',
  cancelled: 'cancelled',
  unscored: 'not scored yet',
  unscorable: 'not scorable',
  unreadable: 'cannot be read',
};

export const SINCE = ['today', 'week', 'month'] as const;
export type Since = (typeof SINCE)[number];
export const SINCE_WORDS: Readonly<Record<Since, string>> = {
  today: 'today',
  week: 'the last 7 days',
  month: 'the last 30 days',
};

/** What a list is narrowed to; within a field any value will do, the fields must all hold, an empty one lets everything through. */
export interface EpisodeFilter {
  readonly states: readonly EpisodeStanding[];
  readonly models: readonly string[];
  readonly since: Since | null;
  readonly marks: readonly MarkId[];
  readonly reviewed: boolean | null;
}

export const NO_FILTER: EpisodeFilter = { states: [], models: [], since: null, marks: [], reviewed: null };

/** What of an episode a filter looks at. */
export interface Filtered {
  readonly standing: EpisodeStanding;
  readonly models: readonly string[];
  /** ms since 1970. */
  readonly startedAt: number;
  readonly marks: readonly MarkId[];
  readonly reviewed: boolean;
  readonly reviewable: boolean;
}

/** Whether an episode passes; `now` is ms since 1970, and "today" begins at midnight where the reader is. */
export function passes(filter: EpisodeFilter, episode: Filtered, now: number): boolean {
  const { states, models, since, marks, reviewed } = filter;
  if (states.length > 0 && !states.includes(episode.standing)) return false;
  if (models.length > 0 && !models.some((model) => episode.models.includes(model))) return false;
  if (since !== null && episode.startedAt < sinceWhen(since, now)) return false;
  if (marks.length > 0 && !marks.some((mark) => episode.marks.includes(mark))) return false;
  return reviewed === null || (episode.reviewable && episode.reviewed === reviewed);
}

/** The words that a filter is said with. */
export interface FilterWords {
  readonly standing: Readonly<Record<EpisodeStanding, string>>;
  readonly since: Readonly<Record<Since, string>>;
  readonly mark: (id: MarkId) => string;
  readonly or: string;
  readonly reviewed: string;
  readonly unreviewed: string;
}

const ENGLISH: FilterWords = {
  standing: STANDING_WORDS,
  since: SINCE_WORDS,
  mark: (id) => MARKS[id].title,
  or: 'or',
  reviewed: 'reviewed',
  unreviewed: 'not reviewed',
};

/** A filter in words, for a view's description; empty for none. */
export function filterWords({ states, models, since, marks, reviewed }: EpisodeFilter, words = ENGLISH): string {
  const either = (names: readonly string[]): string => names.join(` ${words.or} `);
  return [
    either(states.map((state) => words.standing[state])),
    either(models),
    since === null ? '' : words.since[since],
    either(marks.map((mark) => words.mark(mark))),
    reviewed === null ? '' : reviewed ? words.reviewed : words.unreviewed,
  ]
    .filter((part) => part !== '')
    .join(', ');
}

export function isFiltered(filter: EpisodeFilter): boolean {
  return filterWords(filter) !== '';
}

/** Marks in the order of their table, for a picker. */
export const FILTER_MARKS: readonly MarkId[] = MARK_IDS;

function sinceWhen(since: Since, now: number): number {
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  const days = { today: 0, week: 6, month: 29 }[since];
  return midnight.getTime() - days * 86_400_000;
}
