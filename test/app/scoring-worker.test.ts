import { expect, test, vi } from 'vitest';
import { Review } from '../../src/app/review.ts';
import { DEFAULT_SCORE_OPTIONS, scoreTranscripts } from '../../src/app/score.ts';
import { ScoringWorker, type ScoringChoice, type ScoringPorts } from '../../src/app/scoring-worker.ts';
import type { Backend } from '../../src/core/backend.ts';
import { TurnwiseError } from '../../src/core/error.ts';
import type { EventBody } from '../../src/core/event.ts';
import { reduce } from '../../src/core/reduce.ts';
import { toTranscript } from '../../src/core/to-transcript.ts';
import { openJournal, type Journal } from '../../src/store/journal.ts';
import { generationOf, started } from '../core/event-arbitrary.ts';
import { temporaryStore } from '../store/temporary-store.ts';
import { letterBackend } from './letter-backend.ts';

const choice: ScoringChoice = { enabled: true, scorer: 'letters', remote: false, options: DEFAULT_SCORE_OPTIONS };

interface Shop {
  readonly journal: Journal;
  readonly worker: ScoringWorker;
  readonly review: Review;
  readonly errors: unknown[];
}

function shop(backend: () => Promise<Backend>, extra: Partial<ScoringPorts> = {}): Shop {
  const journal = extra.journal ?? openJournal(temporaryStore());
  const errors: unknown[] = [];
  const worker: ScoringWorker = new ScoringWorker({
    journal,
    connect: backend,
    options: () => choice,
    busy: () => false,
    open: () => null,
    onChange: () => {
      review.refresh();
    },
    onError: (error) => void errors.push(error),
    ...extra,
  });
  const review: Review = new Review({ journal, options: () => choice.options, progressOf: (id) => worker.stateOf(id) });
  return { journal, worker, review, errors };
}

function turn(index: number, reply: string | null): EventBody[] {
  const generation = generationOf(`Question ${index}?`, { ids: null, logprobs: null });
  return [
    { type: 'action_started', turn: index, pid: 1 },
    { type: 'action_asked', turn: index, question: `Question ${index}?`, options: [], generation },
    ...(reply === null
      ? []
      : [
          {
            type: 'observed',
            turn: index,
            kind: 'typed',
            text: reply,
            options_shown: [],
            option: null,
            latency_ms: null,
          } as const,
        ]),
  ];
}

const talk = (id: string, journal: Journal, ...bodies: EventBody[]): void => {
  journal.append(id, bodies);
};
const opening: EventBody[] = [
  { ...started, max_turns: 9 },
  { type: 'request_accepted', text: 'Convert it.' },
];
const stateOf = (journal: Journal, id: string) => reduce(journal.read(id));
const scored = ({ worker }: Shop, id: string): Promise<void> =>
  vi.waitFor(() => {
    expect(worker.stateOf(id)?.state).toBe('scored');
  });

test('nothing is asked of a scorer before an action has a next one', async () => {
  const connect = vi.fn(() => Promise.resolve<Backend>(letterBackend()));
  const use = shop(connect);
  talk('e', use.journal, ...opening, ...turn(0, 'metres'));
  use.worker.wish(stateOf(use.journal, 'e'));
  await use.worker.dispose();
  expect(connect).not.toHaveBeenCalled();
});

test('turn by turn gives the gains of scoring it all at once, and no turn is sent twice', async () => {
  const backend = letterBackend();
  const use = shop(() => Promise.resolve(backend));
  talk('e', use.journal, ...opening, ...turn(0, 'metres'), ...turn(1, 'two decimals'));
  use.worker.wish(stateOf(use.journal, 'e'));
  await scored(use, 'e');
  const first = use.review.episode('e');
  expect(first.turns[0]?.gain).not.toBeNull();
  expect(first.turns[1]).toMatchObject({ gain: null, why: 'waits for the next action', mark: '…' });

  talk('e', use.journal, ...turn(2, null));
  use.worker.wish(stateOf(use.journal, 'e'));
  expect(use.review.episode('e').turns[1]?.pending).toBe(true);
  await scored(use, 'e');
  expect(backend.scored.map((sequences) => sequences.length)).toEqual([2, 2]);

  const whole = [];
  const run = { backend: letterBackend(), options: choice.options };
  for await (const row of scoreTranscripts([toTranscript(stateOf(use.journal, 'e'))], run)) whole.push(row);
  const live = use.review.episode('e').turns.map(({ gain, mean }) => [gain, mean]);
  expect(live).toEqual(whole[0]?.turns.map(({ gain, gain_sum }) => [gain_sum, gain]));
  await use.worker.dispose();
});

