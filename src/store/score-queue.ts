import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';

/** What to score: all turns of an episode up to its `actions`-th action, by one scorer under one set of options. */
export interface ScoreWish {
  readonly episodeId: string;
  /** The scorer's profile. */
  readonly scorer: string;
  /** Hash of the options. */
  readonly optionsKey: string;
  readonly actions: number;
}

/** A wish that this worker holds until `finish` or `fail`, or until its lease runs out. */
export interface ScoreJob extends ScoreWish {
  readonly attempts: number;
}

/** Where the scoring of an episode stands. A reason is there where it failed. */
export interface JobState {
  readonly state: 'queued' | 'scoring' | 'scored' | 'failed';
  /** Actions that the newest finished scoring saw. */
  readonly done: number;
  readonly reason: string | null;
  readonly message: string | null;
}

/**
 * Work for background scorers of any number of processes, in the store itself. One row per episode, scorer and options, so
 * that a wish made twice is one job; a lease that runs out is anybody's again.
 */
export interface ScoreQueue {
  /** Asks for an episode to be scored; wishing again for no more actions changes nothing, unless `again`. */
  wish(wish: ScoreWish, options?: { readonly again?: boolean }): void;
  /** Takes a job that is due for `leaseMs`, the episode `first` before any other, the newest wish next; null: none is due. */
  claim(owner: string, scorer: string, optionsKey: string, leaseMs: number, first?: string | null): ScoreJob | null;
  /** Prolongs a lease; false where somebody else has taken the job over, so that the work is for nothing. */
  renew(owner: string, job: ScoreJob, leaseMs: number): boolean;
  finish(owner: string, job: ScoreJob): void;
  /** Gives a job back: to be tried again after `retryMs`, or (null) not before it is wished for again. */
  fail(
    owner: string,
    job: ScoreJob,
    why: { readonly reason: string; readonly message: string },
    retryMs: number | null,
  ): void;
  /** Gives back what this owner holds, untouched. */
  release(owner: string): void;
  /** Null: nobody has asked for it. */
  stateOf(episodeId: string, scorer: string, optionsKey: string): JobState | null;
  /** Ms until the next job of this kind is due, 0 for now; null: none waits. */
  dueIn(scorer: string, optionsKey: string): number | null;
}

const jobSchema = z.object({ episode_id: z.string(), wanted: z.int(), attempts: z.int() });
const stateSchema = z.object({
  wanted: z.int(),
  done: z.int(),
  lease_until: z.int(),
  not_before: z.int(),
  reason: z.string().nullable(),
  message: z.string().nullable(),
});

/** Far enough away for "never by itself", and still an integer that SQLite and JavaScript agree on. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** The queue on an open database; `run` and `write` as for the score cache. */
export function scoreQueue(
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
): ScoreQueue {
  const kind = 'scorer = ? AND options_key = ?';
  const mine = `episode_id = ? AND ${kind} AND owner = ?`;
  return {
    wish: ({ episodeId, scorer, optionsKey, actions }, { again = false } = {}) => {
      write(() => {
        db.prepare(
          `INSERT INTO score_job (episode_id, scorer, options_key, wanted) VALUES (?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET wanted = excluded.wanted, attempts = 0, not_before = 0, reason = NULL, message = NULL,
             done = CASE WHEN ? THEN 0 ELSE done END
           WHERE excluded.wanted > wanted OR ?`,
        ).run(episodeId, scorer, optionsKey, actions, again ? 1 : 0, again ? 1 : 0);
      });
    },
    claim: (owner, scorer, optionsKey, leaseMs, first = null) =>
      write(() => {
        // One statement, so that two workers can never take the same row.
        const row = db
          .prepare(
            `UPDATE score_job SET owner = ?, lease_until = ?, attempts = attempts + 1 WHERE rowid = (
               SELECT rowid FROM score_job
               WHERE ${kind} AND wanted > done AND not_before <= ? AND lease_until <= ?
               ORDER BY episode_id = ? DESC, rowid DESC LIMIT 1)
             RETURNING episode_id, wanted, attempts`,
          )
          .get(owner, now() + leaseMs, scorer, optionsKey, now(), now(), first ?? '');
        if (row === undefined) return null;
        const job = jobSchema.parse(row);
        return { episodeId: job.episode_id, scorer, optionsKey, actions: job.wanted, attempts: job.attempts };
      }),
    renew: (owner, { episodeId, scorer, optionsKey }, leaseMs) =>
      write(
        () =>
          db
            .prepare(`UPDATE score_job SET lease_until = ? WHERE ${mine}`)
            .run(now() + leaseMs, episodeId, scorer, optionsKey, owner).changes === 1,
      ),
    finish: (owner, { episodeId, scorer, optionsKey, actions }) => {
      write(() =>
        db
          .prepare(
            `UPDATE score_job SET done = ?, owner = NULL, lease_until = 0, attempts = 0, not_before = 0, reason = NULL,
               message = NULL WHERE ${mine}`,
          )
          .run(actions, episodeId, scorer, optionsKey, owner),
      );
    },
    fail: (owner, { episodeId, scorer, optionsKey }, { reason, message }, retryMs) => {
      write(() =>
        db
          .prepare(
            `UPDATE score_job SET owner = NULL, lease_until = 0, not_before = ?, reason = ?, message = ? WHERE ${mine}`,
          )
          .run(retryMs === null ? NEVER : now() + retryMs, reason, message, episodeId, scorer, optionsKey, owner),
      );
    },
    release: (owner) => {
      write(() =>
        db
          .prepare(
            'UPDATE score_job SET owner = NULL, lease_until = 0, attempts = max(attempts - 1, 0) WHERE owner = ?',
          )
          .run(owner),
      );
    },
    stateOf: (episodeId, scorer, optionsKey) =>
      run(() => {
        const found = db
          .prepare(
            `SELECT wanted, done, lease_until, not_before, reason, message FROM score_job WHERE episode_id = ? AND ${kind}`,
          )
          .get(episodeId, scorer, optionsKey);
        if (found === undefined) return null;
        const { wanted, done, lease_until, not_before, reason, message } = stateSchema.parse(found);
        const base = { done, reason, message };
        if (wanted <= done) return { ...base, state: 'scored' };
        if (lease_until > now()) return { ...base, state: 'scoring' };
        return { ...base, state: not_before === NEVER ? 'failed' : 'queued' };
      }),
    dueIn: (scorer, optionsKey) =>
      run(() => {
        const due = db
          .prepare(
            `SELECT min(max(not_before, lease_until)) AS at FROM score_job
             WHERE ${kind} AND wanted > done AND not_before < ${NEVER}`,
          )
          .get(scorer, optionsKey)?.['at'];
        return typeof due === 'number' ? Math.max(0, due - now()) : null;
      }),
  };
}
