import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/app/demo/random.ts';
import { DEFAULT_SCORE_OPTIONS, scoreTranscripts } from '../../src/app/score.ts';
import { scoreKeys } from '../../src/app/score-store.ts';
import type { EventBody } from '../../src/core/event.ts';
import { reduce } from '../../src/core/reduce.ts';
import { toTranscript } from '../../src/core/to-transcript.ts';
import { openJournal, type Journal } from '../../src/store/journal.ts';
import { generationOf, started } from '../core/event-arbitrary.ts';
import { temporaryStore } from '../store/temporary-store.ts';
import { letterBackend, letterFacts } from './letter-backend.ts';

const SCRIPT = fileURLToPath(new URL('worker-child.ts', import.meta.url));

interface Worker {
  readonly lines: string[];
  /** Settles with the signal that ended it, or null where it ended by itself. */
  readonly ended: Promise<unknown>;
  kill(): void;
}

function startWorker(
  path: string,
  leaseMs: number,
  atOnce: number,
  onLine: (line: string) => void = () => undefined,
): Worker {
  const child = spawn(process.execPath, [SCRIPT, path, `${leaseMs}`, `${atOnce}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    onLine(line);
  });
  const read = once(reader, 'close');
  const ended = once(child, 'close').then(async ([, signal]) => {
    await read;
    return signal as unknown;
  });
  return { lines, ended, kill: () => child.kill('SIGKILL') };
}

function converse(journal: Journal, count: number): string[] {
  const ids = Array.from({ length: count }, (_, at) => `episode-${at}`);
  for (const [at, id] of ids.entries()) {
    const asked = (turn: number): EventBody[] => [
      { type: 'action_started', turn, pid: 1 },
      {
        type: 'action_asked',
        turn,
        question: `Question ${at}.${turn}?`,
        options: [],
        generation: generationOf(`Question ${at}.${turn}?`, { ids: null, logprobs: null }),
      },
    ];
    const reply: EventBody = {
      type: 'observed',
      turn: 0,
      kind: 'typed',
      text: `reply ${at}`,
      options_shown: [],
      option: null,
      latency_ms: null,
    };
    journal.append(id, [started, { type: 'request_accepted', text: `Do ${at}.` }, ...asked(0), reply, ...asked(1)]);
  }
  return ids;
}

/** The gains that scoring them here and now gives. */
async function expectedGains(journal: Journal, ids: readonly string[]): Promise<(number | null)[][]> {
  const transcripts = ids.map((id) => toTranscript(reduce(journal.read(id))));
  const gains: (number | null)[][] = [];
  for await (const { turns } of scoreTranscripts(transcripts, {
    backend: letterBackend(),
    options: DEFAULT_SCORE_OPTIONS,
  })) {
    gains.push(turns.map(({ gain }) => gain));
  }
  return gains;
}

async function expectAllScored(journal: Journal, ids: readonly string[]): Promise<void> {
  const { scorerKey, optionsKey } = scoreKeys(letterFacts.identity, DEFAULT_SCORE_OPTIONS);
  const rows = journal.listScored(scorerKey, optionsKey);
  // One row each, none besides, and each is what the scorer gives.
  expect(rows.map(({ episode_id }) => episode_id).sort()).toEqual([...ids].sort());
  const kept = ids.map((id) => journal.getScored(id, scorerKey, optionsKey)?.turns.map(({ gain }) => gain));
  expect(kept).toEqual(await expectedGains(journal, ids));
  expect(new Set(journal.queue.jobs().map(({ state }) => state))).toEqual(new Set(['scored']));
}

const withWord = (workers: readonly Worker[], word: string): string[] =>
  workers.flatMap(({ lines }) => lines.filter((line) => line.startsWith(`${word} `)));

test('three processes on one store: every job is scored once, and no sequence is asked for twice', async () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  const ids = converse(journal, 40);
  const workers = [1, 2, 4].map((atOnce) => startWorker(path, 10_000, atOnce));
  expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual([null, null, null]);
  expect(withWord(workers, 'error')).toEqual([]);
  expect(withWord(workers, 'scored').sort()).toEqual(ids.map((id) => `scored ${id}`).sort());
  const asked = withWord(workers, 'asked');
  expect(asked).toHaveLength(2 * ids.length);
  expect(new Set(asked).size).toBe(asked.length);
  // All of them had a share, else this shows nothing.
  for (const { lines } of workers) expect(lines.some((line) => line.startsWith('scored'))).toBe(true);
  await expectAllScored(journal, ids);
  journal.close();
});

test.each([1, 2])(
  'workers that are killed in the middle of their jobs, seed %i: in the end each is scored once, and nothing is invented',
  async (seed) => {
    const random = seededRandom(`kill ${seed}`);
    const path = temporaryStore();
    const journal = openJournal(path);
    const ids = converse(journal, 24);
    const workers: Worker[] = [];
    let kills = 0;
    while (kills < 5) {
      // In the middle of the job of a random request.
      let left = 1 + Math.floor(random() * 6);
      const worker = startWorker(path, 300, 2, (line) => {
        if (line.startsWith('asked') && --left === 0) worker.kill();
      });
      workers.push(worker);
      if ((await worker.ended) === null) break;
      kills += 1;
    }
    expect(kills).toBeGreaterThan(2);
    const last = startWorker(path, 300, 2);
    workers.push(last);
    expect(await last.ended).toBeNull();
    expect(withWord(workers, 'error')).toEqual([]);
    const scored = withWord(workers, 'scored');
    // A kill between the commit and the word loses the word, so there may be fewer; never the same twice.
    expect(new Set(scored).size).toBe(scored.length);
    await expectAllScored(journal, ids);
    journal.close();
  },
);
