import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { Backend, ScorerFacts } from '../core/backend.ts';
import { errorText, TurnwiseError } from '../core/error.ts';
import type { EpisodeState } from '../core/episode-state.ts';
import { expectedGain } from '../core/expected-gain.ts';
import type { ScoredEpisode, ScoreOptions } from '../core/scored-episode.ts';
import type { Journal } from '../store/journal.ts';
import { CANCELLED, type JobState } from '../store/queue-desk.ts';
import type { Reasons, ScoreJob } from '../store/score-queue.ts';
import { scoreOptionsKey } from './cached-scorer.ts';
import { isLocked, patiently } from './patiently.ts';
import { failsAll, OF_THE_SCORER, retryAfter } from './retry.ts';
import { mayLeave, scoreJob } from './score-job.ts';
import { scoreKeys } from './score-store.ts';

/** How a window, or a command line, scores in the background. Callbacks must not throw. */
export interface ScoringPorts {
  readonly journal: Journal;
  /** The scorer that is chosen now. */
  readonly connect: (signal: AbortSignal) => Promise<Backend>;
  readonly options: () => ScoringChoice;
  /** While this is true a scorer that yields begins no job: the agent is speaking. Call `kick` when it ends. */
  readonly busy: () => boolean;
  /** The open conversation; it comes first. */
  readonly open: () => string | null;
  /** Something about the scores of this episode changed. */
  readonly onChange: (episodeId: string) => void;
  readonly onError: (error: unknown) => void;
  /** The scorer of this name was connected and is this; the name may have stood for another before. */
  readonly onScorer?: ((scorer: string, facts: ScorerFacts) => void) | undefined;
  /** How a job of this worker ended. */
  readonly onJob?: ((report: JobReport) => void) | undefined;
  /** A job belongs to a worker for so long, ms, and is prolonged three times meanwhile; after a crash it is anybody's again. */
  readonly leaseMs?: number | undefined;
  /** No more side by side than so many, whatever the scorer could take. */
  readonly atMost?: number | undefined;
}

/** What is scored by whom. */
export interface ScoringChoice {
  readonly enabled: boolean;
  /** Names the scorer in the queue; see `scorerName`. */
  readonly scorer: string;
  /** On another machine: only what may leave this one is sent there. */
  readonly remote: boolean;
  /** Whether it shares a machine or a server with the chat, and therefore waits for it; default true. */
  readonly yields?: boolean | undefined;
  readonly options: ScoreOptions;
}

/** The end of a job. */
export type JobReport = { readonly episodeId: string; readonly ms: number } & (
  | { readonly outcome: 'scored'; readonly scored: ScoredEpisode }
  | { readonly outcome: 'failed'; readonly reason: string; readonly message: string; readonly retryMs: number | null }
);

const LEASE_MS = 30_000;
/** How often a running job looks whether it was cancelled or the queue was paused, at most, ms. */
const PULSE_MS = 1_000;
/** How often a worker with nothing to do asks whether a pause has ended, ms. */
const PAUSED_MS = 2_000;
/** What no change of a scorer mends: consent is the conversation's own, and what was never ended may take this process down. */
const NOT_OF_THE_SCORER = [CANCELLED, 'consent_forbids', 'never_ends'];
/** When a store that could not be read is looked at again, ms. */
const LOCKED_MS = 1_000;
/** How long the end of a window waits to give back what it held, ms; else its lease runs out. */
const GOODBYE_MS = 3_000;
/** Jobs of one worker side by side, where nothing else is said. */
const MOST_AT_ONCE = 16;
/** A job that was taken so often and never ended takes its worker down with it. */
const MOST_ATTEMPTS = 25;

