import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { transaction } from './transaction.ts';
import { CANCELLED, NEVER, queueDesk, stateIn, stateSchema, type JobState, type QueueDesk } from './queue-desk.ts';

/** What to score: all turns of an episode up to its `actions`-th action, by one scorer under one set of options. */
export interface ScoreWish {
  readonly episodeId: string;
  /** Names the scorer as every window and command line names it. */
  readonly scorer: string;
  /** Hash of the options. */
  readonly optionsKey: string;
  readonly actions: number;
  /** How much the episode seems worth (`core/expected-gain.ts`); null or absent: nothing is known. */
  readonly expected?: number | null | undefined;
}

/** A wish that this worker holds until `finish` or `fail`, or until its lease runs out. */
export interface ScoreJob extends ScoreWish {
  readonly attempts: number;
}

/**
 * Work for background scorers of any number of processes, in the store itself. One row per episode, scorer and options, so
 * that a wish made twice is one job; a lease that runs out is anybody's again. While the queue is paused nobody gets a job.
 */
export interface ScoreQueue extends QueueDesk {
  /** Asks for an episode to be scored; wishing again for no more actions changes nothing, unless `again`. */
  wish(wish: ScoreWish, options?: { readonly again?: boolean }): void;
  /**
   * Takes a job that is due for `leaseMs`: the episode `first` before any other, what was never scored before what is only
   * outdated, then the largest expectation, then the newest wish. Null: none is due, or the queue is paused.
   */
  claim(owner: string, scorer: string, optionsKey: string, leaseMs: number, first?: string | null): ScoreJob | null;
  /** Prolongs a lease; false where the job was cancelled or somebody else has taken it over: the work is for nothing. */
  renew(owner: string, job: ScoreJob, leaseMs: number): boolean;
  /** Whether this owner's job is still wanted: `lost` when cancelled or taken over, `paused` when the queue is. */
  standing(owner: string, job: ScoreJob): 'held' | 'lost' | 'paused';
  /**
   * Ends a job and keeps its scores (`keep`) in one transaction, so that both are there or neither; `scoredBy` names the
   * scorer's identity. False, and nothing kept, where the job is no longer this owner's.
   */
  finish(owner: string, job: ScoreJob, scoredBy?: string | null, keep?: () => void): boolean;
  /** Gives a job back: to be tried again after `retryMs`, or (null) not before it is wished for again. */
  fail(
    owner: string,
    job: ScoreJob,
    why: { readonly reason: string; readonly message: string },
    retryMs: number | null,
  ): void;
  /** Gives back what this owner holds, or one job of it, untouched: no try is counted. */
  release(owner: string, job?: ScoreJob): void;
  /** Null: nobody has asked for it. */
  stateOf(episodeId: string, scorer: string, optionsKey: string): JobState | null;
  /** Ms until the next job of this kind is due, 0 for now; null: none waits. */
  dueIn(scorer: string, optionsKey: string): number | null;
  /**
   * Wishes for this scorer and these options whatever was wished of another: what has scores already is outdated and comes
   * last, what has none comes as if it had been wished now. What was cancelled is left alone. Returns how many.
   */
  adopt(scorer: string, optionsKey: string): number;
  /**
   * Makes due again what failed for this scorer and these options, with one of the reasons or with none of them; `afresh`
   * forgets how often it was tried. Returns how many.
   */
  wake(scorer: string, optionsKey: string, reasons: Reasons, afresh: boolean): number;
  /** What waits for this scorer and these options, held by nobody, fails like a job that was tried. Returns its episodes. */
  failWaiting(scorer: string, optionsKey: string, why: { readonly reason: string; readonly message: string }): string[];
  /** The scorer is another one than its name says it was: what it scored under another identity is outdated. Returns how many. */
  outdate(scorer: string, optionsKey: string, scoredBy: string): number;
}

/** Reasons of failures. */
export type Reasons = { readonly only: readonly string[] } | { readonly except: readonly string[] };

const jobSchema = z.object({
  episode_id: z.string(),
  wanted: z.int(),
  attempts: z.int(),
  expected: z.number().nullable(),
});

