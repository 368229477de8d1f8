import type { DatabaseSync } from 'node:sqlite';
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
import { lightScoreSchema, type LightScore } from '../core/light-score.ts';
import { digestRow, type DigestRow } from './digest-row.ts';
import { DIGEST_TABLES, TEMPORARY_DIGEST_TABLES } from './schema.ts';
import { transaction } from './transaction.ts';

/** Which score stands for an episode, and whose queue is looked at. */
export interface DigestView {
  readonly scorerKey: string | null;
  readonly optionsKey: string;
  /** Name of the chosen scorer in the queue. */
  readonly scorer: string;
}

/** What is kept of a score. */
export interface DigestedScore {
  readonly digest: ScoreDigest;
  readonly light: LightScore;
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
    scores: readonly (readonly [number, DigestedScore | null])[],
    upTo: number | null,
  ): void;
  /** From now on these scores have no digest: marks are made of an episode's outcome, which changed. Null: all of them. */
  forgetScores(episodeIds: readonly string[] | null): void;
  /** Rows of all episodes, newest first: at most `limit` of those that stand behind the position `before`. */
  rows(
    view: DigestView,
    page?: { readonly before?: number | undefined; readonly limit?: number | undefined },
  ): DigestRow[];
  /** The row of one episode; null: there is none. */
  row(view: DigestView, episodeId: string): DigestRow | null;
  /** Episodes in the list, how many of them can be reviewed, and how many were. */
  counts(): { readonly episodes: number; readonly reviewable: number; readonly reviewed: number };
  /**
   * The score that stands for each episode (or for this one), the newest score first, without tokens; `light` null: it was not
   * digested yet and has to be read whole.
   */
  lightScores(
    view: Pick<DigestView, 'scorerKey' | 'optionsKey'>,
    only: { readonly limit: number } | { readonly episodeId: string },
  ): { readonly position: number; readonly light: LightScore | null }[];
  /**
   * What is known of all episodes, or of those of one group, newest first; `alone`: with scores of the view's own scorer and
   * options, and no others in their place.
   */
  facts(view: DigestView, only?: { readonly groupId?: string | undefined; readonly alone?: boolean }): DigestFacts[];
}

/** What a digest says depends on how events are read, too. */
const FORMAT = EVENT_FORMAT * 1000 + DIGEST_VERSION;

// The same choice as `preferredScored`: the chosen scorer's, else the newest under the chosen options, else the newest.
const PREFERENCE = '(options_key = ?1 AND scorer_key IS ?2) DESC, options_key = ?1 DESC, position DESC';
const BEST = `
  SELECT position, episode_id, scorer_key, options_key, row_number() OVER (
    PARTITION BY episode_id ORDER BY ${PREFERENCE}
  ) AS rank FROM digest_score`;
// One look into an index for each row, so that a page costs what a page holds.
const rowsWhere = (condition: string): string => `
  SELECT d.position, d.episode_id AS id, d.title, d.started_at AS startedAt, d.source, d.models, d.turns, d.scorable, d.reviewed,
    d.reviewable, d.excluded, d.branch, d.named, d.changed, d.facts IS NULL AS damaged, b.scorer_key AS scorerKey, b.options_key AS optionsKey, b.gain,
    b.marks, b.why, j.wanted, j.done, j.lease_until AS leaseUntil, j.not_before AS notBefore, j.reason, j.message, j.outdated
  FROM digest d
    LEFT JOIN digest_score b ON b.position =
      (SELECT position FROM digest_score WHERE episode_id = d.episode_id ORDER BY ${PREFERENCE} LIMIT 1)
    LEFT JOIN score_job j ON j.episode_id = d.episode_id AND j.scorer = ?3 AND j.options_key = ?1
  WHERE ${condition}
  ORDER BY d.position DESC LIMIT ?5`;
const ROWS = rowsWhere('d.position < ?4');
const ROW = rowsWhere('d.episode_id = ?4');
const LIGHT = `
  SELECT position, light FROM digest_score
  WHERE position IN (SELECT position FROM (${BEST}) WHERE rank = 1) ORDER BY position DESC LIMIT ?3`;
const LIGHT_OF_ONE = `SELECT position, light FROM digest_score WHERE episode_id = ?3 ORDER BY ${PREFERENCE} LIMIT 1`;
const COUNTS = `
  SELECT count(*) AS episodes, total(reviewable) AS reviewable, total(reviewable AND reviewed) AS reviewed FROM digest`;
const FACTS = `
  WITH best AS MATERIALIZED (${BEST})
  SELECT d.facts AS digest, s.facts AS score
  FROM digest d
    LEFT JOIN best b ON b.episode_id = d.episode_id AND b.rank = 1
      AND (?4 = 0 OR (b.options_key = ?1 AND b.scorer_key IS ?2))
    LEFT JOIN digest_score s ON s.position = b.position
  WHERE d.facts IS NOT NULL AND (?3 IS NULL OR d.group_id = ?3)
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
          for (const [position, score] of scores) writeScore(db, position, score, readOnly);
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
    rows: ({ scorerKey, optionsKey, scorer }, { before = Number.MAX_SAFE_INTEGER, limit = -1 } = {}) =>
      within(() => db.prepare(ROWS).all(optionsKey, scorerKey, scorer, before, limit).map(digestRow)),
    row: ({ scorerKey, optionsKey, scorer }, episodeId) =>
      within(() => {
        const row = db.prepare(ROW).get(optionsKey, scorerKey, scorer, episodeId, 1);
        return row === undefined ? null : digestRow(row);
      }),
    counts: () =>
      within(() => {
        const { episodes, reviewable, reviewed } = db.prepare(COUNTS).get() ?? {};
        return { episodes: Number(episodes), reviewable: Number(reviewable), reviewed: Number(reviewed) };
      }),
    lightScores: ({ scorerKey, optionsKey }, only) =>
      within(() =>
        ('limit' in only
          ? db.prepare(LIGHT).all(optionsKey, scorerKey, only.limit)
          : db.prepare(LIGHT_OF_ONE).all(optionsKey, scorerKey, only.episodeId)
        ).map(({ position, light }) => {
          const parsed = light === null ? null : lightScoreSchema.safeParse(jsonOf(light));
          return { position: Number(position), light: parsed?.success === true ? parsed.data : null };
        }),
      ),
    facts: ({ scorerKey, optionsKey }, { groupId, alone = false } = {}) =>
      within(() =>
        db
          .prepare(FACTS)
          .all(optionsKey, scorerKey, groupId ?? null, alone ? 1 : 0)
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
       reviewed, reviewable, excluded, branch, named, changed, facts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
    digest?.changed === true ? 1 : 0,
    digest === null ? null : JSON.stringify(digest),
  );
}

function writeScore(db: DatabaseSync, position: number, score: DigestedScore | null, temporary: boolean): void {
  if (temporary) {
    db.prepare(
      `INSERT OR REPLACE INTO digest_score (position, episode_id, scorer_key, options_key)
       SELECT position, episode_id, scorer_key, options_key FROM scored WHERE position = ?`,
    ).run(position);
  }
  // What is damaged or of an older shape counts as no score at all.
  if (score === null) {
    db.prepare('DELETE FROM digest_score WHERE position = ?').run(position);
    return;
  }
  const { digest, light } = score;
  db.prepare(
    'UPDATE digest_score SET made = 1, gain = ?, marks = ?, why = ?, facts = ?, light = ? WHERE position = ?',
  ).run(
    totalGain(digest),
    JSON.stringify(markIds(digest)),
    missingReason(digest),
    JSON.stringify(digest),
    JSON.stringify(light),
    position,
  );
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