/** Scores conversations behind the chat, as many side by side as the scorer can take, from a queue that all windows share. */
export class ScoringWorker {
  readonly #ports: ScoringPorts;
  readonly #owner = uuidv7();
  readonly #ended = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #unwritten = new Set<Promise<void>>();
  readonly #leaseMs: number;
  #timer: NodeJS.Timeout | null = null;
  /** Learned from the scorer that is chosen; one until it has been connected. */
  #atOnce = 1;
  /** Scorer and options that were chosen last. */
  #kind = '';
  /** Identity of the scorer that was connected last. */
  #identity = '';
  /** Until then, ms of `performance.now()`, no job is begun: the scorer does not answer, and every other job would find that out. */
  #restsUntil = 0;
  /** The scorer could not be had, and has not scored since. */
  #missed = false;
  /** What an episode was wished for last, so that an event that adds no action costs no write. */
  readonly #wished = new Map<string, string>();

  constructor(ports: ScoringPorts) {
    this.#ports = ports;
    this.#leaseMs = ports.leaseMs ?? LEASE_MS;
  }

  /** Wishes an episode scored, once some action has a next one; `again` also when that was done before. */
  wish(state: EpisodeState, { again = false }: { readonly again?: boolean } = {}): void {
    if (this.#enqueue(state, again)) this.kick();
  }

  /** Wishes many episodes scored before the first of them is begun, so that the best of them is. */
  wishAll(states: Iterable<EpisodeState>): void {
    for (const state of states) this.#enqueue(state, false);
    this.kick();
  }

  #enqueue(state: EpisodeState, again: boolean): boolean {
    const { enabled, scorer, options, remote } = this.#ports.options();
    if ((!enabled && !again) || state.turns.length < 2) return false;
    const optionsKey = scoreOptionsKey(options);
    if (again) this.#restsUntil = 0;
    const name = `${state.id} ${scorer} ${optionsKey}`;
    const wished = `${state.turns.length} ${state.consent.scope}`;
    if (!again && this.#wished.get(name) === wished) return false;
    this.#wished.set(name, wished);
    const { queue } = this.#ports.journal;
    const write = (): void => {
      const permitted = !remote || mayLeave(state);
      const mended = permitted && queue.stateOf(state.id, scorer, optionsKey)?.reason === 'consent_forbids';
      const wish = { episodeId: state.id, scorer, optionsKey, actions: state.turns.length };
      queue.wish({ ...wish, expected: expectedGain(state) }, { again: again || mended });
      this.#ports.onChange(state.id);
    };
    try {
      write();
    } catch (thrown) {
      if (isLocked(thrown)) this.#wishLater(name, write);
      else this.#ports.onError(thrown);
    }
    return true;
  }

  /** Whether this worker still has wishes to write, because others are writing to the store, or jobs to end. */
  get unsettled(): boolean {
    return this.#unwritten.size > 0 || this.#running.size > 0;
  }

  #wishLater(name: string, write: () => void): void {
    const written = patiently(write)
      .catch((thrown: unknown) => {
        this.#wished.delete(name);
        this.#ports.onError(thrown);
      })
      .finally(() => {
        this.#unwritten.delete(written);
        this.kick();
      });
    this.#unwritten.add(written);
  }

  /** Where an episode stands with the present scorer; null: not asked for. */
  stateOf(episodeId: string): JobState | null {
    const { scorer, options } = this.#ports.options();
    return this.#ports.journal.queue.stateOf(episodeId, scorer, scoreOptionsKey(options));
  }

  /** Episodes that wait for the chosen scorer, or are with it. */
  waiting(): number {
    const { scorer, options } = this.#ports.options();
    return this.#ports.journal.queue.waiting(scorer, scoreOptionsKey(options));
  }

  /** The scorer's key, profile or process is another one: what failed with it is tried again at once. */
  retryMended(): void {
    this.#restsUntil = 0;
    this.#wake(this.#ports.options(), { except: NOT_OF_THE_SCORER }, true);
    this.kick();
  }

