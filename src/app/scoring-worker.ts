import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { Backend } from '../core/backend.ts';
import { errorText, TurnwiseError } from '../core/error.ts';
import type { EpisodeState } from '../core/episode-state.ts';
import { reduce } from '../core/reduce.ts';
import type { ScoreOptions } from '../core/scored-episode.ts';
import { toTranscript } from '../core/to-transcript.ts';
import type { Journal } from '../store/journal.ts';
import type { JobState } from '../store/queue-desk.ts';
import type { ScoreJob } from '../store/score-queue.ts';
import { cachedScorer, scoreOptionsKey } from './cached-scorer.ts';
import { calibratedScorer } from './calibrated-scorer.ts';
import { scoreKeys } from './score-store.ts';
import { scoreTranscripts } from './score.ts';

/** How a window scores in the background. Callbacks must not throw. */
export interface ScoringPorts {
  readonly journal: Journal;
  /** The scorer that is chosen now. */
  readonly connect: (signal: AbortSignal) => Promise<Backend>;
  readonly options: () => ScoringChoice;
  /** While this is true no job is begun: the agent is speaking. Call `kick` when it ends. */
  readonly busy: () => boolean;
  /** The open conversation; it comes first. */
  readonly open: () => string | null;
  /** Something about the scores of this episode changed. */
  readonly onChange: (episodeId: string) => void;
  readonly onError: (error: unknown) => void;
}

/** What is scored by whom. */
export interface ScoringChoice {
  readonly enabled: boolean;
  /** Names the scorer in the queue: profile and model. */
  readonly scorer: string;
  /** On another machine: only what may leave this one is sent there. */
  readonly remote: boolean;
  readonly options: ScoreOptions;
}

/** A job belongs to this worker for so long, ms, and is prolonged three times meanwhile; after a crash it is anybody's again. */
const LEASE_MS = 30_000;
/** Waits between tries, ms; each is spread by up to a half, so that two windows do not meet again. */
const RETRY_MS = [2_000, 10_000, 60_000, 300_000];

/** Scores conversations one by one behind the chat, from a queue that all windows share. */
export class ScoringWorker {
  readonly #ports: ScoringPorts;
  readonly #owner = uuidv7();
  readonly #ended = new AbortController();
  #loop: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Actions up to which an episode was wished for last, so that an event that adds none costs no write. */
  readonly #wished = new Map<string, number>();

  constructor(ports: ScoringPorts) {
    this.#ports = ports;
  }

