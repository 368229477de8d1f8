import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import {
  DIGEST_VERSION,
  episodeDigestSchema,
  markIds,
  missingReason,
  scoreDigestSchema,
  totalGain,
  type EpisodeDigest,
  type ScoreDigest,
} from '../core/episode-digest.ts';
import { EVENT_FORMAT } from '../core/event.ts';
import { MARK_IDS } from '../core/marks/mark.ts';
import { nullReasonSchema } from '../core/observation.ts';
import { DIGEST_TABLES, TEMPORARY_DIGEST_TABLES } from './schema.ts';
import { transaction } from './transaction.ts';

/** What a list shows of an episode, read without its events. */
export interface DigestRow {
  readonly id: string;
  readonly title: string | null;
  readonly startedAt: number;
  readonly source: string;
  readonly models: readonly string[];
  readonly turns: number;
  /** Replies that an action followed. */
  readonly scorable: number;
  readonly reviewed: boolean;
  readonly reviewable: boolean;
  readonly excluded: boolean;
  /** It branched off another conversation. */
  readonly branch: boolean;
  /** The developer named it. */
  readonly named: boolean;
  /** It cannot be read. */
  readonly damaged: boolean;
  /** The score that is shown; null: there is none. */
  readonly score: {
    readonly gain: number | null;
    readonly marks: readonly (typeof MARK_IDS)[number][];
    readonly why: z.infer<typeof nullReasonSchema> | null;
    readonly scorerKey: string;
    readonly optionsKey: string;
  } | null;
  readonly job: {
    readonly wanted: number;
    readonly done: number;
    readonly leaseUntil: number;
    readonly notBefore: number;
    readonly reason: string | null;
    readonly message: string | null;
    readonly outdated: number;
  } | null;
}

/** Which score stands for an episode, and whose queue is looked at. */
export interface DigestView {
  readonly scorerKey: string | null;
  readonly optionsKey: string;
  /** Name of the chosen scorer in the queue. */
  readonly scorer: string;
}

/** Everything that trends and groups read of an episode. */
export interface DigestFacts {
  readonly digest: EpisodeDigest;
  readonly score: ScoreDigest | null;
}

/** A derived table beside the journal: rows of lists and trends, made behind it, forgotten whenever in doubt. */
export interface Digests {
  /** Episodes whose events came after their digest, oldest first, and how far to have looked when they are done. */
  pendingEpisodes(limit: number): { readonly ids: readonly string[]; readonly upTo: number | null };
  /** Scores that have no digest yet. */
  pendingScores(limit: number): readonly { readonly position: number; readonly episodeId: string }[];
  /** Writes digests; `null` marks one that cannot be read. `upTo` says that all events up to there are dealt with. */
  write(
    episodes: readonly (readonly [string, EpisodeDigest | null])[],
    scores: readonly (readonly [number, ScoreDigest | null])[],
    upTo: number | null,
  ): void;
  /** From now on these scores have no digest: marks are made of an episode's outcome, which changed. Null: all of them. */
  forgetScores(episodeIds: readonly string[] | null): void;
  /** Rows of all episodes, or of one, newest first. */
  rows(view: DigestView, episodeId?: string): DigestRow[];
  /**
   * What is known of all episodes, or of those of one group, newest first; `alone`: with scores of the view's own scorer and
   * options, and no others in their place.
   */
  facts(view: DigestView, only?: { readonly groupId?: string | undefined; readonly alone?: boolean }): DigestFacts[];
}

/** What a digest says depends on how events are read, too. */
const FORMAT = EVENT_FORMAT * 1000 + DIGEST_VERSION;

const flag = z.int().transform((value) => value === 1);
const rowSchema = z.object({
  id: z.string(),
  title: z.string().nullable(),
  startedAt: z.int(),
  source: z.string(),
  models: z.string(),
  turns: z.int(),
  scorable: z.int(),
  reviewed: flag,
  reviewable: flag,
  excluded: flag,
  branch: flag,
  named: flag,
  damaged: flag,
  scorerKey: z.string().nullable(),
  optionsKey: z.string().nullable(),
  gain: z.number().nullable(),
  marks: z.string().nullable(),
  why: nullReasonSchema.nullable(),
  wanted: z.int().nullable(),
  done: z.int().nullable(),
  leaseUntil: z.int().nullable(),
  notBefore: z.int().nullable(),
  reason: z.string().nullable(),
  message: z.string().nullable(),
  outdated: z.int().nullable(),
});

