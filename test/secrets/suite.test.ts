import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openParquet } from '../../src/app/dataset/read-parquet.ts';
import { exportDataset } from '../../src/app/export.ts';
import { DEFAULT_SCORE_OPTIONS } from '../../src/app/score.ts';
import { scoreStore } from '../../src/app/score-store.ts';
import { knownValues } from '../../src/app/secret-values.ts';
import { openChat } from '../../src/backends/chat.ts';
import { openJsonClient } from '../../src/backends/json-client.ts';
import { errorText, TurnwiseError } from '../../src/core/error.ts';
import type { KnownValue } from '../../src/core/secrets/find.ts';
import { loggable } from '../../src/core/secrets/redactor.ts';
import { openJournal, type Journal } from '../../src/store/journal.ts';
import { letterBackend } from '../app/letter-backend.ts';
import { temporaryFolder } from '../store/temporary-store.ts';
import { EARLIER } from './earlier-kinds.ts';
import { HELD_OUT } from './held-out-kinds.ts';
import { KINDS } from './kinds.ts';
import { knownKinds, PLACE_OF_WORK, plant, plantedEvents, tells, type Planted } from './plant.ts';

const SEED = process.env['SECRETS_SEED'] ?? 'turnwise';
/** Share of a held-out kind's secrets that may be missed. */
const TOLERATED = 0.05;
/** Kinds that name a person or a place: a message on the screen may hold them, a log may not. */
const PERSONAL = new Set(['email', 'home-path', 'user', 'host', 'home', 'git-email']);

const folder = temporaryFolder('secrets');
const out = join(folder, 'out');
let journal: Journal;
let known: KnownValue[];
/** Kinds with a form of their own, or with a value that is known here: none may be missed. */
let planted: Planted[];
const heldOut = plant(HELD_OUT, 20, SEED);
const earlier = plant(EARLIER, 3, SEED);
const everything = (): Planted[] => [...planted, ...heldOut, ...earlier];

beforeAll(async () => {
  mkdirSync(join(folder, 'workspace', '.git'), { recursive: true });
  const env = Array.from({ length: 12 }, (_, n) => `PHRASE_${n}="violet harbour ${n} at noon"`);
  writeFileSync(join(folder, 'workspace', '.env'), `# ours\nPORT=3000\nNODE_ENV=production\n${env.join('\n')}\n`);
  writeFileSync(join(folder, 'workspace', '.git', 'config'), '[user]\n\temail = magda.k@kowalska.dev\n');
  known = knownValues([join(folder, 'workspace')], PLACE_OF_WORK);
  planted = plant([...KINDS, ...knownKinds(known)], 13, SEED);
  journal = openJournal(join(folder, 'store.db'));
  everything().forEach((one, at) => {
    journal.append(idOf(at), plantedEvents(one));
  });
  const scoredOf = await scoreStore({
    journal,
    backend: letterBackend(),
    options: DEFAULT_SCORE_OPTIONS,
    wanted: ({ id }) => id.endsWith('0'),
  });
  const summary = await exportDataset({ journal, scoredOf, known, out, salt: 'same' });
  expect([...summary.refused]).toEqual([]);
}, 300_000);
afterAll(() => {
  journal.close();
});

const idOf = (at: number): string => `e${String(at).padStart(5, '0')}`;

/** The kinds of those that a text still tells, and how many of how many. */
function misses(
  all: readonly Planted[],
  textOf: (one: Planted) => string,
): Map<string, { missed: number; of: number }> {
  const table = new Map<string, { missed: number; of: number }>();
  for (const one of all) {
    const row = table.get(one.kind) ?? { missed: 0, of: 0 };
    table.set(one.kind, { missed: row.missed + (tells(textOf(one), one) ? 1 : 0), of: row.of + 1 });
  }
  return table;
}

const missedKinds = (table: ReturnType<typeof misses>): string[] =>
  [...table].filter(([, { missed }]) => missed > 0).map(([kind, { missed, of }]) => `${kind}: ${missed} of ${of}`);