  /** Looks for work; call it when there may be some. */
  kick(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#ended.signal.aborted) return;
    const choice = this.#ports.options();
    this.#noteChoice(choice);
    while (this.#running.size < this.#atOnce && !this.#mustWait(choice)) {
      const job = this.#guarded(() => this.#claim(choice));
      if (job === undefined || job === null) break;
      const run = this.#run(job, choice).finally(() => {
        this.#running.delete(run);
        this.kick();
      });
      this.#running.add(run);
    }
    if (this.#running.size === 0) this.#sleepUntilDue(choice);
  }

  /** Stops; what it held is given back. */
  async dispose(): Promise<void> {
    this.#ended.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    await Promise.allSettled([...this.#running, ...this.#unwritten]);
    try {
      await patiently(() => {
        this.#ports.journal.queue.release(this.#owner);
      }, GOODBYE_MS);
    } catch (thrown) {
      this.#ports.onError(thrown);
    }
  }

  #mustWait({ yields = true }: ScoringChoice): boolean {
    return (yields && this.#ports.busy()) || this.#rests() > 0;
  }

  #rests(): number {
    return Math.max(0, this.#restsUntil - performance.now());
  }

  #claim({ scorer, options }: ScoringChoice): ScoreJob | null {
    const { queue } = this.#ports.journal;
    return queue.claim(this.#owner, scorer, scoreOptionsKey(options), this.#leaseMs, this.#ports.open());
  }

  /** Another scorer or other options: what has scores of the earlier ones is scored again, after what has none. */
  #noteChoice(choice: ScoringChoice): void {
    const { enabled, scorer, options } = choice;
    const optionsKey = scoreOptionsKey(options);
    const kind = `${scorer} ${optionsKey}`;
    if (!enabled || kind === this.#kind) return;
    this.#kind = kind;
    this.#identity = '';
    this.#atOnce = 1;
    this.#restsUntil = 0;
    this.#guarded(() => this.#ports.journal.queue.adopt(scorer, optionsKey));
    // Since it was chosen last, in an earlier window perhaps, its server may have come back.
    this.#wake(choice, { only: OF_THE_SCORER }, true);
  }

  #wake({ scorer, options }: ScoringChoice, reasons: Reasons, afresh: boolean): void {
    this.#guarded(() => this.#ports.journal.queue.wake(scorer, scoreOptionsKey(options), reasons, afresh));
  }

  #noteFacts({ scorer, options }: ScoringChoice, facts: ScorerFacts): void {
    const { capabilities, identity } = facts;
    this.#atOnce = Math.max(1, Math.min(this.#ports.atMost ?? MOST_AT_ONCE, capabilities.concurrency));
    const { scorerKey } = scoreKeys(identity, options);
    if (scorerKey === this.#identity) return;
    this.#identity = scorerKey;
    this.#ports.onScorer?.(scorer, facts);
    const { queue, memo } = this.#ports.journal;
    const noted = patiently(() => {
      memo.set(scorerMemo(scorer), scorerKey);
      queue.outdate(scorer, scoreOptionsKey(options), scorerKey);
    })
      .catch(this.#ports.onError)
      .finally(() => {
        this.#unwritten.delete(noted);
        this.kick();
      });
    this.#unwritten.add(noted);
    this.kick();
  }

  async #run(job: ScoreJob, choice: ScoringChoice): Promise<void> {
    const { journal, onChange, onJob } = this.#ports;
    const { episodeId } = job;
    onChange(episodeId);
    const began = performance.now();
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#ended.signal]);
    const keeping = this.#keepLease(job, over);
    let connected = false;
    try {
      if (job.attempts > MOST_ATTEMPTS) throw deadly(job);
      const scored = await scoreJob(episodeId, {
        ...choice,
        journal,
        connect: this.#ports.connect,
        signal,
        onConnected: (facts) => {
          connected = true;
          this.#noteFacts(choice, facts);
        },
      });
      signal.throwIfAborted();
      const keys = scoreKeys(scored.scorer, choice.options);
      const keep = (): void => {
        journal.putScored(episodeId, keys.scorerKey, keys.optionsKey, scored);
      };
      const ended = await patiently(() => journal.queue.finish(this.#owner, job, keys.scorerKey, keep));
      if (ended) onJob?.({ episodeId, ms: performance.now() - began, outcome: 'scored', scored });
      this.#noteAnswer(choice);
    } catch (thrown) {
      // Ended, cancelled, paused, or taken over by another window: nothing to report.
      if (!signal.aborted) await this.#giveUp(job, thrown, performance.now() - began, connected);
    } finally {
      over.abort();
      await keeping;
      onChange(episodeId);
    }
  }

  /** It scores: whatever failed while it could not be had is due again, with its tries counted on, so that this ends. */
  #noteAnswer(choice: ScoringChoice): void {
    if (!this.#missed) return;
    this.#missed = false;
    this.#wake(choice, { only: OF_THE_SCORER }, false);
  }

  async #giveUp(job: ScoreJob, thrown: unknown, ms: number, connected: boolean): Promise<void> {
    const { queue } = this.#ports.journal;
    this.#ports.onError(thrown);
    const reason = thrown instanceof TurnwiseError ? thrown.reason : 'unexpected';
    const message = errorText(thrown);
    const retryMs = retryAfter(thrown, job.attempts);
    if (reason === 'unreachable' && retryMs !== null) this.#restsUntil = performance.now() + retryMs;
    if (OF_THE_SCORER.includes(reason)) this.#missed = true;
    try {
      await patiently(() => {
        queue.fail(this.#owner, job, { reason, message }, retryMs);
      });
      // Asking a server with a wrong key once for each conversation helps nobody, and locks some people out.
      if (!connected && failsAll(thrown)) {
        const { scorer, optionsKey } = job;
        const alike = await patiently(() => queue.failWaiting(scorer, optionsKey, { reason, message }));
        for (const episodeId of alike) this.#ports.onChange(episodeId);
      }
    } catch (unwritten) {
      // Its lease runs out by itself.
      this.#ports.onError(unwritten);
    }
    this.#ports.onJob?.({ episodeId: job.episodeId, ms, outcome: 'failed', reason, message, retryMs });
  }

  /** Prolongs the lease while the job runs; ends the job where it is not wanted any more. */
  async #keepLease(job: ScoreJob, over: AbortController): Promise<void> {
    const { queue } = this.#ports.journal;
    const renewMs = this.#leaseMs / 3;
    const pulse = Math.min(PULSE_MS, renewMs);
    const pause = (): Promise<boolean> => sleep(pulse, true, { signal: over.signal, ref: false }).catch(() => false);
    let renewed = performance.now();
    while (await pause()) {
      const standing = this.#guarded(() => queue.standing(this.#owner, job));
      if (standing === 'held' || standing === undefined) {
        if (performance.now() - renewed < renewMs) continue;
        renewed = performance.now();
        if (this.#guarded(() => queue.renew(this.#owner, job, this.#leaseMs)) !== false) continue;
      }
      over.abort();
      if (standing === 'paused') {
        this.#guarded(() => {
          queue.release(this.#owner, job);
        });
      }
    }
  }

  #sleepUntilDue({ scorer, options, yields = true }: ScoringChoice): void {
    // The end of what the chat is busy with is a kick of its own.
    if (yields && this.#ports.busy()) return;
    const due = this.#guarded(() => {
      const { queue } = this.#ports.journal;
      const next = queue.dueIn(scorer, scoreOptionsKey(options));
      return next !== null && queue.pausedSince() !== null ? Math.max(next, PAUSED_MS) : next;
    });
    if (due === null) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.kick();
      },
      Math.max(due ?? LOCKED_MS, this.#rests(), 100),
    );
    this.#timer.unref();
  }

  /** A store that cannot be used costs a score, never the chat; one that others write to is looked at again. */
  #guarded<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (thrown) {
      if (!isLocked(thrown)) this.#ports.onError(thrown);
      return undefined;
    }
  }
}

/** Under which key a store's memo keeps the identity that a scorer last had (a hash, see `scoreKeys`). */
export function scorerMemo(scorer: string): string {
  return `scorer ${scorer}`;
}

function deadly({ attempts }: ScoreJob): TurnwiseError {
  return new TurnwiseError(
    'unsupported',
    'never_ends',
    `Scoring this conversation was begun ${attempts - 1} times and never ended; look at the log, then ask for it again.`,
  );
}
