import { join } from 'node:path';
import type { EpisodeState } from '../../src/core/episode-state.ts';
import { reduce } from '../../src/core/reduce.ts';
import type { ScoredEpisode } from '../../src/core/scored-episode.ts';
import { openJournal, type Journal } from '../../src/store/journal.ts';
import { sampleEvents, sampleScores, sampleSpecs, type SampleSpec } from '../core/dataset/sample.ts';

/** A store with sample conversations in it, and their scores. Its clock is fixed, from event to event `apart` ms, so that two stores differ in event ids only. */
export function sampleStore(
  folder: string,
  specs: readonly SampleSpec[] = sampleSpecs,
  { apart = 1000 }: { readonly apart?: number } = {},
): { readonly journal: Journal; readonly scoredOf: (state: EpisodeState) => ScoredEpisode | null } {
  let clock = 1_700_000_000_000;
  const journal = openJournal(join(folder, 'store.db'), { now: () => (clock += apart) });
  for (const spec of specs) journal.append(spec.id, sampleEvents(spec));
  const byId = new Map(specs.map((spec) => [spec.id, spec]));
  return {
    journal,
    scoredOf: (state) => {
      const spec = byId.get(state.id);
      return spec ? sampleScores(state, spec) : null;
    },
  };
}

/** The state of one sample conversation, without a store. */
export function sampleState(spec: SampleSpec): EpisodeState {
  return reduce(
    sampleEvents(spec).map((body, seq) => ({
      id: `${spec.id}-${seq}`,
      episode_id: spec.id,
      seq,
      at: 1_700_000_000_000 + seq,
      version: 1,
      body,
    })),
  );
}