// The same choice as `preferredScored`: the chosen scorer's, else the newest under the chosen options, else the newest.
const BEST = `
  SELECT position, episode_id, scorer_key, options_key, gain, marks, why, row_number() OVER (
    PARTITION BY episode_id ORDER BY (options_key = ?1 AND scorer_key IS ?2) DESC, options_key = ?1 DESC, position DESC
  ) AS rank FROM digest_score WHERE ?3 IS NULL OR episode_id = ?3`;
const ROWS = `
  WITH best AS MATERIALIZED (${BEST})
  SELECT d.episode_id AS id, d.title, d.started_at AS startedAt, d.source, d.models, d.turns, d.scorable, d.reviewed,
    d.reviewable, d.excluded, d.branch, d.named, d.facts IS NULL AS damaged, b.scorer_key AS scorerKey, b.options_key AS optionsKey, b.gain,
    b.marks, b.why, j.wanted, j.done, j.lease_until AS leaseUntil, j.not_before AS notBefore, j.reason, j.message, j.outdated
  FROM digest d
    LEFT JOIN best b ON b.episode_id = d.episode_id AND b.rank = 1
    LEFT JOIN score_job j ON j.episode_id = d.episode_id AND j.scorer = ?4 AND j.options_key = ?1
  WHERE ?3 IS NULL OR d.episode_id = ?3
  ORDER BY d.position DESC`;
const FACTS = `
  WITH best AS MATERIALIZED (${BEST})
  SELECT d.facts AS digest, s.facts AS score
  FROM digest d
    LEFT JOIN best b ON b.episode_id = d.episode_id AND b.rank = 1
      AND (?5 = 0 OR (b.options_key = ?1 AND b.scorer_key IS ?2))
    LEFT JOIN digest_score s ON s.position = b.position
  WHERE d.facts IS NOT NULL AND (?4 IS NULL OR d.group_id = ?4)
  ORDER BY d.position DESC`;

/** The digests of an open database; on one that cannot be written they live as long as the connection. */
export function digestsOf(
  db: DatabaseSync,
  { run, readOnly }: { readonly run: <T>(work: () => T) => T; readonly readOnly: boolean },
): Digests {
  let prepared = false;
  const ready = (): void => {
    if (prepared) return;
    if (readOnly) db.exec(TEMPORARY_DIGEST_TABLES);
    const version = db.prepare('SELECT version FROM digested').get()?.['version'];
    if (version !== FORMAT) {
      transaction(db, 'IMMEDIATE', () => {
        if (!readOnly) db.exec(DIGEST_TABLES);
        db.prepare('INSERT OR REPLACE INTO digested (one, position, version) VALUES (1, 0, ?)').run(FORMAT);
      });
    }
    prepared = true;
  };
  const within = <T>(work: () => T): T =>
    run(() => {
      ready();
      return work();
    });
  const missing = readOnly
    ? 'SELECT position, episode_id FROM scored WHERE position NOT IN (SELECT position FROM digest_score) LIMIT ?'
    : 'SELECT position, episode_id FROM digest_score WHERE made = 0 LIMIT ?';
  return {
    pendingEpisodes: (limit) =>
      within(() => {
        const after = Number(db.prepare('SELECT position FROM digested').get()?.['position'] ?? 0);
        const last = Number(db.prepare('SELECT max(position) AS last FROM event').get()?.['last'] ?? 0);
        if (last <= after) return { ids: [], upTo: null };
        // Whole events in the order of arrival, as many as bring up to `limit` episodes.
        const found = new Set<string>();
        let upTo = after;
        for (const row of db
          .prepare('SELECT position, episode_id FROM event WHERE position > ? ORDER BY position')
          .iterate(after)) {
          const id = String(row['episode_id']);
          if (!found.has(id) && found.size === limit) break;
          found.add(id);
          upTo = Number(row['position']);
        }
        return { ids: [...found], upTo };
      }),
    pendingScores: (limit) =>
      within(() =>
        db
          .prepare(missing)
          .all(limit)
          .map((row) => ({ position: Number(row['position']), episodeId: String(row['episode_id']) })),
      ),
    write: (episodes, scores, upTo) => {
      within(() => {
        transaction(db, 'IMMEDIATE', () => {
          for (const [id, digest] of episodes) writeEpisode(db, id, digest);
          for (const [position, digest] of scores) writeScore(db, position, digest, readOnly);
          if (upTo !== null) db.prepare('UPDATE digested SET position = max(position, ?)').run(upTo);
        });
      });
    },
    forgetScores: (episodeIds) => {
      within(() => {
        const some = episodeIds === null ? '' : 'WHERE episode_id IN (SELECT value FROM json_each(?))';
        const sql = readOnly ? `DELETE FROM digest_score ${some}` : `UPDATE digest_score SET made = 0 ${some}`;
        db.prepare(sql).run(...(episodeIds === null ? [] : [JSON.stringify(episodeIds)]));
      });
    },
    rows: ({ scorerKey, optionsKey, scorer }, episodeId) =>
      within(() =>
        db
          .prepare(ROWS)
          .all(optionsKey, scorerKey, episodeId ?? null, scorer)
          .map(rowOf),
      ),
    facts: ({ scorerKey, optionsKey }, { groupId, alone = false } = {}) =>
      within(() =>
        db
          .prepare(FACTS)
          .all(optionsKey, scorerKey, null, groupId ?? null, alone ? 1 : 0)
          .flatMap(factsOf),
      ),
  };
}

