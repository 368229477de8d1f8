import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { TurnwiseError } from '../core/error.ts';
import { EVENT_FORMAT, type StoredEvent } from '../core/event.ts';
import { SEARCH_TABLES } from './schema.ts';
import { storeError } from './sqlite-error.ts';
import { transaction } from './transaction.ts';
import { wordsOf } from './words-of.ts';

/** An event in which every word of a query occurs. */
export interface SearchHit {
  readonly episodeId: string;
  readonly seq: number;
  readonly who: 'developer' | 'agent';
  /** The first word as it stands there, and what surrounds it; `match` is empty where it is told apart by more than case. */
  readonly snippet: { readonly before: string; readonly match: string; readonly after: string };
}

/** The search index: derived from the events, and brought up to them whenever somebody searches. */
export interface Search {
  /**
   * Events with every word of the query, newest first. Words are parts of words in any script, case aside; the query has no
   * syntax. None for a query without words.
   */
  find(query: string, options?: { readonly limit?: number; readonly who?: SearchHit['who'] }): SearchHit[];
  /** Throws the index away and makes it anew. Returns how many events have words. */
  rebuild(): number;
}

/** A word of one or two characters has no trigram; the index is walked for it. */
const SHORTEST_INDEXED = 3;
const MAX_TERMS = 16;
const MAX_TERM = 200;
const MAX_HITS = 100;
/** Of the text around a match, UTF-16 units on each side. */
const AROUND = 60;
/** Events in one transaction: other writers get their turn in between. */
const BATCH = 256;

const hitSchema = z.object({
  episode_id: z.string(),
  seq: z.int(),
  who: z.enum(['developer', 'agent']),
  text: z.string(),
});
const stateSchema = z.object({ position: z.int().nonnegative(), event_version: z.int() });

/** What the search needs of an open store: `page` gives readable events behind a position, and the last position it saw. */
export interface SearchPorts {
  readonly path: string;
  readonly readOnly: () => boolean;
  readonly run: <T>(work: () => T) => T;
  readonly page: (
    after: number,
    limit: number,
  ) => { readonly events: { at: number; event: StoredEvent }[]; readonly last: number };
}

export function searchIn(db: DatabaseSync, { path, readOnly, run, page }: SearchPorts): Search {
  const anew = (): void => {
    transaction(db, 'IMMEDIATE', () => {
      db.exec(SEARCH_TABLES);
    });
  };
  const catchUp = (): void => {
    const state = stateOf(db);
    if (state?.event_version !== EVENT_FORMAT && state !== null) anew();
    let after = stateOf(db)?.position ?? 0;
    for (;;) {
      const reached = transaction(db, 'IMMEDIATE', () => indexPage(db, stateOf(db)?.position ?? 0, page));
      if (reached === after) return;
      after = reached;
    }
  };
  const healed = <T>(work: () => T): T => {
    try {
      return work();
    } catch (thrown) {
      const error = storeError(path, thrown);
      if (readOnly() || !(error instanceof TurnwiseError) || error.reason !== 'damaged_store') throw thrown;
      // The index is derived: damage in it costs nothing but the time to make it anew.
      anew();
      return work();
    }
  };
  return {
    find: (query, { limit = MAX_HITS, who } = {}) =>
      run(() => {
        const terms = termsOf(query);
        if (terms.length === 0) return [];
        const count = Math.min(Math.max(limit, 0), MAX_HITS);
        if (readOnly()) return scan(page, terms, count, who);
        return healed(() => {
          catchUp();
          return ask(db, terms, count, who);
        });
      }),
    rebuild: () =>
      run(() => {
        anew();
        catchUp();
        return Number(db.prepare('SELECT count(*) AS n FROM words').get()?.['n']);
      }),
  };
}

function stateOf(db: DatabaseSync): z.infer<typeof stateSchema> | null {
  const row = db.prepare('SELECT position, event_version FROM indexed').get();
  return row === undefined ? null : stateSchema.parse(row);
}

