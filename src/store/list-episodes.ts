import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';

/** What a list of episodes shows without reading them. */
const episodeFactsSchema = z.object({
  id: z.string(),
  /** Times of the first and the latest event, ms since 1970. */
  startedAt: z.int(),
  lastAt: z.int(),
  events: z.int().positive(),
  /** Null where the first event is missing or cannot be read. */
  source: z.string().nullable(),
  taskId: z.string().nullable(),
  /** The developer's first words, also where a branch inherits them; null before them, and for an import. */
  request: z.string().nullable(),
  /** What the developer calls it; null: nothing else than its request. */
  title: z.string().nullable(),
  /** The episode it branched off from; null: it is no branch. */
  parent: z.string().nullable(),
});
export type EpisodeFacts = Readonly<z.infer<typeof episodeFactsSchema>>;

// `json_valid` first, and in a CASE of its own, which SQLite promises to evaluate in order: one damaged row must not hide
// all the others.
const QUERY = `
  WITH span AS (
    SELECT episode_id, min(at) AS first, max(at) AS last, count(*) AS n FROM event GROUP BY episode_id
  )
  SELECT span.episode_id AS id, span.first AS startedAt, span.last AS lastAt, span.n AS events,
    CASE WHEN json_valid(f.body) THEN CAST(f.body ->> '$.source' AS TEXT) END AS source,
    CASE WHEN json_valid(f.body) THEN CAST(f.body ->> '$.task_id' AS TEXT) END AS taskId,
    coalesce(
      CASE WHEN json_valid(r.body) THEN
        CASE WHEN r.body ->> '$.type' = 'request_accepted' THEN CAST(r.body ->> '$.text' AS TEXT) END
      END,
      CASE WHEN json_valid(f.body) THEN CAST(f.body ->> '$.parent.request' AS TEXT) END
    ) AS request,
    (
      SELECT CASE WHEN json_valid(t.body) THEN CAST(t.body ->> '$.title' AS TEXT) END
      FROM event t WHERE t.type = 'titled' AND t.episode_id = span.episode_id ORDER BY t.seq DESC LIMIT 1
    ) AS title,
    CASE WHEN json_valid(f.body) THEN CAST(f.body ->> '$.parent.episode_id' AS TEXT) END AS parent
  FROM span
    LEFT JOIN event f ON f.episode_id = span.episode_id AND f.seq = 0
    LEFT JOIN event r ON r.episode_id = span.episode_id AND r.seq = 1
  ORDER BY f.position DESC
`;

/** All episodes of a store, the newest first. */
export function listEpisodes(db: DatabaseSync): EpisodeFacts[] {
  return z.array(episodeFactsSchema).parse(db.prepare(QUERY).all());
}
