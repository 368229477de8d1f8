import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { errorText, TurnwiseError } from '../core/error.ts';
import { backupFolder, backupsOf } from './backups.ts';
import { connect } from './connection.ts';
import { pragma, setSafety } from './pragmas.ts';
import { APPLICATION_ID } from './schema.ts';
import { guarded, storeError } from './sqlite-error.ts';
import { transaction } from './transaction.ts';

/** What a purge would take out, or has taken out. */
export interface Purge {
  /** The conversation, and every branch of it: a branch carries a copy of what it inherited. */
  readonly episodes: readonly string[];
  /** Events in the store itself. */
  readonly events: number;
  /** The store and the copies of it that hold any of them. */
  readonly files: readonly string[];
  /** Places that may still hold words of it, and what to do about each. */
  readonly left: readonly { readonly file: string; readonly why: string }[];
}

const WAIT_MS = 5000;

/** What a purge would take out. Throws `no_such_episode` where neither the store nor a copy of it has the conversation. */
export function purgePlan(path: string, episodeId: string): Purge {
  return plan(path, episodeId, false);
}

/**
 * Takes a conversation and its branches out for good: events, scores, jobs, drafts, search index, and the same in every copy
 * in the store's folder; free pages and logs are written anew. The cache of scores goes with it, since it does not know whose
 * its rows are. Blocks for as long as rewriting the files takes: not for an editor's own thread. Throws `no_such_episode`.
 */
export function purgeEpisode(path: string, episodeId: string): Purge {
  return plan(path, episodeId, true);
}

function plan(path: string, episodeId: string, doIt: boolean): Purge {
  const { db, readOnly } = connect(path, !doIt);
  db.close();
  if (doIt && readOnly !== null) {
    throw new TurnwiseError(
      'environment',
      'store_read_only',
      `The store ${path} cannot be written here, so nothing was purged; make it writable, or update Turnwise.`,
    );
  }
  const episodes = new Set<string>();
  const files: string[] = [];
  const left: { file: string; why: string }[] = [];
  let events = 0;
  for (const file of [path, ...copiesOf(path)]) {
    try {
      const found = guarded(file, () => purgeFile(file, episodeId, doIt));
      if (found.episodes.length === 0) continue;
      files.push(file);
      for (const id of found.episodes) episodes.add(id);
      if (file === path) events = found.events;
      left.push(...found.left);
    } catch (thrown) {
      if (file === path) throw thrown;
      left.push({ file, why: `${errorText(storeError(file, thrown))} It may hold words of the conversation.` });
    }
  }
  if (episodes.size === 0) {
    throw new TurnwiseError(
      'usage',
      'no_such_episode',
      `Neither ${path} nor a copy of it holds the conversation ${episodeId}; check its id.`,
    );
  }
  if (doIt) for (const file of draftsOf(path)) rmSync(file, { force: true });
  left.push(...exportsBeside(path));
  return { episodes: [...episodes], events, files, left };
}

/** Copies below the store's folder: from upgrades and backups, and stores that a restore has replaced. */
function copiesOf(path: string): string[] {
  const folder = dirname(path);
  const replaced = readdirSync(folder)
    .filter((name) => name.startsWith(`${basename(path)}.replaced-`) && !/-(wal|shm)$/.test(name))
    .map((name) => join(folder, name));
  return [...backupsOf(path), ...replaced];
}

/** Copies that a killed process left unfinished. */
function draftsOf(path: string): string[] {
  return [dirname(path), backupFolder(path)].flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder)
          .filter((name) => name.endsWith('.tmp') && name.includes(basename(path)))
          .map((name) => join(folder, name))
      : [],
  );
}

function exportsBeside(path: string): { file: string; why: string }[] {
  const folder = dirname(path);
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((place) => statSync(place, { throwIfNoEntry: false })?.isDirectory() === true)
    .filter((place) => existsSync(join(place, 'manifest.json')))
    .map((file) => ({ file, why: 'It is an exported dataset; delete it, or export it anew.' }));
}

