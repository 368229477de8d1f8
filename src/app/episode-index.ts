import { applyCalibration } from '../core/calibration.ts';
import { digestOf, scoreDigestOf, type EpisodeDigest } from '../core/episode-digest.ts';
import { passes, type EpisodeFilter, type EpisodeStanding, type Filtered } from '../core/episode-filter.ts';
import type { EpisodeState } from '../core/episode-state.ts';
import { exportedOutcome } from '../core/dataset/export-episode.ts';
import { TurnwiseError } from '../core/error.ts';
import { lightScoreOf } from '../core/light-score.ts';
import { reduce } from '../core/reduce.ts';
import { REASONS } from '../core/review.ts';
import type { ScoredEpisode, ScoreOptions } from '../core/scored-episode.ts';
import type { DigestRow } from '../store/digest-row.ts';
import type { DigestedScore, DigestFacts, DigestView } from '../store/digests.ts';
import type { Journal } from '../store/journal.ts';
import { stateIn } from '../store/queue-desk.ts';
import { scoreOptionsKey } from './cached-scorer.ts';
import { admission } from './dataset/admission.ts';

/** One row of the list of episodes; gains in nats. */
export interface EpisodeRow extends Filtered {
  readonly id: string;
  /** The request in one line; null before it. */
  readonly title: string | null;
  readonly source: string;
  readonly turns: number;
  /** Replies that an action followed. */
  readonly scorable: number;
  /** It branched off another conversation. */
  readonly branch: boolean;
  /** The developer named it; else the title is its request. */
  readonly named: boolean;
  /** Sum of the known gains; null while none is. */
  readonly gain: number | null;
  /** The gain is of another scorer, or under other options, than are chosen now. */
  readonly stale: boolean;
  readonly excluded: boolean;
  /** It was reviewed, and went on since: to be looked at again. */
  readonly changed: boolean;
  /** Why it stands where it stands, in words; null where there is nothing to say. */
  readonly why: string | null;
}

export interface ReviewProgress {
  readonly episodes: number;
  readonly reviewed: number;
  /** Episodes with a turn of their own. */
  readonly total: number;
}

export interface IndexPorts {
  readonly journal: Journal;
  readonly options: () => ScoreOptions;
  /** Name of the chosen scorer in the queue. */
  readonly scorer: () => string;
  /** Identity that the chosen scorer last had; null: it was never connected. */
  readonly scorerKey: () => string | null;
  readonly now?: (() => number) | undefined;
}

/** Episodes that are digested in one transaction: few enough that an editor's thread stays free. */
const SLICE = 20;
/** Rows that are read at once behind what is shown, in a few ms. */
const READ_AHEAD = 500;

/** The list of all episodes, kept beside the journal as digests, so that it opens and narrows without reading a conversation. */
export class EpisodeIndex {
  readonly #ports: IndexPorts;
  /** The list as far as it was read, the newest first, and whether that is all of it. */
  #rows: Placed[] = [];
  #whole = false;
  #key = '';

  constructor(ports: IndexPorts) {
    this.#ports = ports;
  }

