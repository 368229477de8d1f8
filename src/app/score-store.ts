import type { Backend, ScorerIdentity } from '../core/backend.ts';
import { applyCalibration } from '../core/calibration.ts';
import { fittingScores } from '../core/dataset/export-episode.ts';
import type { EpisodeState } from '../core/episode-state.ts';
import { reduce } from '../core/reduce.ts';
import type { ScoredEpisode, ScoreOptions } from '../core/scored-episode.ts';
import { sha256Text } from '../core/sha.ts';
import { toScorable } from '../core/to-transcript.ts';
import type { Journal } from '../store/journal.ts';
import { calibratedScorer } from './calibrated-scorer.ts';
import { resolved, scoreTranscripts } from './score.ts';

/** Names under which a store keeps the scores of one scorer under one set of options. */
export interface ScoreKeys {
  readonly scorerKey: string;
  readonly optionsKey: string;
}

export function scoreKeys(scorer: ScorerIdentity, options: ScoreOptions): ScoreKeys {
  return { scorerKey: sha256Text(sortedJson(scorer)), optionsKey: sha256Text(sortedJson(options)) };
}

export interface StoreScoring {
  readonly journal: Journal;
  readonly backend: Backend;
  readonly options: ScoreOptions;
  /** Which episodes to score. */
  readonly wanted: (state: EpisodeState) => boolean;
  readonly concurrency?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with episodes scored and episodes to score. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Conversations in memory at once. */
const AT_ONCE = 64;

/**
 * Scores the wanted episodes of a store that have no fitting scores yet, keeps them there, and gives back how to look scores
 * up. An episode whose request failed is not kept, so that the next run tries again. Throws what `scoreTranscripts` throws.
 */
export async function scoreStore(scoring: StoreScoring): Promise<(state: EpisodeState) => ScoredEpisode | null> {
  const { journal, wanted, signal } = scoring;
  const backend = calibratedScorer(scoring.backend, journal.calibrations);
  const facts = await backend.facts(signal);
  const { identity, calibration } = facts;
  const options = resolved(scoring.options, facts);
  const { scorerKey, optionsKey } = scoreKeys(identity, options);
  const failed = new Map<string, ScoredEpisode>();
  const lookUp = (state: EpisodeState): ScoredEpisode | null => {
    const row = failed.get(state.id) ?? fittingScores(state, journal.getScored(state.id, scorerKey, optionsKey));
    // It may have been scored before the scorer was measured.
    return row && applyCalibration(row, calibration ?? null);
  };
  const missing = journal
    .episodes()
    .map(({ id }) => id)
    .sort()
    .filter((id) => {
      const state = reduce(journal.read(id));
      return state.skippedEvents === 0 && wanted(state) && lookUp(state) === null;
    });
  for (let done = 0; done < missing.length; done += AT_ONCE) {
    const transcripts = missing.slice(done, done + AT_ONCE).map((id) => toScorable(reduce(journal.read(id))));
    const run = { backend, options, signal, concurrency: scoring.concurrency ?? 1 };
    const onEpisode = (count: number): void => scoring.onProgress?.(done + count, missing.length);
    for await (const scored of scoreTranscripts(transcripts, { ...run, onEpisode })) {
      const { episode_id, turns } = scored;
      if (turns.some(({ null_reason }) => null_reason === 'backend_failed')) failed.set(episode_id, scored);
      else journal.putScored(episode_id, scorerKey, optionsKey, scored);
    }
  }
  return lookUp;
}

function sortedJson(value: object): string {
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
