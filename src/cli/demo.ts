import { mkdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { runDemo, type DemoResult } from '../app/demo/demo.ts';
import { prepareFolder } from '../app/demo/folder.ts';
import { summarise } from '../app/demo/summary.ts';
import { loadTasks } from '../app/demo/tasks.ts';
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
  try {
    const result = await play(servers, journal, { seed, episodes, signal }, tasks);
    const summary = summarise(result);
    // EXPORT
    if (json) printJson({ seed, ...summary });
    else {
      const look = { width: columns(), style: styleFor(process.stdout), command: 'npm run turnwise --' };
      const findings = { dataset: shown(places.dataset), store: shown(store), rows: 0, ok: true, violations: 0 };
      process.stdout.write(`${demoReport(seed, result, summary, findings, look).join('\n')}\n`);
    }
  } catch (thrown) {
    throw signal.aborted ? interrupted(journal, store) : thrown;
  } finally {
    interrupt.dispose();
    journal.close();
  }
}

async function play(
  servers: Servers,
  journal: Journal,
  run: { readonly seed: number; readonly episodes: number; readonly signal: AbortSignal },
  tasks: Awaited<ReturnType<typeof loadTasks>>,
): Promise<DemoResult> {
  const bars = {
    playing: startProgress('conversations', run.episodes),
    scoring: null as ReturnType<typeof startProgress> | null,
  };
  const sandbox = openSandbox();
  try {
    bars.playing.update(0, 'the engine starts');
    const engine = await servers.openEngine({ backend: 'engine' });
    try {
      return await runDemo(
        { scorer: engine.scorer, chat: engine.chat, sandbox, journal, tasks },
        {
          ...run,
          onProgress: (step, done, what) => {
            if (step === 'scoring' && bars.scoring === null) {
              bars.playing.stop();
              bars.scoring = startProgress('scores       ', run.episodes);
            }
            bars[step]?.update(done, what);
          },
        },
      );
    } finally {
      await engine.close();
    }
  } finally {
    bars.playing.stop();
    bars.scoring?.stop();
    await sandbox.close();
  }
}

function interrupted(journal: Journal, store: string): TurnwiseError {
  const count = journal.episodes().length;
  return new TurnwiseError(
    'environment',
    'interrupted',
    `Interrupted. ${count === 1 ? 'One conversation is' : `${count} conversations are`} kept in ${shown(store)}; no dataset was written. Run the demo again to start over.`,
  );
}

/** A file that comes with Turnwise. */
function bundled(path: string): string {
  return fileURLToPath(new URL(`../media/${path}`, import.meta.url));
}

function shown(path: string): string {
  const here = relative(process.cwd(), path);
  return here.startsWith('..') ? path : here;
}

function columns(): number {
  return Math.min(Math.max(process.stdout.columns || 80, NARROWEST), WIDEST);
}

function styleFor(stream: NodeJS.WriteStream): Style {
  return (look, text) => (text === '' ? text : styleText(look, text, { stream }));
}