test('while the agent speaks no job is begun', async () => {
  let speaking = true;
  const use = shop(() => Promise.resolve(letterBackend()), { busy: () => speaking });
  talk('e', use.journal, ...opening, ...turn(0, 'metres'), ...turn(1, null));
  use.worker.wish(stateOf(use.journal, 'e'));
  expect(use.worker.stateOf('e')?.state).toBe('queued');
  speaking = false;
  use.worker.kick();
  await scored(use, 'e');
  await use.worker.dispose();
});

test('a scorer that cannot is a reason in words, and asking again tries again', async () => {
  let able = false;
  const use = shop(() =>
    able
      ? Promise.resolve(letterBackend())
      : Promise.reject(new TurnwiseError('unsupported', 'engine_missing', 'There is no engine here; install it.')),
  );
  talk('e', use.journal, ...opening, ...turn(0, 'metres'), ...turn(1, null));
  use.worker.wish(stateOf(use.journal, 'e'));
  await vi.waitFor(() => {
    expect(use.worker.stateOf('e')?.state).toBe('failed');
  });
  expect(use.review.episode('e').turns[0]?.why).toBe('not scored: There is no engine here; install it.');
  able = true;
  use.worker.wish(stateOf(use.journal, 'e'), { again: true });
  await scored(use, 'e');
  await use.worker.dispose();
});

test('a server that fails once is tried again later, and the queue goes on meanwhile', async () => {
  const failing: Backend = letterBackend({
    score: (sequences) =>
      sequences.length > 2
        ? Promise.reject(new TurnwiseError('backend', 'http_500', 'It broke.'))
        : Promise.resolve({
            logprobs: sequences.map(({ from, to }) => Array.from({ length: to - from }, () => -1)),
            tokensEvaluated: 0,
            tokensReused: 0,
          }),
  });
  const use = shop(() => Promise.resolve(failing));
  talk('long', use.journal, ...opening, ...turn(0, 'metres'), ...turn(1, 'two'), ...turn(2, null));
  talk('short', use.journal, ...opening, ...turn(0, 'metres'), ...turn(1, null));
  use.worker.wish(stateOf(use.journal, 'long'));
  use.worker.wish(stateOf(use.journal, 'short'));
  await scored(use, 'short');
  await vi.waitFor(() => {
    expect(use.worker.stateOf('long')).toMatchObject({ state: 'queued', message: 'It broke.' });
  });
  expect(use.errors).toHaveLength(1);
  await use.worker.dispose();
});

test('what may not leave this machine is not sent to another', async () => {
  const connect = vi.fn(() => Promise.resolve<Backend>(letterBackend()));
  const use = shop(connect, { options: () => ({ ...choice, remote: true }) });
  const [, request] = opening as [EventBody, EventBody];
  talk('e', use.journal, { ...started, source: 'real_developer' }, request, ...turn(0, 'metres'), ...turn(1, null));
  use.worker.wish(stateOf(use.journal, 'e'));
  await vi.waitFor(() => {
    expect(use.worker.stateOf('e')).toMatchObject({ state: 'failed', reason: 'consent_forbids' });
  });
  expect(connect).not.toHaveBeenCalled();
  talk('simulated', use.journal, { ...started, source: 'simulated' }, request, ...turn(0, 'm'), ...turn(1, null));
  use.worker.wish(stateOf(use.journal, 'simulated'));
  await scored(use, 'simulated');
  talk('e', use.journal, { type: 'consent_set', scope: 'exportable' });
  use.worker.wish(stateOf(use.journal, 'e'));
  await scored(use, 'e');
  await use.worker.dispose();
});

test('two windows on one store: every episode is scored by one of them', async () => {
  const path = temporaryStore();
  const backends = [letterBackend(), letterBackend()];
  const [one, two] = backends.map((backend) => shop(() => Promise.resolve(backend), { journal: openJournal(path) }));
  if (!one || !two) throw new Error('Two shops were opened.');
  const ids = Array.from({ length: 8 }, (_, at) => `e${at}`);
  for (const id of ids) talk(id, one.journal, ...opening, ...turn(0, `reply ${id}`), ...turn(1, null));
  for (const id of ids) {
    one.worker.wish(stateOf(one.journal, id));
    two.worker.wish(stateOf(two.journal, id));
  }
  for (const id of ids) await scored(one, id);
  const requests = backends.flatMap(({ scored: calls }) => calls.map((sequences) => JSON.stringify(sequences[0]?.ids)));
  expect(new Set(requests).size).toBe(ids.length);
  expect(requests).toHaveLength(ids.length);
  await Promise.all([one.worker.dispose(), two.worker.dispose()]);
});

test('a store that cannot be written costs the score, not the caller', async () => {
  const path = temporaryStore();
  const writer = openJournal(path);
  talk('e', writer, ...opening, ...turn(0, 'metres'), ...turn(1, null));
  const use = shop(() => Promise.resolve(letterBackend()), { journal: openJournal(path, { readOnly: true }) });
  use.worker.wish(stateOf(writer, 'e'));
  expect(use.errors).not.toHaveLength(0);
  await use.worker.dispose();
});
