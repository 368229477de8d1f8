import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';

/** Where the scoring of an episode stands. A reason is there where it failed, or will be tried again because it did. */
export interface JobState {
  /** `stale`: it has scores, but of another scorer or other options, and its turn comes after what has none. */
  readonly state: 'queued' | 'scoring' | 'scored' | 'stale' | 'failed' | 'cancelled';
  /** Actions that the newest finished scoring saw. */
  readonly done: number;
  readonly reason: string | null;
  readonly message: string | null;
}

/** A job as a person sees it. */
export interface JobLine extends JobState {
  readonly episodeId: string;
  readonly scorer: string;
  readonly optionsKey: string;
  /** Actions that are to be seen. */
  readonly wanted: number;
  readonly attempts: number;
  readonly expected: number | null;
  /** Ms until it is tried again, 0 for now; null where nothing is due. */
  readonly dueIn: number | null;
}

/** What a person does with the queue, for every window and worker at once. */
export interface QueueDesk {
  /** Row of the memo that says that the queue is paused. */
  readonly pauseKey: string;
  /** From now on no job is taken, and running ones are given back; it outlives every process. */
  pause(): void;
  resume(): void;
  /** Ms since 1970, or null: it is not paused. */
  pausedSince(): number | null;
  /** Jobs for this scorer and these options that are queued, stale or being scored. */
  waiting(scorer: string, optionsKey: string): number;
  /** Takes back the wish for one episode, or (null) for all that is not scored yet; running ones stop. Returns how many. */
  cancel(episodeId: string | null): number;
  /** Makes everything due that had failed, or only what failed for one of these reasons. Returns how many. */
  retryFailed(reasons?: readonly string[]): number;
  /** Every job, in the order in which it would be taken within its kind. */
  jobs(): JobLine[];
}

/** Far enough away for "never by itself", and still an integer that SQLite and JavaScript agree on. */
export const NEVER = Number.MAX_SAFE_INTEGER;
/** Reason of a job that a person took back. */
export const CANCELLED = 'cancelled';

export const stateSchema = z.object({
  episode_id: z.string(),
  scorer: z.string(),
  options_key: z.string(),
  wanted: z.int(),
  done: z.int(),
  attempts: z.int(),
  lease_until: z.int(),
  not_before: z.int(),
  reason: z.string().nullable(),
  message: z.string().nullable(),
  expected: z.number().nullable(),
  outdated: z.int(),
});
type JobRow = z.infer<typeof stateSchema>;

/** The state in a row of the queue at a time, ms since 1970. */
export function stateIn(
  { wanted, done, lease_until, not_before, reason, message, outdated }: JobRow,
  at: number,
): JobState {
  const base = { done, reason, message };
  if (wanted <= done) return { ...base, state: 'scored' };
  if (lease_until > at) return { ...base, state: 'scoring' };
  if (not_before === NEVER) return { ...base, state: reason === CANCELLED ? 'cancelled' : 'failed' };
  return { ...base, state: outdated === 1 ? 'stale' : 'queued' };
}

/** The desk of the queue on an open database; `run` and `write` as for the score cache. */
export function queueDesk(
  db: DatabaseSync,
  {
    run,
    write,
    now,
  }: {
    readonly run: <T>(work: () => T) => T;
    readonly write: <T>(work: () => T) => T;
    readonly now: () => number;
  },
): QueueDesk {
  const pauseKey = 'scoring paused';
  return {
    pauseKey,
    pause: () => {
      write(() => db.prepare('INSERT OR IGNORE INTO memo (key, value) VALUES (?, ?)').run(pauseKey, `${now()}`));
    },
    resume: () => {
      write(() => db.prepare('DELETE FROM memo WHERE key = ?').run(pauseKey));
    },
    pausedSince: () =>
      run(() => {
        const since = db.prepare('SELECT value FROM memo WHERE key = ?').get(pauseKey)?.['value'];
        return since === undefined ? null : Number(since);
      }),
    waiting: (scorer, optionsKey) =>
      run(() => {
        const sql = `SELECT count(*) AS n FROM score_job
                     WHERE scorer = ? AND options_key = ? AND wanted > done AND not_before < ${NEVER}`;
        return Number(db.prepare(sql).get(scorer, optionsKey)?.['n']);
      }),
    cancel: (episodeId) =>
      write(() =>
        Number(
          db
            .prepare(
              `UPDATE score_job SET owner = NULL, lease_until = 0, not_before = ${NEVER}, reason = ?1, message = ?2
               WHERE wanted > done AND not_before < ${NEVER} AND (?3 IS NULL OR episode_id = ?3)`,
            )
            .run(CANCELLED, 'Cancelled; Score Now, or turnwise queue --retry cancelled, asks for it again.', episodeId)
            .changes,
        ),
      ),
    retryFailed: (reasons) =>
      write(() =>
        Number(
          db
            .prepare(
              `UPDATE score_job SET attempts = 0, not_before = 0, reason = NULL, message = NULL
               WHERE wanted > done AND lease_until <= ?1 AND reason IS NOT NULL
                 AND CASE WHEN ?2 IS NULL THEN reason <> '${CANCELLED}'
                     ELSE reason IN (SELECT value FROM json_each(?2)) END`,
            )
            .run(now(), reasons === undefined ? null : JSON.stringify(reasons)).changes,
        ),
      ),
    jobs: () =>
      run(() =>
        db
          .prepare(
            `SELECT * FROM score_job ORDER BY scorer, options_key, outdated, expected DESC NULLS LAST, rowid DESC`,
          )
          .all()
          .map((row) => lineOf(stateSchema.parse(row), now())),
      ),
  };
}

function lineOf(row: JobRow, at: number): JobLine {
  const state = stateIn(row, at);
  const waits = state.state === 'queued' || state.state === 'stale';
  return {
    ...state,
    episodeId: row.episode_id,
    scorer: row.scorer,
    optionsKey: row.options_key,
    wanted: row.wanted,
    attempts: row.attempts,
    expected: row.expected,
    dueIn: waits ? Math.max(0, row.not_before - at) : null,
  };
}
