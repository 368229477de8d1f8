/**
 * The event version (`EVENT_VERSION`) that each version of the store was written with, from version 1 on. Another layout, and
 * another event version too, is another version of the store: so an older Turnwise only reads it, it is copied before it is
 * brought up to date, and what was computed from events that are read otherwise now is not reused.
 */
export const EVENT_VERSIONS: readonly number[] = [1, 1, 1, 1, 1];
/**
 * Version of the whole file (`user_version`); a newer one is opened read-only. What an older one holds in `event` is never
 * touched: only derived tables of another shape are dropped and made anew.
 */
export const STORE_VERSION = EVENT_VERSIONS.length;
/** The version that gave the score tables the shape they have; those of an older store are made anew. */
export const SCORE_TABLES_SINCE = 3;

/** "TwJ1": marks the file as ours (`application_id`), so that another program's database is not written into. */
export const APPLICATION_ID = 0x54774a31;

/**
 * The ground truth. `sha` is over the other columns: a flipped bit is found even where the JSON still parses. `position` is
 * the order of arrival over all episodes.
 */
export const EVENT_TABLE = `
  CREATE TABLE IF NOT EXISTS event (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    episode_id TEXT NOT NULL,
    seq INTEGER NOT NULL CHECK (seq >= 0),
    at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    sha TEXT NOT NULL,
    UNIQUE (episode_id, seq)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS event_at ON event (episode_id, at);
  CREATE INDEX IF NOT EXISTS event_type ON event (type, episode_id, seq);
  CREATE TRIGGER IF NOT EXISTS event_no_update BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
  CREATE TRIGGER IF NOT EXISTS event_no_delete BEFORE DELETE ON event
    BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
`;

/** What windows remember; kept when the derived tables are made anew. */
export const MEMO_TABLE = `
  CREATE TABLE IF NOT EXISTS memo (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
`;

/** What was measured of scorers; kept when the derived tables are made anew, since only that scorer can measure it again. */
export const CALIBRATION_TABLE = `
  CREATE TABLE IF NOT EXISTS calibration (
    scorer TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    sha TEXT NOT NULL,
    created INTEGER NOT NULL
  ) STRICT;
`;

/** What can be rebuilt from events and a scorer: caches, kept apart from the truth. */
export const SCORE_TABLES = `
  DROP TABLE IF EXISTS score;
  DROP TABLE IF EXISTS scored;
  DROP TABLE IF EXISTS score_job;
  CREATE TABLE score (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    sha TEXT NOT NULL,
    created INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE scored (
    position INTEGER PRIMARY KEY,
    episode_id TEXT NOT NULL,
    scorer_key TEXT NOT NULL,
    options_key TEXT NOT NULL,
    row TEXT NOT NULL,
    sha TEXT NOT NULL,
    created INTEGER NOT NULL,
    UNIQUE (episode_id, scorer_key, options_key)
  ) STRICT;
  CREATE TABLE score_job (
    episode_id TEXT NOT NULL,
    scorer TEXT NOT NULL,
    options_key TEXT NOT NULL,
    wanted INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0,
    owner TEXT,
    lease_until INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    message TEXT,
    expected REAL,
    outdated INTEGER NOT NULL DEFAULT 0,
    scored_by TEXT,
    PRIMARY KEY (episode_id, scorer, options_key)
  ) STRICT;
`;

/**
 * The search index: one row for the words of one event, under the event's position. Trigrams find parts of words and
 * scripts without spaces. It is filled behind the journal: `indexed` says up to which position, and under which
 * `EVENT_FORMAT`. `secure-delete`, or FTS5 keeps the words that were taken out.
 */
export const SEARCH_TABLES = `
  DROP TABLE IF EXISTS words;
  DROP TABLE IF EXISTS indexed;
  CREATE VIRTUAL TABLE words USING fts5(text, episode_id UNINDEXED, seq UNINDEXED, who UNINDEXED, tokenize = 'trigram');
  INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
  CREATE TABLE indexed (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    position INTEGER NOT NULL,
    event_version INTEGER NOT NULL
  ) STRICT;
`;

const DIGEST_COLUMNS = `(
    episode_id TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    title TEXT,
    source TEXT NOT NULL,
    group_id TEXT NOT NULL,
    models TEXT NOT NULL,
    turns INTEGER NOT NULL,
    scorable INTEGER NOT NULL,
    reviewed INTEGER NOT NULL,
    reviewable INTEGER NOT NULL,
    excluded INTEGER NOT NULL,
    branch INTEGER NOT NULL,
    named INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    facts TEXT
  ) STRICT`;
const DIGEST_SCORE_COLUMNS = `(
    position INTEGER PRIMARY KEY,
    episode_id TEXT NOT NULL,
    scorer_key TEXT NOT NULL,
    options_key TEXT NOT NULL,
    made INTEGER NOT NULL DEFAULT 0,
    gain REAL,
    marks TEXT,
    why TEXT,
    facts TEXT,
    light TEXT
  ) STRICT`;
const DIGESTED_COLUMNS = `(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    position INTEGER NOT NULL,
    version INTEGER NOT NULL
  ) STRICT`;

/**
 * What lists and trends read instead of events and scores: a row an episode, a row a score. Digests of events are made behind
 * the journal (`digested` says up to which position); a score's begins as an empty row the moment it is written, by a trigger,
 * since REPLACE may give a new score the old one's position.
 */
export const DIGEST_TABLES = `
  DROP TRIGGER IF EXISTS scored_digest_new;
  DROP TRIGGER IF EXISTS scored_digest_gone;
  DROP TABLE IF EXISTS digest;
  DROP TABLE IF EXISTS digest_score;
  DROP TABLE IF EXISTS digested;
  CREATE TABLE digest ${DIGEST_COLUMNS};
  CREATE INDEX digest_group ON digest (group_id);
  CREATE INDEX digest_position ON digest (position);
  CREATE INDEX digest_review ON digest (reviewable, reviewed);
  CREATE TABLE digest_score ${DIGEST_SCORE_COLUMNS};
  CREATE INDEX digest_score_episode ON digest_score (episode_id);
  CREATE INDEX digest_score_unmade ON digest_score (position) WHERE made = 0;
  CREATE TABLE digested ${DIGESTED_COLUMNS};
  INSERT INTO digest_score (position, episode_id, scorer_key, options_key)
    SELECT position, episode_id, scorer_key, options_key FROM scored;
  CREATE TRIGGER scored_digest_new AFTER INSERT ON scored BEGIN
    INSERT OR REPLACE INTO digest_score (position, episode_id, scorer_key, options_key)
      VALUES (NEW.position, NEW.episode_id, NEW.scorer_key, NEW.options_key);
  END;
  CREATE TRIGGER scored_digest_gone AFTER DELETE ON scored BEGIN
    DELETE FROM digest_score WHERE position = OLD.position;
  END;
`;

/** The same for a store that cannot be written: kept by the connection, lost with it. */
export const TEMPORARY_DIGEST_TABLES = `
  CREATE TEMP TABLE IF NOT EXISTS digest ${DIGEST_COLUMNS};
  CREATE TEMP TABLE IF NOT EXISTS digest_score ${DIGEST_SCORE_COLUMNS};
  CREATE TEMP TABLE IF NOT EXISTS digested ${DIGESTED_COLUMNS};
  CREATE INDEX IF NOT EXISTS temp.digest_position ON digest (position);
  CREATE INDEX IF NOT EXISTS temp.digest_score_episode ON digest_score (episode_id);
`;
