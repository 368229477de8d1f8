import { v7 as uuidv7 } from 'uuid';
import { TurnwiseError } from '../core/error.ts';
import { isPlainId, type EventBody, type StoredEvent } from '../core/event.ts';
import { connect } from './connection.ts';
import { decodeEvent, encodeEvent } from './event-row.ts';
import { listEpisodes, type EpisodeFacts } from './list-episodes.ts';
import { scoreCache, type ScoreCache } from './score-cache.ts';
import { guarded } from './sqlite-error.ts';

/** New events of one episode. */
export interface NewEvents {
  readonly episodeId: string;
  readonly bodies: readonly EventBody[];
  /** `seq` that the first of them must get: 0 for a new episode, the state's `lastSeq + 1` otherwise. Absent: whatever is next. */
  readonly expectedSeq?: number | undefined;
}

/** One store file: the append-only journal and the caches derived from it. Every method throws `TurnwiseError` only. */
export interface Journal extends ScoreCache {
  readonly path: string;
  /** A sentence why nothing can be written; null when it can. */
  readonly readOnly: string | null;
  /**
   * Appends in one transaction; what it returns is on the disk. Throws `conflict` when somebody else wrote in between,
   * `store_locked` after 200 ms behind another writer, `disk_full`, `store_read_only`, `newer_store`; then nothing was written.
   */
  append(
    episodeId: string,
    bodies: readonly EventBody[],
    options?: { readonly expectedSeq?: number | undefined },
  ): StoredEvent[];
  /** The same for several episodes: all or nothing. */
  appendAll(batch: readonly NewEvents[]): StoredEvent[];
  /** All events of an episode, oldest first; none for one that is unknown. Throws `damaged_event`, `missing_event`. */
  read(episodeId: string): StoredEvent[];
  /** All episodes, the newest first. */
  episodes(): EpisodeFacts[];
  /** Episodes whose latest action has no end: it runs in some process, or its process died. */
  unfinished(): string[];
  /** Every event in the order of arrival. A damaged one is thrown, or given to `onDamage`, and then the walk goes on. */
  readAll(onDamage?: (error: TurnwiseError) => void): Generator<StoredEvent, void, void>;
  close(): void;
}

const UNFINISHED = `
  SELECT s.episode_id FROM (
    SELECT episode_id, max(seq) AS seq FROM event WHERE type = 'action_started' GROUP BY episode_id
  ) AS s
  WHERE NOT EXISTS (
    SELECT 1 FROM event e WHERE e.episode_id = s.episode_id AND e.seq > s.seq
      AND e.type IN ('action_asked', 'action_called', 'action_answered', 'action_stopped', 'action_failed', 'action_interrupted')
  )
`;