/** The queue on an open database; `run` and `write` as for the score cache. */
export function scoreQueue(
  db: DatabaseSync,
  ports: {
    readonly run: <T>(work: () => T) => T;
    readonly write: <T>(work: () => T) => T;
    readonly now: () => number;
  },
): ScoreQueue {
  const { run, write, now } = ports;
  const desk = queueDesk(db, ports);
  const kind = 'scorer = ? AND options_key = ?';
  const mine = `episode_id = ? AND ${kind} AND owner = ?`;
  const changed = (sql: string, ...values: readonly (string | number | null)[]): number =>
    Number(db.prepare(sql).run(...values).changes);
  return {
    ...desk,
    wish: ({ episodeId, scorer, optionsKey, actions, expected = null }, { again = false } = {}) => {
      write(() =>
        changed(
          `INSERT INTO score_job (episode_id, scorer, options_key, wanted, expected) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET wanted = excluded.wanted, expected = excluded.expected, attempts = 0, not_before = 0,
             reason = NULL, message = NULL, outdated = 0, done = CASE WHEN ? THEN 0 ELSE done END
           WHERE excluded.wanted > wanted OR ?`,
          ...[episodeId, scorer, optionsKey, actions, expected, again ? 1 : 0, again ? 1 : 0],
        ),
      );
    },
    claim: (owner, scorer, optionsKey, leaseMs, first = null) =>
      write(() => {
        // One statement, so that two workers can never take the same row, and none while another pauses.
        const row = db
          .prepare(
            `UPDATE score_job SET owner = ?, lease_until = ?, attempts = attempts + 1 WHERE rowid = (
               SELECT rowid FROM score_job
               WHERE ${kind} AND wanted > done AND not_before <= ? AND lease_until <= ?
                 AND NOT EXISTS (SELECT 1 FROM memo WHERE key = ?)
               ORDER BY episode_id = ? DESC, outdated, expected DESC NULLS LAST, rowid DESC LIMIT 1)
             RETURNING episode_id, wanted, attempts, expected`,
          )
          .get(owner, now() + leaseMs, scorer, optionsKey, now(), now(), desk.pauseKey, first ?? '');
        if (row === undefined) return null;
        const { episode_id: episodeId, wanted: actions, attempts, expected } = jobSchema.parse(row);
        return { episodeId, scorer, optionsKey, actions, attempts, expected };
      }),
    renew: (owner, { episodeId, scorer, optionsKey }, leaseMs) =>
      write(
        () =>
          changed(
            `UPDATE score_job SET lease_until = ? WHERE ${mine}`,
            ...[now() + leaseMs, episodeId, scorer, optionsKey, owner],
          ) === 1,
      ),
    standing: (owner, { episodeId, scorer, optionsKey }) =>
      run(() => {
        const held = db.prepare(`SELECT 1 FROM score_job WHERE ${mine}`).get(episodeId, scorer, optionsKey, owner);
        if (held === undefined) return 'lost';
        return desk.pausedSince() === null ? 'held' : 'paused';
      }),
    finish: (owner, { episodeId, scorer, optionsKey, actions }, scoredBy = null, keep = () => undefined) =>
      write(() =>
        transaction(db, 'IMMEDIATE', () => {
          const ended = changed(
            `UPDATE score_job SET done = ?, owner = NULL, lease_until = 0, attempts = 0, not_before = 0, reason = NULL,
               message = NULL, outdated = 0, scored_by = ? WHERE ${mine}`,
            ...[actions, scoredBy, episodeId, scorer, optionsKey, owner],
          );
          if (ended === 1) keep();
          return ended === 1;
        }),
      ),
    fail: (owner, { episodeId, scorer, optionsKey }, { reason, message }, retryMs) => {
      write(() =>
        changed(
          `UPDATE score_job SET owner = NULL, lease_until = 0, not_before = ?, reason = ?, message = ? WHERE ${mine}`,
          ...[retryMs === null ? NEVER : now() + retryMs, reason, message, episodeId, scorer, optionsKey, owner],
        ),
      );
    },
    release: (owner, job) => {
      write(() =>
        changed(
          `UPDATE score_job SET owner = NULL, lease_until = 0, attempts = max(attempts - 1, 0)
           WHERE owner = ?1 AND (?2 IS NULL OR episode_id = ?2 AND scorer = ?3 AND options_key = ?4)`,
          ...[owner, job?.episodeId ?? null, job?.scorer ?? null, job?.optionsKey ?? null],
        ),
      );
    },
    stateOf: (episodeId, scorer, optionsKey) =>
      run(() => {
        const found = db
          .prepare(`SELECT * FROM score_job WHERE episode_id = ? AND ${kind}`)
          .get(episodeId, scorer, optionsKey);
        return found === undefined ? null : stateIn(stateSchema.parse(found), now());
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
    adopt: (scorer, optionsKey) =>
      write(() =>
        changed(
          `INSERT OR IGNORE INTO score_job (episode_id, scorer, options_key, wanted, expected, outdated)
           SELECT episode_id, ?, ?, max(wanted), max(expected), max(done) > 0 FROM score_job
           WHERE NOT (${kind}) GROUP BY episode_id HAVING max(reason IS NOT '${CANCELLED}') ORDER BY min(rowid)`,
          ...[scorer, optionsKey, scorer, optionsKey],
        ),
      ),
    wake: (scorer, optionsKey, reasons, afresh) => {
      const [named, wanted] = 'only' in reasons ? [reasons.only, 1] : [reasons.except, 0];
      return write(() =>
        changed(
          `UPDATE score_job SET attempts = attempts * ?, not_before = 0, reason = NULL, message = NULL
           WHERE ${kind} AND wanted > done AND lease_until <= ? AND reason IS NOT NULL
             AND (reason IN (SELECT value FROM json_each(?))) = ?`,
          ...[afresh ? 0 : 1, scorer, optionsKey, now(), JSON.stringify(named), wanted],
        ),
      );
    },
    failWaiting: (scorer, optionsKey, { reason, message }) =>
      write(() =>
        db
          .prepare(
            `UPDATE score_job SET owner = NULL, lease_until = 0, not_before = ${NEVER}, reason = ?, message = ?
             WHERE ${kind} AND wanted > done AND not_before < ${NEVER} AND lease_until <= ? RETURNING episode_id`,
          )
          .all(reason, message, scorer, optionsKey, now())
          .map((row) => String(row['episode_id'])),
      ),
    outdate: (scorer, optionsKey, scoredBy) =>
      write(() =>
        changed(
          `UPDATE score_job SET done = 0, outdated = 1 WHERE ${kind} AND wanted <= done AND scored_by IS NOT ?`,
          ...[scorer, optionsKey, scoredBy],
        ),
      ),
  };
}
