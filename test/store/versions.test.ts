import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { admission } from '../../src/app/dataset/admission.ts';
import { DEFAULT_SCORE_OPTIONS } from '../../src/app/score.ts';
import { scoreJob } from '../../src/app/score-job.ts';
import { EVENT_VERSION, type EventBody } from '../../src/core/event.ts';
import { reduce } from '../../src/core/reduce.ts';
import type { ScoredEpisode } from '../../src/core/scored-episode.ts';
import { backupsOf } from '../../src/store/backups.ts';
import { inspect } from '../../src/store/inspect.ts';
import { openJournal } from '../../src/store/journal.ts';
import { EVENT_VERSIONS, STORE_VERSION } from '../../src/store/schema.ts';
import { started } from '../core/event-arbitrary.ts';
import { temporaryFolder, temporaryStore } from './temporary-store.ts';
import { buildVersion, startVersion, WITH_NEW_EVENTS, WITH_NEW_TYPE, type Process } from './versions.ts';

const request: EventBody = { type: 'request_accepted', text: '  Convert it. ' };
const applause = { type: 'applauded', times: 3 };

const processes: Process[] = [];
const programs = { ours: '', withType: '', withEvents: '' };
beforeAll(async () => {
  const folder = temporaryFolder('versions');
  const [ours, withType, withEvents] = await Promise.all([
    buildVersion(join(folder, 'ours.mjs'), []),
    buildVersion(join(folder, 'with-type.mjs'), WITH_NEW_TYPE),
    buildVersion(join(folder, 'with-events.mjs'), WITH_NEW_EVENTS),
  ]);
  Object.assign(programs, { ours, withType, withEvents });
});
afterAll(() => Promise.all(processes.map(({ end }) => end())));

/** A process of this version with the store open. */
async function open(program: string, path: string): Promise<{ process: Process; told: unknown }> {
  const process = startVersion(program);
  processes.push(process);
  return { process, told: await process.ask({ do: 'open', path }) };
}

test('every version of the events is a version of the store, the last one ours', () => {
  expect(EVENT_VERSIONS.at(-1)).toBe(EVENT_VERSION);
  expect(EVENT_VERSIONS).toHaveLength(STORE_VERSION);
  expect([...EVENT_VERSIONS].sort((a, b) => a - b)).toEqual(EVENT_VERSIONS);
});

test('a newer process adds a type of event: this one shows it as skipped, goes on elsewhere, and leaves that conversation alone', async () => {
  const path = temporaryStore();
  const { process: ours } = await open(programs.ours, path);
  const { process: newer, told } = await open(programs.withType, path);
  expect(told).toMatchObject({ done: { readOnly: null } });
  await ours.ask({ do: 'append', episode: 'both', bodies: [started, request] });
  expect(await newer.ask({ do: 'append', episode: 'both', bodies: [applause] })).toEqual({ done: 1 });
  const action = { type: 'action_started', turn: 0, pid: 1 };
  expect(await newer.ask({ do: 'append', episode: 'both', bodies: [action] })).toEqual({ done: 1 });
  // The one who knows it reads it, the other one keeps its place.
  expect(await newer.ask({ do: 'look', episode: 'both' })).toEqual({
    done: { events: [started, request, applause, action], skippedEvents: 0, ignored: 0 },
  });
  expect(await ours.ask({ do: 'look', episode: 'both' })).toEqual({
    done: { events: [started, request, { type: 'newer_event', json: applause }, action], skippedEvents: 1, ignored: 0 },
  });
  // An action that is not over may be over by something that it cannot read.
  expect(await ours.ask({ do: 'recover' })).toEqual({ done: [] });
  expect(await ours.ask({ do: 'append', episode: 'mine', bodies: [started, request] })).toEqual({ done: 2 });
  expect(await newer.ask({ do: 'recover' })).toEqual({ done: ['both'] });
  for (const process of [ours, newer, ours]) {
    expect(await process.ask({ do: 'find', word: 'convert' })).toEqual({ done: ['mine', 'both'] });
  }
  expect(inspect(path)).toMatchObject({ episodes: 2, wrong: [] });
  // Nor is it scored or exported by who cannot read all of it: what was added may be that the consent is withdrawn.
  const here = openJournal(path);
  const state = reduce(here.read('both'));
  expect(admission({ ...state, consent: { scope: 'exportable', grantedAt: 1 } })).toEqual({
    consent: null,
    reason: 'newer_events',
  });
  const run = { journal: here, connect: () => Promise.reject(new Error('asked')), remote: false };
  const rest = { options: DEFAULT_SCORE_OPTIONS, signal: new AbortController().signal, onConnected: () => undefined };
  await expect(scoreJob('both', { ...run, ...rest })).rejects.toMatchObject({ reason: 'newer_events' });
  here.close();
});

