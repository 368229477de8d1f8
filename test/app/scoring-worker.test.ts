import { expect, test, vi } from 'vitest';
import { scoreOptionsKey } from '../../src/app/cached-scorer.ts';
import { Review } from '../../src/app/review.ts';
import { scoreKeys } from '../../src/app/score-store.ts';
import { DEFAULT_SCORE_OPTIONS, scoreTranscripts } from '../../src/app/score.ts';
import { scorerMemo, ScoringWorker, type ScoringChoice, type ScoringPorts } from '../../src/app/scoring-worker.ts';
import type { Backend } from '../../src/core/backend.ts';
import { TurnwiseError } from '../../src/core/error.ts';
import type { EventBody } from '../../src/core/event.ts';
import { reduce } from '../../src/core/reduce.ts';
import { toTranscript } from '../../src/core/to-transcript.ts';
import { openJournal, type Journal } from '../../src/store/journal.ts';
import { generationOf, started } from '../core/event-arbitrary.ts';
import { temporaryStore } from '../store/temporary-store.ts';
import { eventually } from '../eventually.ts';
import { letterBackend, letterFacts } from './letter-backend.ts';

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
  eventually(() => {
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
  await eventually(() => {
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
  await eventually(() => {
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
  await eventually(() => {
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

/** A scorer that answers when told to, and says how many it is asked at once. */
function slowBackend(concurrency: number): { readonly backend: Backend; readonly peak: () => number; open(): void } {
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const letters = letterBackend();
  let now = 0;
  let peak = 0;
  const backend: Backend = {
    ...letters,
    facts: async () => {
      const facts = await letters.facts();
      return { ...facts, capabilities: { ...facts.capabilities, concurrency } };
    },
    score: async (sequences, request) => {
      now += 1;
      peak = Math.max(peak, now);
      const aborted = new Promise<never>((_, reject) => {
        request?.signal?.addEventListener('abort', () => {
          reject(new TurnwiseError('backend', 'aborted', 'Given up.'));
        });
      });
      try {
        await Promise.race([gate, aborted]);
        return await letters.score(sequences, request);
      } finally {
        now -= 1;
      }
    },
  };
  return {
    backend,
    peak: () => peak,
    open: () => {
      open();
    },
  };
}

function talkMany(use: Shop, count: number): string[] {
  const ids = Array.from({ length: count }, (_, at) => `e${at}`);
  for (const id of ids) talk(id, use.journal, ...opening, ...turn(0, `reply ${id}`), ...turn(1, null));
  for (const id of ids) use.worker.wish(stateOf(use.journal, id));
  return ids;
}

test.each([
  [1, 1],
  [4, 4],
])('a scorer that takes %i at once is asked for %i side by side', async (concurrency, atOnce) => {
  const slow = slowBackend(concurrency);
  const use = shop(() => Promise.resolve(slow.backend));
  const ids = talkMany(use, 6);
  await eventually(() => {
    const scoring = ids.filter((id) => use.worker.stateOf(id)?.state === 'scoring');
    expect(scoring).toHaveLength(atOnce);
    expect(slow.peak()).toBe(atOnce);
  });
  slow.open();
  for (const id of ids) await scored(use, id);
  expect(slow.peak()).toBe(atOnce);
  await use.worker.dispose();
});

test('a scorer that shares nothing with the chat does not wait for it', async () => {
  const use = shop(() => Promise.resolve(letterBackend()), {
    busy: () => true,
    options: () => ({ ...choice, yields: false }),
  });
  talkMany(use, 1);
  await scored(use, 'e0');
  await use.worker.dispose();
});

test('a pause or a cancel ends what runs; nothing of it is kept, and a resume begins it again', async () => {
  const slow = slowBackend(2);
  const use = shop(() => Promise.resolve(slow.backend), { leaseMs: 300 });
  const [one = '', two = ''] = talkMany(use, 2);
  await eventually(() => {
    expect(slow.peak()).toBe(2);
  });
  const desk = openJournal(use.journal.path).queue;
  desk.cancel(one);
  desk.pause();
  await eventually(() => {
    expect([one, two].map((id) => use.worker.stateOf(id)?.state)).toEqual(['cancelled', 'queued']);
  });
  slow.open();
  expect(use.review.episode(two).turns[0]?.gain).toBeNull();
  desk.resume();
  use.worker.kick();
  await scored(use, two);
  expect(use.worker.stateOf(one)).toMatchObject({ state: 'cancelled', done: 0 });
  expect(use.review.episode(one).turns[0]?.why).toBe('cancelled; Score Now asks for it again');
  expect(use.errors).toEqual([]);
  await use.worker.dispose();
});

test.each([
  ['unauthorized', 'backend', 'failed'],
  ['unknown_model', 'backend', 'failed'],
  ['tokenizer_mismatch', 'protocol', 'failed'],
  ['hung', 'backend', 'queued'],
  ['connection_lost', 'backend', 'queued'],
] as const)('%s is a state of its episode, and the queue goes on', async (reason, fault, state) => {
  const letters = letterBackend();
  const backend = letterBackend({
    score: (sequences, request) =>
      sequences.length > 2
        ? Promise.reject(new TurnwiseError(fault, reason, 'So it was.'))
        : letters.score(sequences, request),
  });
  const use = shop(() => Promise.resolve(backend));
  talk('bad', use.journal, ...opening, ...turn(0, 'metres'), ...turn(1, 'two'), ...turn(2, null));
  use.worker.wish(stateOf(use.journal, 'bad'));
  talkMany(use, 2);
  await scored(use, 'e0');
  await scored(use, 'e1');
  expect(use.worker.stateOf('bad')).toMatchObject({ state, reason, message: 'So it was.' });
  await use.worker.dispose();
});

test('a scorer of another revision outdates its earlier scores, and scores them again; both are kept', async () => {
  let revision = 'r1';
  const letters = letterBackend();
  const connect = (): Promise<Backend> => {
    const now = revision;
    const facts = async () => {
      const known = await letters.facts();
      return { ...known, identity: { ...known.identity, revision: now } };
    };
    return Promise.resolve({ ...letters, facts });
  };
  const use = shop(connect);
  const [id = ''] = talkMany(use, 1);
  await scored(use, id);
  revision = 'r2';
  talk('new', use.journal, ...opening, ...turn(0, 'metres'), ...turn(1, null));
  use.worker.wish(stateOf(use.journal, 'new'));
  await eventually(() => {
    const kept = use.journal.newestScored(scoreOptionsKey(choice.options)).map(({ scorer }) => scorer.revision);
    expect(kept).toEqual(['r2', 'r2']);
  });
  const first = scoreKeys({ ...letterFacts.identity, revision: 'r1' }, choice.options);
  expect(use.journal.getScored(id, first.scorerKey, first.optionsKey)?.scorer.revision).toBe('r1');
  await use.worker.dispose();
});

test('other options make earlier scores stale; they are scored again after what has none', async () => {
  let options = choice.options;
  const slow = slowBackend(1);
  const use = shop(() => Promise.resolve(slow.backend), { options: () => ({ ...choice, options }) });
  slow.open();
  const [id = ''] = talkMany(use, 1);
  await scored(use, id);
  use.journal.queue.pause();
  options = { ...options, estimator: 'shift_sum' };
  use.worker.kick();
  expect(use.worker.stateOf(id)?.state).toBe('stale');
  const review = new Review({
    journal: use.journal,
    options: () => options,
    progressOf: (episode) => use.worker.stateOf(episode),
    scorerKey: () => use.journal.memo.get(scorerMemo(choice.scorer)),
  });
  const before = review.episode(id);
  expect(before.scoredBy).toEqual({ name: 'letters on letters', stale: true });
  expect(before.turns[0]?.gain).not.toBeNull();
  use.journal.queue.resume();
  use.worker.kick();
  await scored(use, id);
  review.refresh();
  expect(review.episode(id).scoredBy?.stale).toBe(false);
  expect(use.journal.scorings()).toHaveLength(2);
  await use.worker.dispose();
});

test('a server that does not answer is asked by one job, not by all of them', async () => {
  const connect = vi.fn(() => Promise.reject<Backend>(new TurnwiseError('backend', 'unreachable', 'It is down.')));
  const use = shop(connect);
  const ids = talkMany(use, 3);
  await eventually(() => {
    expect(ids.filter((id) => use.worker.stateOf(id)?.reason === 'unreachable')).toHaveLength(1);
  });
  use.worker.kick();
  expect(connect).toHaveBeenCalledOnce();
  await use.worker.dispose();
});

/** A scorer that refuses until it is told otherwise. */
function refusing(reason: string): {
  readonly connect: () => Promise<Backend>;
  readonly asked: () => number;
  relent(): void;
} {
  let relents = false;
  let asked = 0;
  return {
    connect: () => {
      asked += 1;
      return relents
        ? Promise.resolve(letterBackend())
        : Promise.reject(new TurnwiseError('backend', reason, 'The key is wrong.'));
    },
    asked: () => asked,
    relent: () => {
      relents = true;
    },
  };
}

test('a key that is refused is shown to the server once, not once for each conversation; a new one wakes them all', async () => {
  const server = refusing('unauthorized');
  const changed: string[] = [];
  const use = shop(server.connect, { onChange: (id) => void changed.push(id) });
  use.journal.queue.pause();
  const ids = talkMany(use, 4);
  use.journal.queue.resume();
  changed.length = 0;
  use.worker.kick();
  const states = () => ids.map((id) => use.worker.stateOf(id));
  await eventually(() => {
    for (const state of states()) expect(state).toMatchObject({ state: 'failed', reason: 'unauthorized' });
  });
  expect(server.asked()).toBe(1);
  expect(new Set(changed)).toEqual(new Set(ids));
  use.worker.kick();
  expect(server.asked()).toBe(1);
  server.relent();
  use.worker.retryMended();
  for (const id of ids) await scored(use, id);
  await use.worker.dispose();
});

test.each(['unreachable', 'unauthorized', 'unknown_model', 'tokenizer_not_fetched'])(
  'what failed as %s is due again in the next window, and as soon as the scorer scores something',
  async (reason) => {
    const server = refusing(reason);
    const use = shop(server.connect);
    const ids = talkMany(use, 2);
    await eventually(() => {
      expect(use.worker.stateOf(ids[0] ?? '')?.reason).toBe(reason);
    });
    // As after its last try.
    use.journal.queue.failWaiting('letters', scoreOptionsKey(choice.options), { reason, message: 'Gone.' });
    server.relent();
    talk('new', use.journal, ...opening, ...turn(0, 'metres'), ...turn(1, null));
    use.worker.wish(stateOf(use.journal, 'new'), { again: true });
    for (const id of ['new', ...ids]) await scored(use, id);
    await use.worker.dispose();

    use.journal.queue.wish({
      episodeId: 'new',
      scorer: 'letters',
      optionsKey: scoreOptionsKey(choice.options),
      actions: 3,
    });
    use.journal.queue.failWaiting('letters', scoreOptionsKey(choice.options), { reason, message: 'Gone.' });
    talk('new', use.journal, ...turn(2, null));
    const next = shop(() => Promise.resolve(letterBackend()), { journal: openJournal(use.journal.path) });
    next.worker.kick();
    await scored(next, 'new');
    await next.worker.dispose();
  },
);

test('another key does not bring back what a person took back, what may not leave, or what was never ended', async () => {
  const use = shop(() => Promise.resolve(letterBackend()));
  use.journal.queue.pause();
  const ids = talkMany(use, 3);
  const key = scoreOptionsKey(choice.options);
  const [own = '', dead = '', cancelled = ''] = ids;
  use.journal.queue.cancel(cancelled);
  use.journal.queue.resume();
  for (const [id, reason] of [
    [own, 'consent_forbids'],
    [dead, 'never_ends'],
  ] as const) {
    const job = use.journal.queue.claim('other', 'letters', key, 1000, id);
    if (job) use.journal.queue.fail('other', job, { reason, message: 'No.' }, null);
  }
  use.worker.retryMended();
  expect(ids.map((id) => use.worker.stateOf(id)?.state)).toEqual(['failed', 'failed', 'cancelled']);
  await use.worker.dispose();
});

test('a conversation that brings its server down again and again is not woken for ever by the others', async () => {
  const letters = letterBackend();
  let asked = 0;
  const backend = letterBackend({
    score: (sequences, request) => {
      if (sequences.length <= 2) return letters.score(sequences, request);
      asked += 1;
      return Promise.reject(new TurnwiseError('unsupported', 'engine_died', 'It is down.'));
    },
  });
  const use = shop(() => Promise.resolve(backend));
  talk('deadly', use.journal, ...opening, ...turn(0, 'feet'), ...turn(1, 'two'), ...turn(2, null));
  use.worker.wish(stateOf(use.journal, 'deadly'));
  for (let at = 0; at < 40; at += 1) {
    await eventually(() => {
      expect(use.worker.stateOf('deadly')?.state).toBe('failed');
    });
    talk(`e${at}`, use.journal, ...opening, ...turn(0, 'metres'), ...turn(1, null));
    use.worker.wish(stateOf(use.journal, `e${at}`));
    await scored(use, `e${at}`);
  }
  expect(use.worker.stateOf('deadly')).toMatchObject({ state: 'failed', reason: 'never_ends' });
  expect(asked).toBe(25);
  await use.worker.dispose();
});

test('only what the chosen scorer is to score counts as waiting', async () => {
  const use = shop(() => Promise.resolve(letterBackend()), { busy: () => true });
  const ids = talkMany(use, 2);
  use.journal.queue.wish({ episodeId: ids[0] ?? '', scorer: 'another', optionsKey: 'o', actions: 2 });
  expect(use.worker.waiting()).toBe(2);
  await use.worker.dispose();
});
