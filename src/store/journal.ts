import { v7 as uuidv7 } from 'uuid';
import { TurnwiseError } from '../core/error.ts';
import { isPlainId, type EventBody, type StoredEvent } from '../core/event.ts';
import type { Branch } from '../core/branches.ts';
import { calibrationsOf, type Calibrations } from './calibrations.ts';
import { connect, type Connection, type ReadOnlyReason } from './connection.ts';
import { decodeEvent, encodeEvent } from './event-row.ts';
import { listBranches } from './list-branches.ts';
import { digestsOf, type Digests } from './digests.ts';
import { listEpisodes, type EpisodeFacts } from './list-episodes.ts';
import { memoOf, type Memo } from './memo.ts';
import { pragma } from './pragmas.ts';
import { STORE_VERSION } from './schema.ts';
import { scoreCache, type ScoreCache } from './score-cache.ts';
import { scoreQueue, type ScoreQueue } from './score-queue.ts';
import { searchIn, type Search } from './search.ts';
import { damagedSentence, guarded, readOnlySentence } from './sqlite-error.ts';
import { transaction } from './transaction.ts';

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
  /** What branches off what, the oldest first. */
  branches(): Branch[];
  /** Episodes whose latest action has no end: it runs in some process, or its process died. */
  unfinished(): string[];
  /** Every event in the order of arrival. A damaged one is thrown, or given to `onDamage`, and then the walk goes on. */
  readAll(onDamage?: (error: TurnwiseError) => void): Generator<StoredEvent, void, void>;
  /** Whether another connection has committed since this was last asked. */
  changedElsewhere(): boolean;
  readonly memo: Memo;
  readonly calibrations: Calibrations;
  /** What lists and trends read instead of events. */
  readonly digests: Digests;
  /** Background scoring, shared by every process that has this store open. */
  readonly queue: ScoreQueue;
  /** What was said, by its words. */
  readonly search: Search;
  close(): void;
}

/** Events that are read at once where all are read. */
const PAGE = 256;

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
  return journalOn(connect(path, readOnly), now);
}

/** The journal on an open connection, which it closes. */
export function journalOn({ path, db, readOnly }: Connection, now: () => number = Date.now): Journal {
  const run = <T>(work: () => T): T => guarded(path, work);
  // Another window may have updated, and the store with it, since this one opened it.
  const isNewer = (): boolean => Number(pragma(db, 'user_version')) > STORE_VERSION;
  const write = <T>(work: () => T): T => {
    if (readOnly !== null) throw refuseToWrite(path, readOnly);
    return run(() => {
      if (isNewer()) throw refuseToWrite(path, 'newer_store');
      return work();
    });
  };

  const { lastSeq, ofEpisode, count, page, insert } = prepareOrClose({ path, db, readOnly });

  // It changes with the commits of other connections alone.
  const dataVersion = (): unknown => db.prepare('PRAGMA data_version').get()?.['data_version'];
  let seenVersion = run(dataVersion);

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
    return batch.flatMap(({ episodeId, bodies, expectedSeq }) => {
      const last = lastSeq.get(episodeId)?.['seq'];
      const next = typeof last === 'number' ? last + 1 : 0;
      if (expectedSeq !== undefined && expectedSeq !== next) throw conflict(episodeId, expectedSeq, next);
      return bodies.map((body, offset) => {
        const { event, row } = encodeEvent(
          { id: uuidv7(), episode_id: episodeId, seq: next + offset, at: now() },
          body,
        );
        insert.run(row.id, row.episode_id, row.seq, row.at, row.version, row.type, row.body, row.sha);
        return event;
      });
    });
  }

  function appendAll(batch: readonly NewEvents[]): StoredEvent[] {
    for (const { episodeId } of batch) refuseUnsafeId(episodeId);
    return write(() =>
      transaction(db, 'IMMEDIATE', () => {
        // Asked again where nobody else can write.
        if (isNewer()) throw refuseToWrite(path, 'newer_store');
        return insertAll(batch);
      }),
    );
  }

  return {
    path,
    readOnly: readOnly === null ? null : refuseToWrite(path, readOnly).message,
    append: (episodeId, bodies, options = {}) => appendAll([{ episodeId, bodies, ...options }]),
    appendAll,
    read: (episodeId) =>
      // One snapshot: another process may append between the two statements.
      run(() =>
        transaction(db, 'DEFERRED', () => {
          const events = ofEpisode.all(episodeId).map((row) => decodeEvent(path, row));
          const gap = events.findIndex(({ episode_id, seq }, index) => seq !== index || episode_id !== episodeId);
          if (gap !== -1) throw missing(path, episodeId, gap);
          // Counted through another index: damage to one must not shorten a conversation silently.
          if (Number(count.get(episodeId)?.['n']) !== events.length) throw missing(path, episodeId, events.length);
          return events;
        }),
      ),
    episodes: () => run(() => listEpisodes(db)),
    branches: () => run(() => listBranches(db)),
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
        const rows = run(() => page.all(after, PAGE));
        for (const row of rows) {
          after = Number(row['position']);
          const event = decodeOr(row, onDamage);
          if (event !== null) yield event;
        }
        if (rows.length === 0) return;
      }
    },
    ...scoreCache(db, { run, write, now }),
    queue: scoreQueue(db, { run, write, now }),
    calibrations: calibrationsOf(db, { run, write, now }),
    digests: digestsOf(db, { run, readOnly: readOnly !== null }),
    search: searchIn(db, {
      path,
      readOnly: () => readOnly !== null || isNewer(),
      run,
      page: (after, limit) => {
        const rows = page.all(after, limit);
        const events = rows.flatMap((row) => {
          const event = decodeOr(row, () => undefined);
          return event === null ? [] : [{ at: Number(row['position']), event }];
        });
        return { events, last: Number(rows.at(-1)?.['position'] ?? after) };
      },
    }),
    memo: memoOf(db, { run, write, readOnly: readOnly !== null }),
    changedElsewhere: () => {
      const version = run(dataVersion);
      const changed = version !== seenVersion;
      seenVersion = version;
      return changed;
    },
    close: () => {
      if (db.isOpen) db.close();
    },
  };
}

/** The statements of a journal; a file too damaged for them is closed again. */
function prepareOrClose({ path, db }: Connection) {
  const columns = 'id, episode_id, seq, at, version, type, body, sha';
  try {
    return guarded(path, () => ({
      lastSeq: db.prepare('SELECT max(seq) AS seq FROM event WHERE episode_id = ?'),
      ofEpisode: db.prepare(`SELECT ${columns} FROM event WHERE episode_id = ? ORDER BY seq`),
      count: db.prepare('SELECT count(*) AS n FROM event INDEXED BY event_at WHERE episode_id = ?'),
      page: db.prepare(`SELECT position, ${columns} FROM event WHERE position > ? ORDER BY position LIMIT ?`),
      insert: db.prepare(`INSERT INTO event (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    }));
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

function refuseToWrite(path: string, why: ReadOnlyReason): TurnwiseError {
  switch (why) {
    case 'asked':
      return new TurnwiseError(
        'usage',
        'opened_read_only',
        `The store ${path} was opened for reading only; open it for writing.`,
      );
    case 'newer_store':
      return new TurnwiseError(
        'unsupported',
        why,
        `The store ${path} was written by a newer Turnwise and can only be read here; reload the window, or update Turnwise.`,
      );
    case 'store_read_only':
      return new TurnwiseError('environment', why, readOnlySentence(path));
    case 'damaged_store':
      return new TurnwiseError('corrupt', why, damagedSentence(path));
    default:
      return why satisfies never;
  }
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