test('a newer process that reads events otherwise updates the store: a copy first, the older one only reads, nothing is reused that was computed before', async () => {
  const path = temporaryStore();
  const { process: ours } = await open(programs.ours, path);
  await ours.ask({ do: 'append', episode: 'e', bodies: [started, request] });
  const here = openJournal(path);
  here.queue.wish({ episodeId: 'e', scorer: 'scorer', optionsKey: 'options', actions: 2 });
  here.queue.wish({ episodeId: 'scored', scorer: 'scorer', optionsKey: 'options', actions: 2 });
  here.putScored('scored', 'identity', 'options', scored);
  here.putScore('tokens', [-0.5]);
  const first = here.queue.claim('me', 'scorer', 'options', 1000, 'scored');
  if (first !== null) here.queue.finish('me', first, 'identity');
  expect(here.queue.stateOf('scored', 'scorer', 'options')?.state).toBe('scored');
  expect(await ours.ask({ do: 'claim' })).toEqual({ done: 'e' });

  const { process: newer, told } = await open(programs.withEvents, path);
  expect(told).toEqual({ done: { readOnly: null, knows: EVENT_VERSION + 1 } });
  expect(backupsOf(path)).toHaveLength(1);
  expect(backupsOf(path)[0]).toMatch(new RegExp(`\\.v${STORE_VERSION}$`));
  expect(await newer.ask({ do: 'look', episode: 'e' })).toMatchObject({
    done: { events: [started, { ...request, text: 'Convert it.' }] },
  });
  expect(await newer.ask({ do: 'append', episode: 'e', bodies: [{ type: 'consent_set', scope: 'excluded' }] })).toEqual(
    { done: 1 },
  );

  // What the older process holds is not its any more, and nothing that it writes gets in.
  for (const order of [
    { do: 'append', episode: 'e', bodies: [{ type: 'episode_closed' }] },
    { do: 'append', episode: 'another', bodies: [started] },
    { do: 'finish' },
    { do: 'claim' },
    { do: 'memo' },
  ]) {
    expect([order, await ours.ask(order)]).toEqual([order, { refused: 'newer_store' }]);
  }
  // What it can read it still shows, the new event as skipped, and it finds words without touching the index.
  expect(await ours.ask({ do: 'look', episode: 'e' })).toMatchObject({ done: { skippedEvents: 1 } });
  expect(await ours.ask({ do: 'find', word: 'convert' })).toEqual({ done: ['e'] });
  expect((await open(programs.ours, path)).told).toMatchObject({
    done: { readOnly: expect.stringMatching(/newer Turnwise.*reload the window/) as unknown },
  });

  // Scores of episodes are gone with the reading that they were made of; log-probs of tokens are true whatever is read.
  expect(here.getScored('scored', 'identity', 'options')).toBeNull();
  expect(here.getScore('tokens')).toEqual([-0.5]);
  expect(here.queue.stateOf('scored', 'scorer', 'options')).toMatchObject({ state: 'stale', done: 0 });
  expect(await newer.ask({ do: 'claim' })).toEqual({ done: 'e' });
  expect(await newer.ask({ do: 'finish' })).toEqual({ done: true });
  expect(await newer.ask({ do: 'claim' })).toEqual({ done: 'scored' });
  expect(await newer.ask({ do: 'find', word: 'convert' })).toEqual({ done: ['e'] });
  here.close();
});

const scored: ScoredEpisode = {
  schema: 'turnwise-score/1',
  episode_id: 'scored',
  group_id: 'g',
  outcome: null,
  scorer: { id: 's', revision: null, tokenizer_sha: null, template_sha: null, backend: 'b', version: null },
  placebo: null,
  options: { estimator: 'shift_mean', clip: null, placeholder: 'x', mask_mode: 'natural', seed: 0, noise: 0 },
  tokens_evaluated: null,
  tokens_limit: 0,
  turns: [],
};
