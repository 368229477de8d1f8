import { TurnwiseError } from '../core/error.ts';
import type { JobLine, JobState } from '../store/queue-desk.ts';
import { openJournal, type Journal } from '../store/journal.ts';
import { printJson, type Register } from './command.ts';
import { openStore } from './open-store.ts';
import { aligned } from './table.ts';

interface QueueFlags {
  readonly store: string;
  readonly pause?: boolean;
  readonly resume?: boolean;
  readonly cancel?: string;
  readonly retry?: string;
  readonly json?: boolean;
}

/** Lines on a terminal, not a report: --json has all of them. */
const MAX_ROWS = 20;
const STATES: readonly JobState['state'][] = ['scoring', 'queued', 'stale', 'failed', 'cancelled', 'scored'];

/** `turnwise queue`: where the scoring of a store stands, and a hand on it, for every window and worker at once. */
export const registerQueue: Register = (program) => {
  program
    .command('queue')
    .description('Show what is to be scored in a store; pause, resume, cancel or retry it for every window and worker')
    .requiredOption('--store <file>', 'store whose queue it is')
    .option('--pause', 'no job is begun any more, running ones are given back')
    .option('--resume', 'go on')
    .option('--cancel <episode>', 'take back what is not scored yet: one episode by its id, or all')
    .option('--retry <which>', 'make due again: failed, cancelled, or what failed for this reason')
    .option('--json', 'print one object on stdout')
    .action((flags: QueueFlags) => {
      if (flags.pause && flags.resume) {
        throw new TurnwiseError('usage', 'pause_and_resume', '--pause and --resume contradict each other; choose one.');
      }
      const writes = flags.pause ?? flags.resume ?? flags.cancel ?? flags.retry;
      const journal = writes === undefined ? openJournal(flags.store, { readOnly: true }) : openStore(flags.store);
      try {
        const changed = change(journal, flags);
        if (flags.json) printJson({ ...reportOf(journal), changed });
        else process.stdout.write(`${table(journal, changed).join('\n')}\n`);
      } finally {
        journal.close();
      }
    });
};

/** Does what the flags say; jobs changed, or null where none was to be. */
function change({ queue }: Journal, { pause, resume, cancel, retry }: QueueFlags): number | null {
  if (pause) queue.pause();
  if (resume) queue.resume();
  let changed: number | null = null;
  if (cancel !== undefined) {
    const id = cancel === 'all' ? null : cancel;
    if (id !== null && !queue.jobs().some(({ episodeId }) => episodeId === id)) {
      const message = `No job of the queue is for the episode ${id}; turnwise queue --json lists them.`;
      throw new TurnwiseError('usage', 'no_such_job', message);
    }
    changed = queue.cancel(id);
  }
  if (retry !== undefined)
    changed = (changed ?? 0) + (retry === 'failed' ? queue.retryFailed() : queue.retryFailed([retry]));
  return changed;
}

function reportOf({ queue }: Journal): object {
  const paused = queue.pausedSince();
  const jobs = queue.jobs();
  return {
    paused_since: paused === null ? null : new Date(paused).toISOString(),
    counts: Object.fromEntries(STATES.map((state) => [state, jobs.filter((job) => job.state === state).length])),
    jobs: jobs.map((job) => ({
      episode_id: job.episodeId,
      scorer: job.scorer,
      options_key: job.optionsKey,
      state: job.state,
      actions: job.wanted,
      scored_actions: job.done,
      attempts: job.attempts,
      expected: job.expected,
      due_in_ms: job.dueIn,
      reason: job.reason,
      message: job.message,
    })),
  };
}

function table({ queue }: Journal, changed: number | null): string[] {
  const jobs = queue.jobs();
  const paused = queue.pausedSince();
  const open = jobs
    .filter(({ state }) => state !== 'scored')
    .sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state));
  const counts = STATES.flatMap((state) => {
    const count = jobs.filter((job) => job.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  return [
    ...(changed === null ? [] : [`${changed} ${changed === 1 ? 'job' : 'jobs'} changed`]),
    ...(paused === null ? [] : [`paused since ${new Date(paused).toLocaleString()}; --resume lets it go on`]),
    counts.length === 0 ? 'nothing was ever queued' : counts.join(', '),
    ...(open.length === 0 ? [] : ['', ...aligned([HEAD, ...open.slice(0, MAX_ROWS).map(cells)])]),
    ...(open.length > MAX_ROWS ? [`and ${open.length - MAX_ROWS} more`] : []),
  ];
}

const HEAD = ['episode', 'scorer', 'state', 'tries', 'expected', 'why'];

function cells({ episodeId, scorer, state, attempts, expected, dueIn, reason, message }: JobLine): string[] {
  const again = dueIn === null || dueIn === 0 ? '' : ` (again in ${Math.ceil(dueIn / 1000)} s)`;
  return [
    episodeId,
    scorer,
    state,
    String(attempts),
    expected === null ? '-' : expected.toFixed(3),
    reason === null ? '' : `${reason}: ${message ?? ''}${again}`,
  ];
}