  /** Wishes an episode scored, once some action has a next one; `again` also when that was done before. */
  wish(state: EpisodeState, { again = false }: { readonly again?: boolean } = {}): void {
    const { enabled, scorer, options } = this.#ports.options();
    if ((!enabled && !again) || state.turns.length < 2) return;
    const optionsKey = scoreOptionsKey(options);
    const wished = `${state.id} ${scorer} ${optionsKey}`;
    if (!again && this.#wished.get(wished) === state.turns.length) return;
    this.#wished.set(wished, state.turns.length);
    this.#guarded(() => {
      this.#ports.journal.queue.wish(
        { episodeId: state.id, scorer, optionsKey, actions: state.turns.length },
        { again },
      );
      this.#ports.onChange(state.id);
    });
    this.kick();
  }

  /** Where an episode stands with the present scorer; null: not asked for. */
  stateOf(episodeId: string): JobState | null {
    const { scorer, options } = this.#ports.options();
    return this.#ports.journal.queue.stateOf(episodeId, scorer, scoreOptionsKey(options));
  }

  /** Looks for work; call it when there may be some. */
  kick(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#ended.signal.aborted || this.#loop !== null || this.#ports.busy()) return;
    this.#loop = this.#work().finally(() => {
      this.#loop = null;
      this.#sleepUntilDue();
    });
  }

  /** Stops; what it held is given back. */
  async dispose(): Promise<void> {
    this.#ended.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#loop;
    this.#guarded(() => {
      this.#ports.journal.queue.release(this.#owner);
    });
  }

  async #work(): Promise<void> {
    while (!this.#ended.signal.aborted && !this.#ports.busy()) {
      const choice = this.#ports.options();
      const job = this.#guarded(() => this.#claim(choice));
      if (job === undefined || job === null) return;
      await this.#run(job, choice);
    }
  }

  #claim({ scorer, options }: ScoringChoice): ScoreJob | null {
    const { queue } = this.#ports.journal;
    return queue.claim(this.#owner, scorer, scoreOptionsKey(options), LEASE_MS, this.#ports.open());
  }

  async #run(job: ScoreJob, choice: ScoringChoice): Promise<void> {
    const { journal, onChange } = this.#ports;
    onChange(job.episodeId);
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#ended.signal]);
    const keeping = this.#keepLease(job, over);
    try {
      const state = reduce(journal.read(job.episodeId));
      refuseForbidden(state, choice);
      const backend = calibratedScorer(cachedScorer(await this.#ports.connect(signal), journal), journal.calibrations);
      const keys = scoreKeys((await backend.facts(signal)).identity, choice.options);
      for await (const scored of scoreTranscripts([toTranscript(state)], {
        backend,
        options: choice.options,
        signal,
      })) {
        const failed = scored.turns.find((turn) => turn.null_reason === 'backend_failed');
        if (failed) throw new TurnwiseError('backend', 'backend_failed', failed.null_detail ?? 'The scorer failed.');
        journal.putScored(job.episodeId, keys.scorerKey, keys.optionsKey, scored);
      }
      journal.queue.finish(this.#owner, job);
    } catch (thrown) {
      // Ended, or taken over by another window: nothing to report.
      if (!signal.aborted) this.#giveUp(job, thrown);
    } finally {
      over.abort();
      await keeping;
      onChange(job.episodeId);
    }
  }

  #giveUp(job: ScoreJob, thrown: unknown): void {
    this.#ports.onError(thrown);
    const reason = thrown instanceof TurnwiseError ? thrown.reason : 'unexpected';
    const wait = mayRecover(thrown) ? RETRY_MS[job.attempts - 1] : undefined;
    const retryMs = wait === undefined ? null : Math.round(wait * (1 + Math.random() / 2));
    this.#guarded(() => {
      this.#ports.journal.queue.fail(this.#owner, job, { reason, message: errorText(thrown) }, retryMs);
    });
  }

  async #keepLease(job: ScoreJob, over: AbortController): Promise<void> {
    const pause = (): Promise<boolean> => sleep(LEASE_MS / 3, true, { signal: over.signal }).catch(() => false);
    while (await pause()) {
      const kept = this.#guarded(() => this.#ports.journal.queue.renew(this.#owner, job, LEASE_MS));
      if (kept === false) over.abort();
    }
  }

  #sleepUntilDue(): void {
    if (this.#ended.signal.aborted) return;
    const due = this.#guarded(() => {
      const { scorer, options } = this.#ports.options();
      return this.#ports.journal.queue.dueIn(scorer, scoreOptionsKey(options));
    });
    if (due === undefined || due === null) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.kick();
      },
      Math.max(due, 100),
    );
    this.#timer.unref();
  }

  /** A store that is locked or read-only costs a score, never the chat. */
  #guarded<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (thrown) {
      this.#ports.onError(thrown);
      return undefined;
    }
  }
}

/** Design, privacy: `local-only` also forbids a scorer on another machine. */
function refuseForbidden({ consent }: EpisodeState, { remote }: ScoringChoice): void {
  if (!remote || consent.scope === 'exportable') return;
  throw new TurnwiseError(
    'usage',
    'consent_forbids',
    'This conversation may not leave this machine, and the scorer is on another; mark it exportable, or choose the local engine as scorer.',
  );
}

function mayRecover(thrown: unknown): boolean {
  if (!(thrown instanceof TurnwiseError)) return false;
  return thrown.fault === 'backend' || thrown.fault === 'environment' || thrown.fault === 'protocol';
}
