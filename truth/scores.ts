import { DEFAULT_SCORE_OPTIONS, scoreTranscripts } from '../src/app/score.ts';
import type { ScoredEpisode, ScoredTurn } from '../src/core/scored-episode.ts';
import type { Transcript } from '../src/core/transcript.ts';
import type { Subject } from './subject.ts';

/** Gain of one turn: its two columns, nats. */
export interface Gain {
  readonly total: number;
  readonly mean: number;
}

/** Scores whole transcripts as the product does, under one placeholder; parallel to them. */
export async function score(
  transcripts: readonly Transcript[],
  { scorer }: Pick<Subject, 'scorer'>,
  placeholder: string,
): Promise<ScoredEpisode[]> {
  const scored: ScoredEpisode[] = [];
  const options = { ...DEFAULT_SCORE_OPTIONS, placeholder };
  for await (const episode of scoreTranscripts(transcripts, { backend: scorer, options })) scored.push(episode);
  return scored;
}

/** The gains of an episode's answered turns, null where there is none. */
export function gainsOf({ turns }: ScoredEpisode): (Gain | null)[] {
  return turns.slice(0, -1).map(gainOf);
}

export function gainOf({ gain, gain_sum }: Pick<ScoredTurn, 'gain' | 'gain_sum'>): Gain | null {
  return gain === null || gain_sum === null ? null : { total: gain_sum, mean: gain };
}

/** The last answered turn, whose a_{t+1} is the transcript's last action. */
export function lastAnswered({ turns }: ScoredEpisode): ScoredTurn | null {
  return turns.at(-2) ?? null;
}
