import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_SCORE_OPTIONS } from '../../src/app/score.ts';
import { ScoringWorker } from '../../src/app/scoring-worker.ts';
import { StoreWatch } from '../../src/app/store-watch.ts';
import { openJournal } from '../../src/store/journal.ts';
import { letterBackend, letterFacts } from './letter-backend.ts';

// Started by workers.test.ts: a worker process on a store with a slow scorer, `atOnce` jobs side by side. Every request and
// every end is said on stdout, one write each, so that a kill loses no line that was begun. Ends when nothing is left to do.
const [, , path = '', leaseMs = '1000', atOnce = '1'] = process.argv;
const say = (line: string): void => void writeSync(1, `${line}\n`);
const journal = openJournal(path);
const letters = letterBackend({
  facts: () =>
    Promise.resolve({
      ...letterFacts,
      capabilities: { ...letterFacts.capabilities, concurrency: Number(atOnce) },
    }),
});
const backend = letterBackend({
  facts: (signal) => letters.facts(signal),
  score: async (sequences, request) => {
    for (const { ids, from, to } of sequences) say(`asked ${from}-${to} ${ids.join(',')}`);
    await sleep(20 + (process.pid % 7) * 5);
    return letters.score(sequences, request);
  },
});
const worker = new ScoringWorker({
  journal,
  connect: () => Promise.resolve(backend),
  options: () => ({ enabled: true, scorer: 'letters', remote: false, options: DEFAULT_SCORE_OPTIONS }),
  busy: () => false,
  open: () => null,
  onChange: () => undefined,
  onError: (error) => {
    say(`error ${String(error)}`);
  },
  onJob: ({ episodeId, outcome }) => {
    say(`${outcome} ${episodeId}`);
  },
  leaseMs: Number(leaseMs),
});
new StoreWatch(journal, worker, { remote: false }).look();
say('ready');
while (worker.unsettled || journal.queue.jobs().some(({ state }) => state !== 'scored')) {
  worker.kick();
  await sleep(10);
}
await worker.dispose();
journal.close();