describe('an export', () => {
  /** What a reader of the dataset learns of one episode, from all of its files. */
  const told = new Map<string, string>();
  beforeAll(async () => {
    for (const file of ['episodes/train.parquet', 'turns/train.parquet']) {
      for await (const row of (await openParquet(join(out, file))).rows()) note(row);
    }
    for (const line of readFileSync(join(out, 'episodes/train.jsonl'), 'utf8').trimEnd().split('\n')) {
      note(JSON.parse(line));
    }
  });
  function note(row: unknown): void {
    const id = String(Reflect.get(Object(row), 'episode_id'));
    // As it is written and as it is read.
    const strings: string[] = [];
    JSON.stringify(row, (_key, value: unknown) => {
      if (typeof value === 'string') strings.push(value);
      return value;
    });
    told.set(id, `${told.get(id) ?? ''}\n${strings.join('\n')}\n${JSON.stringify(row)}`);
  }
  const textOf = (one: Planted): string => told.get(idOf(everything().indexOf(one))) ?? expect.fail('not exported');

  test('holds none of the planted secrets; of held-out kinds one in twenty at most', () => {
    const structured = misses(planted, textOf);
    const unseen = misses(heldOut, textOf);
    const seen = misses(earlier, textOf);
    const rows = (title: string, table: typeof structured): string[] =>
      [...table].map(
        ([kind, { missed, of }]) =>
          `${title.padEnd(12)}${kind.padEnd(22)}${String(missed).padStart(4)} /${String(of).padStart(3)}`,
      );
    console.log(
      [
        `seed ${SEED}: missed / planted`,
        ...rows('', structured),
        ...rows('held out', unseen),
        ...rows('earlier', seen),
      ].join('\n'),
    );
    expect(planted.length).toBeGreaterThanOrEqual(500);
    expect(new Set(planted.map(({ kind }) => kind)).size).toBeGreaterThanOrEqual(25);
    const encoded = everything().filter(({ form }) => form !== 'plain').length / everything().length;
    expect(encoded).toBeGreaterThan(0.15);
    expect(missedKinds(structured)).toEqual([]);
    for (const [kind, { missed, of }] of unseen) expect(missed / of, kind).toBeLessThanOrEqual(TOLERATED);
    const all = [...unseen, ...seen].reduce((sum, [, { missed }]) => sum + missed, 0);
    expect(all / (heldOut.length + earlier.length)).toBeLessThanOrEqual(TOLERATED / 2);
  });

  test('a planted secret is there before it is replaced, so that the search can fail', () => {
    const before = misses(planted, ({ said }) => said.join('\n'));
    const unseen = [...before].filter(([, { missed, of }]) => missed < of * 0.7).map(([kind]) => kind);
    expect(unseen).toEqual([]);
  });

  test('what goes with the rows holds none either, and a placeholder leads to nothing', () => {
    const files = readdirSync(out).filter((name) => /\.(?:md|json)$/.test(name));
    const text = files.map((name) => readFileSync(join(out, name), 'utf8')).join('\n');
    expect(everything().filter((one) => tells(text, one))).toEqual([]);
    const placeholders = [...told.values()].flatMap((row) => row.match(/<redacted:[^>]*>/g) ?? []);
    expect(placeholders.length).toBeGreaterThan(500);
    expect(placeholders.filter((one) => !/^<redacted:[a-z-]+:\d{1,4}>$/.test(one))).toEqual([]);
  });
});

test('the caches of the store hold none: only the conversation itself does', () => {
  const db = new DatabaseSync(join(folder, 'store.db'), { readOnly: true });
  const tables = ['score', 'scored', 'score_job', 'calibration', 'memo'];
  const text = tables.map((table) => JSON.stringify(db.prepare(`SELECT * FROM ${table}`).all())).join('\n');
  db.close();
  expect(text.length).toBeGreaterThan(10_000);
  expect(
    everything()
      .filter((one) => tells(text, one))
      .map(({ kind }) => kind),
  ).toEqual([]);
});

test('what the command line tells and the engine logs holds none', () => {
  const lines = everything().filter(({ kind, form }) => form !== 'split' && !PERSONAL.has(kind) && kind !== 'env');
  const input = lines.map(({ said }) => `${JSON.stringify(`it failed: ${said[0] ?? ''}`)}\n`).join('');
  const { stderr, status } = spawnSync(process.execPath, [join(import.meta.dirname, 'log-child.ts')], {
    input,
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  expect(stderr.split('turnwise engine: it failed').length).toBe(lines.length + 1);
  expectFew(lines.filter((one) => tells(stderr, one)));
});

test('the log of the extension holds none, nor the name of anybody or anything here', () => {
  const lines = everything().filter(({ form }) => form !== 'split');
  expectFew(lines.filter((one) => tells(loggable(one.said[0] ?? '', 'all', known), one)));
});

test('errors are born without them, and diagnostics tell what a server says without them', async () => {
  const lines = everything().filter(({ kind, form }) => form !== 'split' && !PERSONAL.has(kind) && kind !== 'env');
  let words = '';
  const server = createServer((_request, response) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: words } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const client = openJsonClient({ name: 'The server', url, key: 'correct horse battery' });
  const leaks: Planted[] = [];
  try {
    for (const one of lines) {
      words = `bad key correct horse battery in ${one.said[0] ?? ''}`;
      const thrown = await client.get('/models', expect as never).catch((error: unknown) => error);
      const texts = [new TurnwiseError('backend', 'x', words).message, errorText(new Error(words)), errorText(thrown)];
      expect(texts[2]).not.toContain('correct horse');
      if (tells(texts.join('\n'), one)) leaks.push(one);
    }
    const chat = openChat({ name: 'The server', url, apiKey: 'correct horse battery', model: 'm' });
    const sampling = { temperature: 1, top_p: 1, top_k: null, seed: null, max_tokens: 5 };
    for await (const event of chat.stream([{ role: 'user', content: 'hi' }], { sampling })) {
      expect(JSON.stringify(event)).not.toContain('correct horse');
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
  expectFew(leaks);
});

/** None of a kind with a form; of the others as few as an export may miss. */
function expectFew(leaks: readonly Planted[]): void {
  expect(leaks.filter((one) => planted.includes(one)).map(({ kind, form }) => `${kind}, ${form}`)).toEqual([]);
  expect(leaks.length).toBeLessThanOrEqual((TOLERATED / 2) * (heldOut.length + earlier.length));
}