function indexPage(db: DatabaseSync, after: number, page: SearchPorts['page']): number {
  const { events, last } = page(after, BATCH);
  const insert = db.prepare('INSERT INTO words (rowid, text, episode_id, seq, who) VALUES (?, ?, ?, ?, ?)');
  for (const { at, event } of events) {
    const words = wordsOf(event.body);
    if (words !== null) insert.run(at, words.text, event.episode_id, event.seq, words.who);
  }
  if (last > after || stateOf(db) === null) {
    db.prepare('INSERT OR REPLACE INTO indexed (one, position, event_version) VALUES (1, ?, ?)').run(
      last,
      EVENT_FORMAT,
    );
  }
  return last;
}

function ask(
  db: DatabaseSync,
  terms: readonly string[],
  limit: number,
  who: SearchHit['who'] | undefined,
): SearchHit[] {
  const long = terms.filter((term) => Array.from(term).length >= SHORTEST_INDEXED);
  const short = terms.filter((term) => !long.includes(term));
  const where = [
    ...(long.length === 0 ? [] : ['words MATCH ?']),
    ...short.map(() => `text LIKE ? ESCAPE '\\'`),
    ...(who === undefined ? [] : ['who = ?']),
  ];
  const values = [
    // Quoted, a word is a word: AND, NEAR, column names and stars mean nothing.
    ...(long.length === 0 ? [] : [long.map((term) => `"${term.replaceAll('"', '""')}"`).join(' ')]),
    ...short.map((term) => `%${term.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`),
    ...(who === undefined ? [] : [who]),
  ];
  return db
    .prepare(`SELECT episode_id, seq, who, text FROM words WHERE ${where.join(' AND ')} ORDER BY rowid DESC LIMIT ?`)
    .all(...values, limit)
    .map((row) => hitOf(hitSchema.parse(row), terms));
}

/** Without the right to write, the index may lie behind; the events themselves are read instead. */
function scan(
  page: SearchPorts['page'],
  terms: readonly string[],
  limit: number,
  who: SearchHit['who'] | undefined,
): SearchHit[] {
  const patterns = terms.map(patternOf);
  const hits: SearchHit[] = [];
  for (let after = 0; ;) {
    const { events, last } = page(after, BATCH);
    for (const { event } of events) {
      const words = wordsOf(event.body);
      if (words === null || (who !== undefined && words.who !== who)) continue;
      if (!patterns.every((pattern) => pattern.test(words.text))) continue;
      hits.push(hitOf({ episode_id: event.episode_id, seq: event.seq, ...words }, terms));
    }
    if (last === after) return hits.reverse().slice(0, limit);
    after = last;
  }
}

/** The words of a query; what no text can hold is left out. */
function termsOf(query: string): string[] {
  const words = query
    .normalize('NFC')
    .split(/[\s\p{Cc}\p{Cs}]+/u)
    .filter((word) => word !== '')
    .map((word) => Array.from(word).slice(0, MAX_TERM).join(''));
  return [...new Set(words)].slice(0, MAX_TERMS);
}

function patternOf(term: string): RegExp {
  return new RegExp(term.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`), 'iu');
}

function hitOf(
  { episode_id: episodeId, seq, who, text }: z.infer<typeof hitSchema>,
  terms: readonly string[],
): SearchHit {
  const found = terms
    .map((term) => patternOf(term).exec(text))
    .filter((match) => match !== null)
    .sort((a, b) => a.index - b.index)[0];
  const at = found?.index ?? 0;
  const match = found?.[0] ?? '';
  // A half of a surrogate pair at a cut is left out.
  const before = text.slice(Math.max(0, at - AROUND), at).replace(/^[\uDC00-\uDFFF]/, '');
  const after = text.slice(at + match.length, at + match.length + AROUND).replace(/[\uD800-\uDBFF]$/, '');
  return { episodeId, seq, who, snippet: { before, match, after } };
}
