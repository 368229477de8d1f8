import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { EventBody } from '../../src/core/event.ts';
import { APPLICATION_ID, STORE_VERSION } from '../../src/store/schema.ts';

const EVENTS = `
  CREATE TABLE event (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, episode_id TEXT NOT NULL,
    seq INTEGER NOT NULL CHECK (seq >= 0), at INTEGER NOT NULL, version INTEGER NOT NULL, type TEXT NOT NULL,
    body TEXT NOT NULL, sha TEXT NOT NULL, UNIQUE (episode_id, seq)
  ) STRICT;
  CREATE INDEX event_at ON event (episode_id, at);
  CREATE INDEX event_type ON event (type, episode_id, seq);
  CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
  CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
`;
const SCORES = `
  CREATE TABLE score (key TEXT PRIMARY KEY, value TEXT NOT NULL, sha TEXT NOT NULL, created INTEGER NOT NULL) STRICT;
  CREATE TABLE scored (
    position INTEGER PRIMARY KEY, episode_id TEXT NOT NULL, scorer_key TEXT NOT NULL, options_key TEXT NOT NULL,
    row TEXT NOT NULL, sha TEXT NOT NULL, created INTEGER NOT NULL, UNIQUE (episode_id, scorer_key, options_key)
  ) STRICT;
`;
const MEMO = 'CREATE TABLE memo (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;';
const jobs = (more: string): string => `
  CREATE TABLE score_job (
    episode_id TEXT NOT NULL, scorer TEXT NOT NULL, options_key TEXT NOT NULL, wanted INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, not_before INTEGER NOT NULL DEFAULT 0,
    owner TEXT, lease_until INTEGER NOT NULL DEFAULT 0, reason TEXT, message TEXT, ${more}
    PRIMARY KEY (episode_id, scorer, options_key)
  ) STRICT;
`;
const INDEXED = `
  CREATE VIRTUAL TABLE words USING fts5(text, episode_id UNINDEXED, seq UNINDEXED, who UNINDEXED, tokenize = 'trigram');
  CREATE TABLE indexed (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL, event_version INTEGER NOT NULL) STRICT;
`;
const CALIBRATION =
  'CREATE TABLE calibration (scorer TEXT PRIMARY KEY, value TEXT NOT NULL, sha TEXT NOT NULL, created INTEGER NOT NULL) STRICT;';

const THIRD =
  EVENTS + MEMO + CALIBRATION + SCORES + jobs('expected REAL, outdated INTEGER NOT NULL DEFAULT 0, scored_by TEXT,');

/** The tables of every version before this one, as that version made them. */
const LAYOUTS: Readonly<Record<number, string>> = {
  1: EVENTS + SCORES,
  2: EVENTS + MEMO + SCORES + jobs(''),
  3: THIRD,
  4: THIRD + INDEXED,
};

/** Every version that a store may have been left in, this one not among them. */
export const OLDER_VERSIONS = Array.from({ length: STORE_VERSION - 1 }, (_, index) => index + 1);

/** Makes the store that an older Turnwise would have left, with these events of one episode. */
export function makeOlderStore(path: string, version: number, episodeId: string, bodies: readonly EventBody[]): void {
  const layout = LAYOUTS[version];
  if (layout === undefined) throw new Error(`no layout of version ${version}: add it to older-store.ts`);
  const db = new DatabaseSync(path);
  db.exec(
    `PRAGMA journal_mode = WAL; ${layout} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version}`,
  );
  const insert = db.prepare(
    'INSERT INTO event (id, episode_id, seq, at, version, type, body, sha) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  for (const [seq, body] of bodies.entries()) {
    const row = [`old-${seq}`, episodeId, seq, 1000 + seq, 1, body.type, JSON.stringify(body)] as const;
    insert.run(...row, createHash('sha256').update(JSON.stringify(row)).digest('hex'));
  }
  if (version >= 2) db.exec(`INSERT INTO memo VALUES ('draft ${episodeId}', 'half a sentence')`);
  db.exec(`INSERT INTO score VALUES ('k', '1', '6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b', 1)`);
  db.close();
}