function purgeFile(file: string, episodeId: string, doIt: boolean): Pick<Purge, 'episodes' | 'events' | 'left'> {
  const db = new DatabaseSync(file, { readOnly: !doIt, timeout: WAIT_MS });
  try {
    setSafety(db, file, 'reader');
    if (pragma(db, 'application_id') !== APPLICATION_ID) return { episodes: [], events: 0, left: [] };
    const episodes = withBranches(db, episodeId);
    const list = JSON.stringify(episodes);
    const count = db.prepare('SELECT count(*) AS n FROM event WHERE episode_id IN (SELECT value FROM json_each(?))');
    const events = Number(count.get(list)?.['n']);
    const held = events > 0 ? episodes : [];
    if (!doIt || held.length === 0) return { episodes: held, events, left: [] };
    transaction(db, 'IMMEDIATE', () => {
      takeOut(db, episodes, list);
    });
    return { episodes, events, left: rewrite(db, file) };
  } finally {
    db.close();
  }
}

/** The conversation and everything that was branched off it, and off that. */
function withBranches(db: DatabaseSync, episodeId: string): string[] {
  const rows = db
    .prepare(
      `WITH RECURSIVE family (id) AS (
         VALUES (?)
         UNION
         SELECT event.episode_id FROM event JOIN family
           ON CASE WHEN json_valid(event.body) THEN event.body ->> '$.parent.episode_id' END = family.id
         WHERE event.seq = 0
       ) SELECT id FROM family`,
    )
    .all(episodeId);
  return rows.map(({ id }) => String(id));
}

function takeOut(db: DatabaseSync, episodes: readonly string[], list: string): void {
  const has = (table: string): boolean =>
    db.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(table) !== undefined;
  const theirs = 'episode_id IN (SELECT value FROM json_each(?))';
  // The one exception to "never deleted", and no other process can see the table without its guard.
  const guard = db.prepare("SELECT sql FROM sqlite_schema WHERE name = 'event_no_delete'").get()?.['sql'];
  db.exec('DROP TRIGGER IF EXISTS event_no_delete');
  db.prepare(`DELETE FROM event WHERE ${theirs}`).run(list);
  if (typeof guard === 'string') db.exec(guard);
  for (const table of ['scored', 'score_job', 'words', 'digest', 'digest_score']) {
    if (has(table)) db.prepare(`DELETE FROM ${table} WHERE ${theirs}`).run(list);
  }
  if (has('score')) db.exec('DELETE FROM score');
  // Positions at the end are given out again, and what gets them must not count as dealt with.
  for (const table of ['digested', 'indexed']) {
    if (!has(table)) continue;
    db.exec(`UPDATE ${table} SET position = min(position, (SELECT coalesce(max(position), 0) FROM event))`);
  }
  if (!has('memo')) return;
  // What waits beside the draft of a workspace's open conversation is part of that draft.
  const waiting = db.prepare(
    "DELETE FROM memo WHERE key IN (SELECT 'context of ' || substr(key, 6) FROM memo WHERE key LIKE 'open %' AND value = ?)",
  );
  // Drafts are kept under the conversation's id, and a workspace's open conversation is one.
  const forget = db.prepare("DELETE FROM memo WHERE key IN ('draft ' || ?1, 'edit ' || ?1) OR value = ?1");
  for (const id of episodes) {
    waiting.run(id);
    forget.run(id);
  }
}

/** Writes the file anew, so that no free page and no log keeps what was in it. */
function rewrite(db: DatabaseSync, file: string): { file: string; why: string }[] {
  try {
    if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'words'").get() !== undefined) {
      db.exec("INSERT INTO words (words) VALUES ('optimize')");
    }
    db.exec('VACUUM');
    if (pragma(db, 'journal_mode') !== 'wal') return [];
    const done = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
    if (done?.['busy'] === 0) return [];
    return [{ file: `${file}-wal`, why: 'Another window reads it; close the others, then purge again.' }];
  } catch (thrown) {
    return [
      {
        file,
        why: `Its free pages could not be rewritten, which the next purge does: ${errorText(storeError(file, thrown))}`,
      },
    ];
  }
}
