import { mkdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { runDemo, type DemoResult, type DemoRun, type DemoStep } from '../app/demo/demo.ts';
import { prepareFolder } from '../app/demo/folder.ts';
import { summarise, type DemoSummary } from '../app/demo/summary.ts';
import { loadTasks, type TaskFile } from '../app/demo/tasks.ts';
import { openSandbox } from '../app/sandbox/sandbox.ts';
import { TurnwiseError } from '../core/error.ts';
import { openJournal, type Journal } from '../store/journal.ts';
import { interruptSignal, printJson, type Register, type Servers } from './command.ts';
import { demoReport } from './demo-report.ts';
import type { Style } from './demo-table.ts';
import { integer, positive } from './numbers.ts';
import { startProgress } from './progress.ts';

interface DemoFlags {
  readonly seed: number;
  readonly episodes: number;
  readonly out?: string;
  readonly store?: string;
  readonly json?: boolean;
}

const NARROWEST = 72;
const WIDEST = 120;

/** `turnwise demo`: a dozen conversations with the bundled toy model, scored, credited, exported and verified. */
export const registerDemo: Register = (program, servers) => {
  program
    .command('demo')
    .description('Play conversations with the bundled toy model, score every turn, export and verify a dataset')
    .option('--seed <n>', 'decides tasks, samples and replies', integer, 1)
    .option('--episodes <n>', 'conversations to play', positive, 12)
    .option('--out <dir>', 'folder for everything that is made (default: .turnwise/demo-<seed>)')
    .option('--store <file>', 'store for the conversations (default: in that folder)')
    .option('--json', 'print one summary object on stdout')
    .action((flags: DemoFlags) => demo(flags, servers));
};

async function demo(flags: DemoFlags, servers: Servers): Promise<void> {
  const { seed, episodes, json = false } = flags;
  const tasks = await loadTasks(bundled('demo/tasks.json'));
  const places = await prepareFolder(flags.out ?? join('.turnwise', `demo-${seed}`), seed);
  const store = flags.store ?? places.store;
  await mkdir(dirname(store), { recursive: true });
  const journal = openJournal(store);
  const interrupt = interruptSignal();
  const { signal } = interrupt;
  const before = journal.episodes().length;
  try {
    const result = await run(servers, journal, tasks, { seed, episodes, dataset: places.dataset, signal });
    const summary = summarise(result);
    if (json)
      printJson({ seed, ...summary, dataset: resolve(places.dataset), store: resolve(store), verify: result.verified });
    else {
      const look = { width: columns(), style: styleFor(process.stdout), command: command() };
      const named = { dataset: shown(places.dataset), store: shown(store) };
      process.stdout.write(`${demoReport(seed, result, summary, named, look).join('\n')}\n`);
    }
    refuseFailure(result, summary, episodes);
  } catch (thrown) {
    throw signal.aborted ? interrupted(journal.episodes().length - before, store) : thrown;
  } finally {
    interrupt.dispose();
    journal.close();
  }
}

/** Engine, sandbox and progress bars live for one run, and end however it ends. */
async function run(servers: Servers, journal: Journal, tasks: TaskFile, demo: DemoRun): Promise<DemoResult> {
  const progress = showSteps(demo.episodes);
  const sandbox = openSandbox();
  try {
    const engine = await servers.openEngine({ backend: 'engine' });
    try {
      const ports = { scorer: engine.scorer, chat: engine.chat, sandbox, journal, tasks };
      return await runDemo(ports, { ...demo, onProgress: progress.onProgress });
    } finally {
      await engine.close();
    }
  } finally {
    progress.stop();
    await sandbox.close();
  }
}

const STEPS: Readonly<Record<DemoStep, string>> = {
  playing: 'conversations',
  scoring: 'scores       ',
  exporting: 'dataset      ',
};

/** One bar after the other, the first from the start on, since the engine takes a moment. */
function showSteps(episodes: number): {
  readonly onProgress: NonNullable<DemoRun['onProgress']>;
  readonly stop: () => void;
} {
  let current: DemoStep = 'playing';
  let bar = startProgress(STEPS.playing, episodes);
  bar.update(0, 'the engine starts');
  return {
    onProgress: (step, done, total, what) => {
      if (step !== current) {
        bar.stop();
        bar = startProgress(STEPS[step], total);
        current = step;
      }
      bar.update(done, what);
    },
    stop: () => {
      bar.stop();
    },
  };
}

/** A demo that worked only half is a failure, and its report says where. */
function refuseFailure({ exported, verified }: DemoResult, { gains_defined }: DemoSummary, episodes: number): void {
  const problem = !verified.ok
    ? `the dataset breaks ${verified.violations.length} of its own rules`
    : exported.rows < episodes
      ? `only ${exported.rows} of ${episodes} conversations could be exported`
      : gains_defined === 0
        ? 'no turn has a defined gain'
        : null;
  if (problem === null) return;
  throw new TurnwiseError('corrupt', 'demo_failed', `The demo ran, but ${problem}; please report this with the seed.`);
}

function interrupted(count: number, store: string): TurnwiseError {
  return new TurnwiseError(
    'environment',
    'interrupted',
    `Interrupted. ${count === 1 ? 'One conversation is' : `${count} conversations are`} kept in ${shown(store)}; no dataset was written. Run the demo again to start over.`,
  );
}

/** A file in the package's `media/`: this code runs from `dist/` when bundled, from `src/cli/` otherwise. */
function bundled(path: string): string {
  const up = import.meta.url.endsWith('.ts') ? '../..' : '..';
  return fileURLToPath(new URL(`${up}/media/${path}`, import.meta.url));
}

function shown(path: string): string {
  const here = relative(process.cwd(), path);
  return here.startsWith('..') ? path : here;
}

/** How this person starts Turnwise: through an npm script, or by its name. */
function command(): string {
  return process.env['npm_lifecycle_event'] === undefined ? 'turnwise' : 'npm run turnwise --';
}

function columns(): number {
  return Math.min(Math.max(process.stdout.columns || 80, NARROWEST), WIDEST);
}

function styleFor(stream: NodeJS.WriteStream): Style {
  return (look, text) => (text === '' ? text : styleText(look, text, { stream }));
}
