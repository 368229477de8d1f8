import { creditBatch } from '../core/credit/credit.ts';
import { creditEpisodeOf } from '../core/credit/from-score.ts';
import type { Ledger } from '../core/credit/ledger.ts';
import { resolveCreditOptions } from '../core/credit/options.ts';
import { exportedOutcome } from '../core/dataset/export-episode.ts';
import type { EpisodeState } from '../core/episode-state.ts';
import { reduce } from '../core/reduce.ts';
import { reviewEpisode, type EpisodeReview, type ScoringProgress } from '../core/review.ts';
import type { ScoredEpisode, ScoreOptions } from '../core/scored-episode.ts';
import type { Journal } from '../store/journal.ts';
import type { EpisodeFacts } from '../store/list-episodes.ts';
import { scoreOptionsKey } from './cached-scorer.ts';
import { scoreKeys } from './score-store.ts';

/** What a review reads. */
export interface ReviewPorts {
  readonly journal: Journal;
  readonly options: () => ScoreOptions;
  readonly progressOf: (episodeId: string) => ScoringProgress | null;
}

/** Newest scored episodes that are compared with each other; more would be read on the editor's own thread. */
const LARGEST_BATCH = 300;

/** Placebo figures count from this many gains on (spec S1). */
const PLACEBO_MIN = 50;

/** Conversations with their gains and credit, read from the store and kept until something changes. */
export class Review {
  readonly #ports: ReviewPorts;
  #batch: Batch | null = null;

  constructor(ports: ReviewPorts) {
    this.#ports = ports;
  }

  /** All episodes, the newest first. */
  episodes(): EpisodeFacts[] {
    return this.#ports.journal.episodes();
  }

  episode(id: string): EpisodeReview {
    const state = reduce(this.#ports.journal.read(id));
    const { scored, ledgers } = this.#current();
    return reviewEpisode(state, scored.get(id) ?? null, ledgers.get(id) ?? null, this.#ports.progressOf(id));
  }

  /** Sum of an episode's known gains in nats, without reading the episode; null while none is known. */
  gainOf(id: string): number | null {
    const gains =
      this.#current()
        .scored.get(id)
        ?.turns.flatMap(({ gain_sum }) => gain_sum ?? []) ?? [];
    return gains.length === 0 ? null : gains.reduce((sum, gain) => sum + gain, 0);
  }

  /** Forgets what it read; call it when scores or outcomes changed. */
  refresh(): void {
    this.#batch = null;
  }

  /** Writes an episode's outcome of today to its newest score, so that the batch counts with it. */
  noteOutcome(state: EpisodeState): void {
    const { journal } = this.#ports;
    const row = this.#current().scored.get(state.id);
    const outcome = exportedOutcome(state).value;
    if (row === undefined || row.outcome === outcome) return;
    const { scorerKey, optionsKey } = scoreKeys(row.scorer, row.options);
    journal.putScored(state.id, scorerKey, optionsKey, { ...row, outcome });
    this.refresh();
  }

  #current(): Batch {
    const { journal, options } = this.#ports;
    this.#batch ??= batchOf(journal.newestScored(scoreOptionsKey(options()), LARGEST_BATCH));
    return this.#batch;
  }
}

interface Batch {
  readonly scored: ReadonlyMap<string, ScoredEpisode>;
  readonly ledgers: ReadonlyMap<string, Ledger>;
}

/** Credit compares what one scorer scored: the one that scored last. Older scores of another are shown, not compared. */
function batchOf(rows: readonly ScoredEpisode[]): Batch {
  const scored = new Map(rows.map((row) => [row.episode_id, row]));
  const [newest] = rows;
  if (newest === undefined) return { scored, ledgers: new Map() };
  const nameOf = (row: ScoredEpisode): string => scoreKeys(row.scorer, row.options).scorerKey;
  const members = rows.filter((row) => nameOf(row) === nameOf(newest));
  const { placebo } = newest;
  const options = resolveCreditOptions({}, placebo !== null && placebo.n >= PLACEBO_MIN ? placebo : null);
  const ledgers = creditBatch(members.map(creditEpisodeOf), options);
  return { scored, ledgers: new Map(ledgers.map((ledger) => [ledger.episode_id, ledger])) };
}
