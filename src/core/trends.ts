import type { EpisodeDigest, ScoreDigest, TurnDigest } from './episode-digest.ts';
import { grouped } from './grouped.ts';
import { NOTHING_BELOW } from './marks/mark.ts';

/** What trends are made of: an episode and its score, no words of either. */
export interface TrendEpisode {
  readonly digest: Pick<EpisodeDigest, 'id' | 'startedAt' | 'outcome' | 'turns'>;
  readonly score: ScoreDigest | null;
}

/** Values seen together; all null and n 0 where there are none. */
export interface Spread {
  readonly n: number;
  readonly mean: number | null;
  /** Quartiles, by the nearest value. */
  readonly low: number | null;
  readonly median: number | null;
  readonly high: number | null;
}

/** One place on the axis of a picture. */
export interface TrendPoint {
  readonly label: string;
  readonly spread: Spread;
}

/** A turn that a person rated, as the yardstick takes it. */
export interface RatedGain {
  readonly episodeId: string;
  readonly turn: number;
  readonly thumb: 0 | 1;
  readonly gain: number | null;
  readonly gainSum: number | null;
  readonly unfit: boolean;
}

/** How an agent's asking went over many conversations; gains are totals in nats. */
export interface Trends {
  readonly episodes: number;
  readonly scored: number;
  /** Questions that were answered. */
  readonly questions: number;
  readonly outcome: Spread;
  /** Total gain by the turn's number, 1 first. */
  readonly gainByTurn: readonly TrendPoint[];
  /** How many conversations had 0, 1, 2, ... questions. */
  readonly questionsPerEpisode: readonly { readonly label: string; readonly n: number }[];
  readonly questionCount: Spread;
  /** Words that the developer sent in answer to a question. */
  readonly wordsPerQuestion: Spread;
  readonly gainPerQuestion: Spread;
  /** Nats for a word typed, over all questions with both. */
  readonly gainPerWord: number | null;
  /** Of the questions with a gain, those whose reply told nothing, in either direction. */
  readonly needless: { readonly n: number; readonly of: number };
  /** The same figures day by day (of the reader), the oldest first. */
  readonly byDay: readonly { readonly day: string; readonly gain: Spread; readonly questions: Spread }[];
  readonly rated: readonly RatedGain[];
}

/** Turns beyond this share one place. */
const LAST_TURN = 10;

/** Figures over these conversations; pure. A turn that a branch inherited counts in its parent alone. */
export function trendsOf(episodes: readonly TrendEpisode[]): Trends {
  const asked = episodes.flatMap((episode) => questionsOf(episode));
  const gains = asked.flatMap(({ total }) => total ?? []);
  const both = asked.filter(({ total, words }) => total !== null && words !== null && words > 0);
  const words = both.reduce((sum, question) => sum + (question.words ?? 0), 0);
  return {
    episodes: episodes.length,
    scored: episodes.filter(({ score }) => score?.gains.some(({ total }) => total !== null) === true).length,
    questions: asked.length,
    outcome: spreadOf(episodes.flatMap(({ digest }) => digest.outcome ?? [])),
    gainByTurn: gainByTurn(episodes),
    questionsPerEpisode: histogram(episodes.map((episode) => questionsOf(episode).length)),
    questionCount: spreadOf(episodes.map((episode) => questionsOf(episode).length)),
    wordsPerQuestion: spreadOf(asked.flatMap((question) => question.words ?? [])),
    gainPerQuestion: spreadOf(gains),
    gainPerWord: words === 0 ? null : both.reduce((sum, { total }) => sum + (total ?? 0), 0) / words,
    needless: { n: gains.filter((total) => Math.abs(total) < NOTHING_BELOW).length, of: gains.length },
    byDay: byDay(episodes),
    rated: episodes.flatMap(ratedOf),
  };
}

interface Question {
  readonly total: number | null;
  readonly words: number | null;
}

/** Answered questions of an episode's own. */
function questionsOf({ digest, score }: TrendEpisode): Question[] {
  return digest.turns.flatMap((turn, index) =>
    isQuestion(turn) ? [{ total: sureTotal(score, index), words: turn.words }] : [],
  );
}

function isQuestion({ kind, inherited, words }: TurnDigest): boolean {
  return kind === 'question' && !inherited && words !== null;
}

/** What an unfit placeholder measured stands on its head as often as not, so it is in no figure. */
function sureTotal(score: ScoreDigest | null, index: number): number | null {
  const gain = score?.gains[index];
  return gain === undefined || gain.unfit ? null : gain.total;
}

function gainByTurn(episodes: readonly TrendEpisode[]): TrendPoint[] {
  const places: number[][] = Array.from({ length: LAST_TURN }, () => []);
  for (const { digest, score } of episodes) {
    for (const [index, turn] of digest.turns.entries()) {
      const total = turn.inherited ? null : sureTotal(score, index);
      if (total !== null) places[Math.min(index, LAST_TURN - 1)]?.push(total);
    }
  }
  const last = places.findLastIndex((totals) => totals.length > 0);
  return places.slice(0, last + 1).map((totals, index) => ({
    label: index === LAST_TURN - 1 ? `${LAST_TURN}+` : `${index + 1}`,
    spread: spreadOf(totals),
  }));
}

function histogram(counts: readonly number[]): { label: string; n: number }[] {
  const last = Math.min(LAST_TURN, Math.max(-1, ...counts));
  return Array.from({ length: last + 1 }, (_, count) => ({
    label: count === LAST_TURN ? `${LAST_TURN}+` : `${count}`,
    n: counts.filter((own) => (count === LAST_TURN ? own >= LAST_TURN : own === count)).length,
  }));
}

function byDay(episodes: readonly TrendEpisode[]): Trends['byDay'] {
  const days = grouped(episodes, ({ digest }) => dayOf(digest.startedAt));
  return [...days]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([day, own]) => ({
      day,
      gain: spreadOf(own.flatMap((episode) => questionsOf(episode).flatMap(({ total }) => total ?? []))),
      questions: spreadOf(own.map((episode) => questionsOf(episode).length)),
    }));
}

function ratedOf({ digest, score }: TrendEpisode): RatedGain[] {
  return digest.turns.flatMap(({ thumb, inherited }, turn): RatedGain[] => {
    if (thumb === null || inherited) return [];
    const gain = score?.gains[turn];
    const [mean, total, unfit] = [gain?.mean ?? null, gain?.total ?? null, gain?.unfit ?? false];
    return [{ episodeId: digest.id, turn, thumb, gain: mean, gainSum: total, unfit }];
  });
}

/** Mean and quartiles; the nearest of the values that there are, never one in between. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number | null => sorted[Math.round(share * (sorted.length - 1))] ?? null;
  const mean = sorted.length === 0 ? null : sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  return { n: sorted.length, mean, low: at(0.25), median: at(0.5), high: at(0.75) };
}

/** `2026-11-21`, where the reader is. */
function dayOf(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => `${value}`.padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