function writeEpisode(db: DatabaseSync, id: string, digest: EpisodeDigest | null): void {
  const first = db.prepare('SELECT position, at FROM event WHERE episode_id = ? ORDER BY seq LIMIT 1').get(id);
  if (first === undefined) {
    db.prepare('DELETE FROM digest WHERE episode_id = ?').run(id);
    return;
  }
  const own = digest?.turns.filter(({ inherited }) => !inherited) ?? [];
  const scorable = own.filter((turn) => turn.words !== null && digest?.turns.at(-1) !== turn).length;
  db.prepare(
    `INSERT OR REPLACE INTO digest (episode_id, position, started_at, title, source, group_id, models, turns, scorable,
       reviewed, reviewable, excluded, branch, named, facts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    id,
    Number(first['position']),
    Number(first['at']),
    digest?.title ?? null,
    digest?.source ?? 'unknown',
    digest?.groupId ?? id,
    JSON.stringify(digest?.models ?? []),
    digest?.turns.length ?? 0,
    scorable,
    digest?.reviewed === true ? 1 : 0,
    own.length > 0 ? 1 : 0,
    digest?.excluded === true ? 1 : 0,
    digest?.parent == null ? 0 : 1,
    digest?.named === true ? 1 : 0,
    digest === null ? null : JSON.stringify(digest),
  );
}

function writeScore(db: DatabaseSync, position: number, digest: ScoreDigest | null, temporary: boolean): void {
  if (temporary) {
    db.prepare(
      `INSERT OR REPLACE INTO digest_score (position, episode_id, scorer_key, options_key)
       SELECT position, episode_id, scorer_key, options_key FROM scored WHERE position = ?`,
    ).run(position);
  }
  // What is damaged or of an older shape counts as no score at all.
  if (digest === null) {
    db.prepare('DELETE FROM digest_score WHERE position = ?').run(position);
    return;
  }
  db.prepare('UPDATE digest_score SET made = 1, gain = ?, marks = ?, why = ?, facts = ? WHERE position = ?').run(
    totalGain(digest),
    JSON.stringify(markIds(digest)),
    missingReason(digest),
    JSON.stringify(digest),
    position,
  );
}

function rowOf(value: unknown): DigestRow {
  const {
    scorerKey,
    optionsKey,
    gain,
    marks,
    why,
    wanted,
    done,
    leaseUntil,
    notBefore,
    reason,
    message,
    outdated,
    ...row
  } = rowSchema.parse(value);
  return {
    ...row,
    models: row.models === '[]' ? [] : z.array(z.string()).parse(JSON.parse(row.models)),
    score:
      scorerKey === null || optionsKey === null
        ? null
        : {
            gain,
            marks: marks === null || marks === '[]' ? [] : z.array(z.enum(MARK_IDS)).parse(JSON.parse(marks)),
            why,
            scorerKey,
            optionsKey,
          },
    job:
      wanted === null
        ? null
        : {
            wanted,
            done: done ?? 0,
            leaseUntil: leaseUntil ?? 0,
            notBefore: notBefore ?? 0,
            reason,
            message,
            outdated: outdated ?? 0,
          },
  };
}

function factsOf(row: Record<string, unknown>): DigestFacts[] {
  const digest = episodeDigestSchema.safeParse(jsonOf(row['digest']));
  if (!digest.success) return [];
  const score = row['score'] === null ? null : scoreDigestSchema.safeParse(jsonOf(row['score']));
  return [{ digest: digest.data, score: score?.success === true ? score.data : null }];
}

function jsonOf(value: unknown): unknown {
  try {
    return typeof value === 'string' ? JSON.parse(value) : undefined;
  } catch {
    return undefined;
  }
}
