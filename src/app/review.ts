import type { Branch } from '../core/branches.ts';
import { applyCalibration, CALIBRATION_MIN } from '../core/calibration.ts';
import { creditBatch } from '../core/credit/credit.ts';
import { creditEpisodeOf } from '../core/credit/from-score.ts';
import type { Ledger } from '../core/credit/ledger.ts';
import { resolveCreditOptions, type CreditChoices } from '../core/credit/options.ts';
import { exportedOutcome } from '../core/dataset/export-episode.ts';
import type { EpisodeState } from '../core/episode-state.ts';
import { lightScoreOf, type LightScore } from '../core/light-score.ts';
import { reduce } from '../core/reduce.ts';
import type { ReviewSources } from '../core/review-view.ts';
import {
  companyIn,
  reviewEpisode,
  type Company,
  type EpisodeReview,
  type ScoredBy,
  type ScoringProgress,
} from '../core/review.ts';
import type { ScoredEpisode, ScoreOptions } from '../core/scored-episode.ts';
import type { Journal } from '../store/journal.ts';
import type { EpisodeFacts } from '../store/list-episodes.ts';
import { scoreOptionsKey } from './cached-scorer.ts';
import { isLocked } from './patiently.ts';
import { scoreKeys } from './score-store.ts';

/** What a review reads. */
export interface ReviewPorts {
  readonly journal: Journal;
  readonly options: () => ScoreOptions;
  readonly progressOf: (episodeId: string) => ScoringProgress | null;
  /** How credit is made; absent: the default preset. */
  readonly credit?: (() => CreditChoices) | undefined;
  /** Identity that the chosen scorer last had (`scoreKeys`); null or absent: it was never connected. */
  readonly scorerKey?: (() => string | null) | undefined;
}

/** Newest scored episodes that are compared with each other; more would be read on the editor's own thread. */
const LARGEST_BATCH = 300;

/** Conversations with their gains and credit, read from the store and kept until something changes. */
export class Review {
  readonly #ports: ReviewPorts;
  /** What is known under `#optionsKey`, the newest score first. */
  #rows: Map<string, Row> | null = null;
  #optionsKey = '';
  #scorerKey: string | null = null;
  #ledgers: ReadonlyMap<string, Ledger> | null = null;

  constructor(ports: ReviewPorts) {
    this.#ports = ports;
  }

  /** Identity that the chosen scorer last had; null: it was never connected. */
  scorerKey(): string | null {
    return this.#ports.scorerKey?.() ?? null;
  }

  /** All episodes, the newest first. */
  episodes(): EpisodeFacts[] {
    return this.#ports.journal.episodes();
  }

  /** What branches off what, the oldest first. */
  branches(): Branch[] {
    return this.#ports.journal.branches();
  }