  /** Digests what came since, at most `slices` of 20 episodes and scores; true: more is left. What is damaged is listed as that. */
  update(slices = 1): boolean {
    for (let slice = 0; slice < slices; slice += 1) {
      if (!this.#updateSlice()) return false;
    }
    return true;
  }

  /** Digests everything that came since. */
  catchUp(): void {
    while (this.#updateSlice());
  }

  /** All episodes, the newest first. */
  rows(): readonly EpisodeRow[] {
    return this.#readTo(Infinity);
  }

  /** The first so many, without reading the others. */
  first(count: number): readonly EpisodeRow[] {
    return this.#readTo(count).slice(0, count);
  }

  /** Reads a little more of the list than was read, so that a filter finds it there; true: more is left. */
  readAhead(): boolean {
    this.#readTo(this.#rows.length + READ_AHEAD);
    return !this.#whole;
  }

  /** A row as it was read last; null: it was not. */
  known(id: string): EpisodeRow | null {
    return this.#rows.find((row) => row.id === id) ?? null;
  }

  /** One row as it stands now; null: there is no such episode. */
  row(id: string): EpisodeRow | null {
    return this.#rowNow(id);
  }

  /** Those that pass a filter, the newest first. */
  filtered(filter: EpisodeFilter): readonly EpisodeRow[] {
    const now = this.#now();
    return this.rows().filter((row) => passes(filter, row, now));
  }

  /** How many there are, and how much of the list was looked through. */
  progress(): ReviewProgress {
    const { episodes, reviewable, reviewed } = this.#ports.journal.digests.counts();
    return { episodes, reviewed, total: reviewable };
  }

  /** Models that spoke in any of them, in the order of their names. */
  models(): string[] {
    return [...new Set(this.rows().flatMap(({ models }) => models))].sort();
  }

  /** What trends and groups are made of: all episodes, or those of one group, newest first. */
  facts(groupId?: string): DigestFacts[] {
    return this.#ports.journal.digests.facts(this.#view(), { groupId });
  }

  /** Forgets the rows; call it when something changed. With an episode, only its row is read again. */
  refresh(id: string | null = null): void {
    const at = id === null ? -1 : this.#rows.findIndex((row) => row.id === id);
    const fresh = at < 0 || id === null ? null : this.#rowNow(id);
    if (fresh === null) this.#forget();
    else this.#rows = this.#rows.with(at, fresh);
  }

  /** Marks of these episodes are made anew: their outcome changed, or (null) a scorer was measured. */
  remark(ids: readonly string[] | null): void {
    this.#ports.journal.digests.forgetScores(ids);
  }

  #updateSlice(): boolean {
    const { digests } = this.#ports.journal;
    const { ids, upTo } = digests.pendingEpisodes(SLICE);
    if (upTo !== null) {
      const read = ids.map((id) => [id, this.#read(id)] as const);
      digests.write(
        read.map(([id, state]) => [id, state === null ? null : episodeDigest(state)]),
        [],
        upTo,
      );
      // An outcome may have changed with it, and marks are made of that.
      digests.forgetScores(ids);
      this.#redraw(ids);
      return true;
    }
    const scores = digests.pendingScores(SLICE);
    if (scores.length === 0) return false;
    digests.write(
      [],
      scores.map(({ position, episodeId }) => [position, this.#digestedScore(position, episodeId)]),
      null,
    );
    this.#redraw(scores.map(({ episodeId }) => episodeId));
    return true;
  }

  /** A few rows are read again one by one, a new one or many with all the others. */
  #redraw(ids: readonly string[]): void {
    const known = new Set(this.#rows.map(({ id }) => id));
    if (ids.length > 3 || ids.some((id) => !known.has(id))) this.#forget();
    else for (const id of ids) this.refresh(id);
  }

  #forget(): void {
    this.#rows = [];
    this.#whole = false;
  }

  #readTo(count: number): readonly EpisodeRow[] {
    const view = this.#view();
    const key = JSON.stringify(view);
    if (key !== this.#key) this.#forget();
    this.#key = key;
    const missing = count - this.#rows.length;
    if (this.#whole || missing <= 0) return this.#rows;
    const limit = Number.isFinite(missing) ? missing : undefined;
    const now = this.#now();
    const read = this.#ports.journal.digests.rows(view, { before: this.#rows.at(-1)?.position, limit });
    this.#whole = limit === undefined || read.length < limit;
    this.#rows = [...this.#rows, ...read.map((row) => rowOf(row, view, now))];
    return this.#rows;
  }

  #rowNow(id: string): Placed | null {
    const view = this.#view();
    const row = this.#ports.journal.digests.row(view, id);
    return row === null ? null : rowOf(row, view, this.#now());
  }

  #read(id: string): EpisodeState | null {
    try {
      return reduce(this.#ports.journal.read(id));
    } catch (thrown) {
      if (thrown instanceof TurnwiseError && thrown.fault === 'corrupt') return null;
      throw thrown;
    }
  }

  #digestedScore(position: number, episodeId: string): DigestedScore | null {
    const { journal } = this.#ports;
    const scored = journal.scoreAt(position);
    const state = scored === null ? null : this.#read(episodeId);
    if (scored === null || state === null) return null;
    const known: ScoredEpisode = applyCalibration(scored, journal.calibrations.get(scored.scorer));
    const outcome = exportedOutcome(state).value;
    // A score knows the outcome that an import gave; what was decided and tested since is the conversation's to say.
    return { digest: scoreDigestOf(state, outcome, known), light: { ...lightScoreOf(scored), outcome } };
  }

  #view(): DigestView {
    const { options, scorer, scorerKey } = this.#ports;
    return { scorerKey: scorerKey(), optionsKey: scoreOptionsKey(options()), scorer: scorer() };
  }

  #now(): number {
    return this.#ports.now?.() ?? Date.now();
  }
}

function episodeDigest(state: EpisodeState): EpisodeDigest {
  return digestOf(state, admission(state).consent !== null);
}

/** A row, and where it stands in the list. */
interface Placed extends EpisodeRow {
  readonly position: number;
}

function rowOf(row: DigestRow, view: DigestView, now: number): Placed {
  const { score } = row;
  const shown = {
    position: row.position,
    id: row.id,
    title: row.title,
    source: row.source,
    startedAt: row.startedAt,
    models: row.models,
    turns: row.turns,
    scorable: row.scorable,
    reviewed: row.reviewed,
    reviewable: row.reviewable,
    excluded: row.excluded,
    changed: row.changed,
    branch: row.branch,
    named: row.named,
  };
  const { standing, why } = standingOf(row, view, now);
  const stale = score?.gain != null && isOther(score, view);
  return { ...shown, standing, why, stale, gain: score?.gain ?? null, marks: score?.marks ?? [] };
}

/** Where an episode stands: what is to come counts for more than what is there. */
function standingOf(
  { damaged, score, job, scorable }: DigestRow,
  view: DigestView,
  now: number,
): { readonly standing: EpisodeStanding; readonly why: string | null } {
  if (damaged)
    return {
      standing: 'unreadable',
      why: 'this conversation is damaged; its file must be kept, and a backup restored',
    };
  const queued = job === null ? null : jobStanding(job, now);
  if (queued !== null && queued.standing !== 'stale') return queued;
  if (score === null) {
    return scorable === 0
      ? { standing: 'unscorable', why: 'no reply was followed by an action yet' }
      : (queued ?? { standing: 'unscored', why: null });
  }
  if (score.gain === null) return { standing: 'unscorable', why: score.why === null ? null : REASONS[score.why] };
  if (isOther(score, view)) return { standing: 'stale', why: 'another scorer or other options are chosen now' };
  return queued ?? { standing: 'scored', why: null };
}

function isOther(score: NonNullable<DigestRow['score']>, { scorerKey, optionsKey }: DigestView): boolean {
  return score.optionsKey !== optionsKey || (scorerKey !== null && score.scorerKey !== scorerKey);
}

function jobStanding(
  job: NonNullable<DigestRow['job']>,
  now: number,
): { readonly standing: EpisodeStanding; readonly why: string | null } | null {
  const { state, message } = stateIn(
    {
      episode_id: '',
      scorer: '',
      options_key: '',
      attempts: 0,
      expected: null,
      wanted: job.wanted,
      done: job.done,
      lease_until: job.leaseUntil,
      not_before: job.notBefore,
      reason: job.reason,
      message: job.message,
      outdated: job.outdated,
    },
    now,
  );
  return state === 'scored' ? null : { standing: state, why: message };
}