/** Opens a store, made on first use; `readOnly` never writes and asks for an existing one. `now` gives ms since 1970. */
export function openJournal(
  path: string,
  { readOnly = false, now = Date.now }: { readonly readOnly?: boolean; readonly now?: () => number } = {},
): Journal {
  const connection = connect(path, readOnly);
  const { db } = connection;
  const run = <T>(work: () => T): T => guarded(path, work);
  const write = <T>(work: () => T): T => {
    if (connection.readOnly !== null) throw refuseToWrite(path, connection.readOnly);
    return run(work);
  };

  const lastSeq = db.prepare('SELECT max(seq) AS seq FROM event WHERE episode_id = ?');
  const rows = 'SELECT id, episode_id, seq, at, version, type, body, sha FROM event';
  const ofEpisode = db.prepare(`${rows} WHERE episode_id = ? ORDER BY seq`);

  function decodeOr(row: unknown, onDamage: ((error: TurnwiseError) => void) | undefined): StoredEvent | null {
    try {
      return decodeEvent(path, row);
    } catch (thrown) {
      if (!(thrown instanceof TurnwiseError) || onDamage === undefined) throw thrown;
      onDamage(thrown);
      return null;
    }
  }

  function insertAll(batch: readonly NewEvents[]): StoredEvent[] {
    const insert = db.prepare(
      'INSERT INTO event (id, episode_id, seq, at, version, type, body, sha) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    return batch.flatMap(({ episodeId, bodies, expectedSeq }) => {
      const last = lastSeq.get(episodeId)?.['seq'];
      const next = typeof last === 'number' ? last + 1 : 0;
      if (expectedSeq !== undefined && expectedSeq !== next) throw conflict(episodeId, expectedSeq, next);
      return bodies.map((body, offset) => {
        const row = encodeEvent({ id: uuidv7(), episode_id: episodeId, seq: next + offset, at: now() }, body);
        insert.run(row.id, row.episode_id, row.seq, row.at, row.version, row.type, row.body, row.sha);
        // Handed out as a later reader will see it.
        return decodeEvent(path, row);
      });
    });
  }

  function appendAll(batch: readonly NewEvents[]): StoredEvent[] {
    for (const { episodeId } of batch) refuseUnsafeId(episodeId);
    return write(() => {
      db.exec('BEGIN IMMEDIATE');
      try {
        const stored = insertAll(batch);
        db.exec('COMMIT');
        return stored;
      } catch (thrown) {
        // A full disk may have rolled it back already.
        if (db.isTransaction) db.exec('ROLLBACK');
        throw thrown;
      }
    });
  }

  return {
    path,
    readOnly: connection.readOnly === null ? null : refuseToWrite(path, connection.readOnly).message,
    append: (episodeId, bodies, options = {}) => appendAll([{ episodeId, bodies, ...options }]),
    appendAll,
    read: (episodeId) =>
      run(() =>
        ofEpisode.all(episodeId).map((row, index) => {
          const event = decodeEvent(path, row);
          if (event.seq !== index) throw missing(path, episodeId, index);
          return event;
        }),
      ),
    episodes: () => run(() => listEpisodes(db)),
    unfinished: () =>
      run(() =>
        db
          .prepare(UNFINISHED)
          .all()
          .map((row) => String(row['episode_id'])),
      ),
    readAll: function* (onDamage) {
      let after = 0;
      // In pages, so that no statement stays open while the caller works (it may write, or close).
      for (;;) {
        const page = run(() =>
          db
            .prepare(
              `SELECT position, id, episode_id, seq, at, version, type, body, sha FROM event WHERE position > ? ORDER BY position LIMIT 256`,
            )
            .all(after),
        );
        for (const row of page) {
          after = Number(row['position']);
          const event = decodeOr(row, onDamage);
          if (event !== null) yield event;
        }
        if (page.length === 0) return;
      }
    },
    ...scoreCache(db, { run, write, now }),
    close: () => {
      if (db.isOpen) db.close();
    },
  };
}

function refuseToWrite(path: string, why: 'asked' | 'newer_store'): TurnwiseError {
  return why === 'asked'
    ? new TurnwiseError(
        'usage',
        'opened_read_only',
        `The store ${path} was opened for reading only; open it for writing.`,
      )
    : new TurnwiseError(
        'unsupported',
        'newer_store',
        `The store ${path} was written by a newer Turnwise and can only be read here; reload the window, or update Turnwise.`,
      );
}

function conflict(episodeId: string, expected: number, next: number): TurnwiseError {
  return new TurnwiseError(
    'environment',
    'conflict',
    `Episode ${episodeId} went on elsewhere (event ${expected} was due here, ${next} there); reload the conversation. Nothing was recorded.`,
  );
}

function missing(path: string, episodeId: string, seq: number): TurnwiseError {
  return new TurnwiseError(
    'corrupt',
    'missing_event',
    `Event number ${seq} of episode ${episodeId} is missing in ${path}; keep the file and restore a backup. Other episodes can still be read.`,
  );
}

function refuseUnsafeId(episodeId: string): void {
  if (isPlainId(episodeId)) return;
  throw new TurnwiseError(
    'input',
    'unsafe_id',
    `The episode id ${JSON.stringify(episodeId)} is empty or contains control characters; give it a plain one.`,
  );
}