  episode(id: string): EpisodeReview {
    const state = reduce(this.#ports.journal.read(id));
    const row = this.#scored().get(id);
    this.#ledgers ??= ledgersOf([...this.#scored().values()], this.#ports.credit?.() ?? {});
    const { progressOf } = this.#ports;
    const ledger = this.#ledgers.get(id) ?? null;
    return reviewEpisode(state, row ?? null, ledger, progressOf(id), this.scoredBy(id), this.#companyOf(ledger));
  }

  /** All that a detailed review of an episode is drawn from, its tokens' log-probs included. Throws where it cannot be read. */
  sources(id: string): ReviewSources {
    const { journal, progressOf, credit } = this.#ports;
    const state = reduce(journal.read(id));
    const known = this.#scored().has(id);
    this.#ledgers ??= ledgersOf([...this.#scored().values()], credit?.() ?? {});
    const [row] = known ? journal.preferredScored(this.#preferred(), { episodeId: id }) : [];
    return {
      state,
      scored: row === undefined ? null : applyCalibration(row, journal.calibrations.get(row.scorer)),
      ledger: this.#ledgers.get(id) ?? null,
      company: this.#companyOf(this.#ledgers.get(id) ?? null),
      progress: progressOf(id),
      scoredBy: this.scoredBy(id),
      scorings: journal.scoresOf(id),
      noise: row === undefined ? null : (journal.calibrations.get(row.scorer)?.noise ?? null),
    };
  }

  #companyOf(ledger: Ledger | null): Company | null {
    return ledger === null || this.#ledgers === null ? null : companyIn(this.#ledgers.values(), ledger);
  }

  /** The credit of an episode; null while it has none. */
  ledger(id: string): Ledger | null {
    this.#ledgers ??= ledgersOf([...this.#scored().values()], this.#ports.credit?.() ?? {});
    return this.#ledgers.get(id) ?? null;
  }

  /** Who made the gains that are shown of an episode; null while there are none. */
  scoredBy(id: string): ScoredBy | null {
    const row = this.#scored().get(id);
    return row === undefined ? null : { name: `${row.scorer.id} on ${row.scorer.backend}`, stale: row.stale };
  }

  /** Sum of an episode's known gains in nats, without reading the episode; null while none is known. */
  gainOf(id: string): number | null {
    const gains = this.#scored()
      .get(id)
      ?.turns.flatMap(({ gain_sum }) => gain_sum ?? []);
    return gains === undefined || gains.length === 0 ? null : gains.reduce((sum, gain) => sum + gain, 0);
  }

  /** Forgets what it read of one episode, or (null) of all; call it when scores or outcomes changed. */
  refresh(episodeId: string | null = null): void {
    this.#ledgers = null;
    if (episodeId === null || this.#rows === null) {
      this.#rows = null;
      return;
    }
    const [newest] = this.#lightScores({ episodeId });
    const others = [...this.#rows].filter(([id]) => id !== episodeId);
    this.#rows = new Map(newest === undefined ? others : [[episodeId, this.#rowOf(newest)], ...others]);
  }

  /** Writes an episode's outcome of today to its newest score, so that the batch counts with it. */
  noteOutcome(state: EpisodeState): void {
    const outcome = exportedOutcome(state).value;
    const known = this.#scored().get(state.id);
    if (known === undefined || known.outcome === outcome) return;
    const { journal } = this.#ports;
    const [row] = journal.preferredScored(this.#preferred(), { episodeId: state.id });
    if (row === undefined) return;
    const { scorerKey, optionsKey } = scoreKeys(row.scorer, row.options);
    journal.putScored(state.id, scorerKey, optionsKey, { ...row, outcome });
    this.refresh(state.id);
  }

  #scored(): Map<string, Row> {
    const { options, scorerKey: chosen } = this.#ports;
    const optionsKey = scoreOptionsKey(options());
    const scorerKey = chosen?.() ?? null;
    if (this.#rows === null || this.#optionsKey !== optionsKey || this.#scorerKey !== scorerKey) {
      this.#optionsKey = optionsKey;
      this.#scorerKey = scorerKey;
      const rows = this.#lightScores({ limit: LARGEST_BATCH });
      this.#rows = new Map(rows.map((row) => [row.episode_id, this.#rowOf(row)]));
      this.#ledgers = null;
    }
    return this.#rows;
  }

  /** The score that stands for each episode, read from what was digested, and whole where that is still to come. */
  #lightScores(only: { readonly limit: number } | { readonly episodeId: string }): LightScore[] {
    const { journal } = this.#ports;
    const whole = (): LightScore[] => journal.preferredScored(this.#preferred(), only).map((row) => this.#today(row));
    // Beside a store that cannot be written digests are made by and by, and what has none is not in their list.
    if (journal.readOnly !== null) return whole();
    try {
      return journal.digests.lightScores(this.#preferred(), only).flatMap(({ position, light }) => {
        const row = light === null ? journal.scoreAt(position) : null;
        return light ?? (row === null ? [] : this.#today(row));
      });
    } catch (thrown) {
      // Their tables are still to be made, and another window writes.
      if (isLocked(thrown)) return whole();
      throw thrown;
    }
  }

  /** A score that is not digested, with the outcome of today: what an import did not give it cannot know. */
  #today(row: ScoredEpisode): LightScore {
    const light = lightScoreOf(row);
    try {
      return { ...light, outcome: exportedOutcome(reduce(this.#ports.journal.read(row.episode_id))).value };
    } catch {
      // A conversation that cannot be read is said to be so where it is listed.
      return light;
    }
  }

  #preferred(): { readonly scorerKey: string | null; readonly optionsKey: string } {
    return { scorerKey: this.#scorerKey, optionsKey: this.#optionsKey };
  }

  #isStale({ scorer, options }: LightScore): boolean {
    const others = scoreOptionsKey(options) !== this.#optionsKey;
    return others || (this.#scorerKey !== null && scoreKeys(scorer, options).scorerKey !== this.#scorerKey);
  }

  /** With what is known of the scorer today: it may have been measured after it scored. */
  #rowOf(row: LightScore): Row {
    const light = { ...row, stale: this.#isStale(row) };
    return applyCalibration(light, this.#ports.journal.calibrations.get(row.scorer));
  }
}

/** A score without its tokens, and whether another scorer or other options are chosen now. */
interface Row extends LightScore {
  readonly stale: boolean;
}

/** Credit compares what one scorer scored in one way: the chosen one, else what was scored last. Others are shown, not compared. */
function ledgersOf(rows: readonly Row[], choices: CreditChoices): ReadonlyMap<string, Ledger> {
  const newest = rows.find(({ stale }) => !stale) ?? rows[0];
  if (newest === undefined) return new Map();
  const nameOf = (row: Row): string => JSON.stringify(scoreKeys(row.scorer, row.options));
  const members = rows.filter((row) => nameOf(row) === nameOf(newest));
  const { placebo } = newest;
  const options = resolveCreditOptions(choices, placebo !== null && placebo.n >= CALIBRATION_MIN ? placebo : null);
  return new Map(creditBatch(members.map(creditEpisodeOf), options).map((ledger) => [ledger.episode_id, ledger]));
}
