import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { Branch } from '../core/branches.ts';
import { forkPoint } from '../core/fork.ts';

const rowSchema = z.object({
  id: z.string(),
  parent: z.string(),
  turn: z.int().nonnegative(),
  request: z.string().nullable(),
  turns: z.int().nonnegative(),
});

// Guarded as in the list of episodes: one damaged row must not hide all the others.
const QUERY = `
  WITH first AS (
    SELECT position, episode_id AS id, CASE WHEN json_valid(body) THEN body END AS body
    FROM event WHERE type = 'episode_started' AND seq = 0
  )
  SELECT id, body ->> '$.parent.episode_id' AS parent, body ->> '$.parent.turn' AS turn,
    substr(body ->> '$.parent.request', 1, 1) AS request, json_array_length(body, '$.parent.turns') AS turns
  FROM first WHERE body ->> '$.parent.episode_id' IS NOT NULL
  ORDER BY position
`;

/** All branches of a store, the oldest first; one that cannot be read is left out. */
export function listBranches(db: DatabaseSync): Branch[] {
  return db
    .prepare(QUERY)
    .all()
    .flatMap((row) => {
      const read = rowSchema.safeParse(row);
      return read.success ? [{ id: read.data.id, parent: read.data.parent, point: forkPoint(read.data) }] : [];
    });
}
