import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { scoreOptionsKey } from '../app/cached-scorer.ts';
import { scorerName } from '../app/scorer-name.ts';
import { calibratedScorer } from '../app/calibrated-scorer.ts';
import { RANDOM_REPLY, resolved } from '../app/score.ts';
import { ScoringWorker, type JobReport } from '../app/scoring-worker.ts';
import { StoreWatch } from '../app/store-watch.ts';
import type { Backend } from '../core/backend.ts';
import { errorText, TurnwiseError } from '../core/error.ts';
import type { ScoreOptions } from '../core/scored-episode.ts';
import { isLoopback } from '../core/settings.ts';
import type { Journal } from '../store/journal.ts';
import { interruptSignal, printJson, type ServerChoice, type Servers } from './command.ts';
import { JobPrinter } from './job-lines.ts';
import { openStore } from './open-store.ts';
import { tell } from './output.ts';

interface StoreFlags extends ServerChoice {
  readonly in?: string;
  readonly out?: string;
  readonly plan?: boolean;
  readonly calibration?: string;
  readonly watch?: boolean;
  readonly concurrency?: number;
  readonly json?: boolean;
}

/** From one look at the queue to the next, ms. */
const LOOK_MS = 200;
/** From one look at what was said since to the next, ms. */
const WATCH_MS = 1_000;
/** The connection is lost or was never there: the next job opens another. */
const GONE = ['unreachable', 'connection_lost', 'engine_lost', 'engine_died'];

/**
 * `turnwise score --store`: works through the store's queue beside whatever windows and other command lines do, after
 * wishing for everything that has no scores yet; with `--watch` until Ctrl-C.
 */
export async function scoreInStore(
  path: string,
  options: ScoreOptions,
  flags: StoreFlags,
  servers: Servers,
): Promise<void> {
  refuseMixed(flags, options);
  const journal = openStore(path);
  const interrupt = interruptSignal();
  const connection = reopening(() => servers.openScorer(flags));
  try {
    // A wrong flag or address is said at once, and not once for every conversation.
    const scorer = calibratedScorer(await connection.get(), journal.calibrations);
    // The queue knows options by name, so `auto` has to be one thing from the start.
    const meant = resolved(options, await scorer.facts(interrupt.signal));
    await work(journal, meant, flags, connection, interrupt.signal);
  } finally {
    interrupt.dispose();
    await connection.close();
    journal.close();
  }
}

async function work(
  journal: Journal,
  options: ScoreOptions,
  flags: StoreFlags,
  connection: Reopening,
  signal: AbortSignal,
): Promise<void> {
  const { watch = false, json = false } = flags;
  const remote = flags.url !== undefined && !isLoopback(flags.url);
  const scorer = nameOf(flags);
  const printer = new JobPrinter(journal, json);
  const worker = new ScoringWorker({
    journal,
    connect: () => connection.get(),
    options: () => ({ enabled: true, scorer, remote, yields: false, options }),
    busy: () => false,
    open: () => null,
    onChange: () => undefined,
    // A failed job is told by its report; what has none is of the store.
    onError: (error) => {
      if (error instanceof TurnwiseError && GONE.includes(error.reason)) connection.forget();
    },
    onJob: (report: JobReport) => {
      printer.job(report);
    },
    atMost: flags.concurrency,
  });
  const store = new StoreWatch(journal, worker, { remote });
  try {
    const { scorable, forbidden, unreadable } = store.look();
    for (const why of unreadable) tell(`turnwise: ${why}`);
    if (forbidden > 0) printer.say(`${forbidden} conversations may not leave this machine and stay unscored here`);
    if (watch) printer.say(`watching; ${scorable} can be scored so far; Ctrl-C ends`);
    await (watch
      ? untilInterrupted(journal, worker, store, signal)
      : untilDone(journal, scorer, options, worker, signal));
  } finally {
    await worker.dispose();
  }
  if (json) printJson({ ...printer.total, store: resolve(journal.path) });
  else printer.summary();
  if (watch) return;
  signal.throwIfAborted();
  if (printer.total.failed > 0 && printer.total.scored === 0) {
    const message = `None of ${printer.total.failed} conversations could be scored; turnwise queue --store FILE says why.`;
    throw new TurnwiseError('backend', 'nothing_scored', message);
  }
}

/** Until nothing of this kind is queued, here or in another process, or somebody pauses the queue. */
async function untilDone(
  { queue }: Journal,
  scorer: string,
  options: ScoreOptions,
  worker: ScoringWorker,
  signal: AbortSignal,
): Promise<void> {
  const optionsKey = scoreOptionsKey(options);
  while (!signal.aborted && (worker.unsettled || queue.dueIn(scorer, optionsKey) !== null)) {
    if (queue.pausedSince() !== null) {
      const message = 'The queue of this store is paused; turnwise queue --store FILE --resume lets it go on.';
      throw new TurnwiseError('usage', 'queue_paused', message);
    }
    worker.kick();
    await pause(LOOK_MS, signal);
  }
}

async function untilInterrupted(
  journal: Journal,
  worker: ScoringWorker,
  store: StoreWatch,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await pause(WATCH_MS, signal);
    try {
      if (journal.changedElsewhere()) store.look();
      worker.kick();
    } catch (thrown) {
      tell(`turnwise: ${errorText(thrown)}`);
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** As a window names the same server; see `scorerName`. */
function nameOf({ backend: kind, url, model = '', tokenizer }: StoreFlags): string {
  if (url !== undefined) return scorerName({ kind, url, model, tokenizer });
  return scorerName({ kind: 'engine', model: model === '' ? '' : resolve(model) });
}

interface Reopening {
  get(): Promise<Backend>;
  /** What is open is closed, and the next `get` opens another. */
  forget(): void;
  close(): Promise<void>;
}

function reopening(open: () => Promise<Backend>): Reopening {
  let current: Promise<Backend> | null = null;
  const close = async (): Promise<void> => {
    const last = current;
    current = null;
    await last?.then((backend) => backend.close()).catch(() => undefined);
  };
  return {
    get: () => {
      current ??= open();
      current.catch(() => {
        current = null;
      });
      return current;
    },
    forget: () => void close(),
    close,
  };
}

function refuseMixed(flags: StoreFlags, { noise, placeholder }: ScoreOptions): void {
  const wrong = [
    flags.in === undefined ? null : '--in',
    flags.out === undefined ? null : '--out',
    flags.plan === true ? '--plan' : null,
    // A store has its own: turnwise doctor --store.
    flags.calibration === undefined ? null : '--calibration',
    // What the store remembers would answer the repetition, and the noise would always be 0.
    noise > 0 ? '--noise' : null,
    // One conversation at a time has nobody to borrow from.
    placeholder === RANDOM_REPLY ? `--placeholder ${RANDOM_REPLY}` : null,
  ].find((flag) => flag !== null);
  if (wrong === undefined) return;
  throw new TurnwiseError('usage', 'not_with_store', `${wrong} does not go with --store; leave one of them out.`);
}
