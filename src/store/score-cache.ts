import type { DatabaseSync } from 'node:sqlite';
import { scoredEpisodeSchema, type ScoredEpisode } from '../core/scored-episode.ts';
import { sha256Text } from '../core/sha.ts';

/**
 * What scoring made, kept beside the journal: derived, so a row that is damaged or of an older shape counts as missing and
 * is computed again. Values are JSON.
 */
export interface ScoreCache {
  /** The value stored under a content hash; undefined when there is none. The caller validates its shape. */
  getScore(key: string): unknown;
  putScore(key: string, value: unknown): void;
  /** One episode as scored by one scorer under one set of options; both keys are hashes that the caller makes. */
  getScored(episodeId: string, scorerKey: string, optionsKey: string): ScoredEpisode | null;
  putScored(episodeId: string, scorerKey: string, optionsKey: string, row: ScoredEpisode): void;
  /** Every episode scored by this scorer under these options, newest score first. */
  listScored(scorerKey: string, optionsKey: string, limit?: number): ScoredEpisode[];
  /** Every scorer and set of options that there are scores of, the newest score first, with how many episodes it has. */
  scorings(): { readonly scorerKey: string; readonly optionsKey: string; readonly episodes: number }[];
  /**
   * One score of each episode (or of this one), newest first: that of the preferred scorer and options where there is one,
   * else the newest under the preferred options, else the newest there is.
   */
  preferredScored(
    preferred: { readonly scorerKey: string | null; readonly optionsKey: string },
    only?: { readonly limit?: number; readonly episodeId?: string },
  ): ScoredEpisode[];
  /** The newest score of each episode (or of this one) under these options, whoever made it, newest first. */
  newestScored(optionsKey: string, only?: { readonly limit?: number; readonly episodeId?: string }): ScoredEpisode[];
  /** Every score there is of an episode, by whatever scorer and options, newest first. */
  scoresOf(episodeId: string): ScoredEpisode[];
  /** The score of this row; null where it is gone, damaged or of an older shape. */
  scoreAt(position: number): ScoredEpisode | null;
}

/** The cache on an open database; `run` turns SQLite's errors into the product's, `write` also refuses a read-only store. */
export function scoreCache(
  db: DatabaseSync,
  { run, write, now }: { run: <T>(work: () => T) => T; write: <T>(work: () => T) => T; now: () => number },
): ScoreCache {
  const scored = (value: unknown): ScoredEpisode[] => {
    const parsed = scoredEpisodeSchema.safeParse(value);
    return parsed.success ? [parsed.data] : [];
  };
  return {
    getScore: (key) => run(() => intact(db.prepare('SELECT value, sha FROM score WHERE key = ?').get(key))),
    putScore: (key, value) => {
      const text = JSON.stringify(value);
      write(() =>
        db
          .prepare('INSERT OR REPLACE INTO score (key, value, sha, created) VALUES (?, ?, ?, ?)')
          .run(key, text, sha256Text(text), now()),
      );
    },
    getScored: (episodeId, scorerKey, optionsKey) =>
      run(() => {
        const row = db
          .prepare('SELECT row AS value, sha FROM scored WHERE episode_id = ? AND scorer_key = ? AND options_key = ?')
          .get(episodeId, scorerKey, optionsKey);
        return scored(intact(row))[0] ?? null;
      }),
    putScored: (episodeId, scorerKey, optionsKey, row) => {
      const text = JSON.stringify(row);
      // REPLACE gives a new position: the newest score comes first in `listScored`.
      write(() =>
        db
          .prepare(
            'INSERT OR REPLACE INTO scored (episode_id, scorer_key, options_key, row, sha, created) VALUES (?, ?, ?, ?, ?, ?)',
          )
          .run(episodeId, scorerKey, optionsKey, text, sha256Text(text), now()),
      );
    },
    listScored: (scorerKey, optionsKey, limit = -1) =>
      run(() =>
        db
          .prepare(
            'SELECT row AS value, sha FROM scored WHERE scorer_key = ? AND options_key = ? ORDER BY position DESC LIMIT ?',
          )
          .all(scorerKey, optionsKey, limit)
          .flatMap((row) => scored(intact(row))),
      ),
    scorings: () =>
      run(() =>
        db
          .prepare(
            `SELECT scorer_key, options_key, count(*) AS episodes FROM scored
             GROUP BY scorer_key, options_key ORDER BY max(position) DESC`,
          )
          .all()
          .map((row) => ({
            scorerKey: String(row['scorer_key']),
            optionsKey: String(row['options_key']),
            episodes: Number(row['episodes']),
          })),
      ),
    preferredScored: ({ scorerKey, optionsKey }, { limit = -1, episodeId } = {}) =>
      run(() =>
        db
          .prepare(
            `SELECT row AS value, sha FROM scored WHERE position IN (
               SELECT position FROM (
                 SELECT position, row_number() OVER (
                   PARTITION BY episode_id
                   ORDER BY (options_key = ?1 AND scorer_key IS ?2) DESC, options_key = ?1 DESC, position DESC
                 ) AS rank FROM scored WHERE ?3 IS NULL OR episode_id = ?3
               ) WHERE rank = 1)
             ORDER BY position DESC LIMIT ?4`,
          )
          .all(optionsKey, scorerKey, episodeId ?? null, limit)
          .flatMap((row) => scored(intact(row))),
      ),
    newestScored: (optionsKey, { limit = -1, episodeId } = {}) =>
      run(() =>
        db
          .prepare(
            `SELECT row AS value, sha FROM scored WHERE position IN
               (SELECT max(position) FROM scored WHERE options_key = ?1 AND (?2 IS NULL OR episode_id = ?2)
                GROUP BY episode_id)
             ORDER BY position DESC LIMIT ?3`,
          )
          .all(optionsKey, episodeId ?? null, limit)
          .flatMap((row) => scored(intact(row))),
      ),
    scoreAt: (position) =>
      run(
        () =>
          scored(intact(db.prepare('SELECT row AS value, sha FROM scored WHERE position = ?').get(position)))[0] ??
          null,
      ),
    scoresOf: (episodeId) =>
      run(() =>
        db
          .prepare('SELECT row AS value, sha FROM scored WHERE episode_id = ? ORDER BY position DESC')
          .all(episodeId)
          .flatMap((row) => scored(intact(row))),
      ),
  };
}

/** The JSON value of a row whose checksum fits, else undefined. */
export function intact(row: Record<string, unknown> | undefined): unknown {
  const value = row?.['value'];
  if (typeof value !== 'string' || sha256Text(value) !== row?.['sha']) return undefined;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
