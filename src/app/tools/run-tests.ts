import { spawn } from 'node:child_process';
import { countTests, type TestCount } from './count-tests.ts';

/** A command that tests a folder, as the developer has seen and allowed it. */
export interface TestCommand {
  readonly line: string;
  readonly folder: string;
}

/** What a test run came to. */
export interface TestRun {
  /** For the agent: the verdict in one line, then the end of what was printed. */
  readonly text: string;
  /** Null where nothing ran to its end. */
  readonly count: TestCount | null;
}

/** Longest run, ms, and how much of what it prints is kept, UTF-16 units from its end. */
const LONGEST_MS = 300_000;
const KEPT = 12_000;

/** Runs a test command in its folder. Never throws; aborting ends it with all that it started. Call it after a click only. */
export async function runTests(
  { line, folder }: TestCommand,
  signal: AbortSignal,
  longestMs = LONGEST_MS,
): Promise<TestRun> {
  const { output, ended } = await run(line, folder, AbortSignal.any([signal, AbortSignal.timeout(longestMs)]));
  const printed = output.trim() === '' ? '(it printed nothing)' : output.trim();
  const told = (verdict: string, count: TestCount | null): TestRun => ({ text: `${verdict}\n\n${printed}`, count });
  if (signal.aborted) return told('The developer stopped the tests.', null);
  if (typeof ended === 'string') return told(`The tests did not run to their end: ${ended}`, null);
  // A shell that finds no such command.
  if (ended === 126 || ended === 127) return told('The test command could not be run.', null);
  // A runner that says no numbers is one test as a whole.
  const counted = countTests(output);
  const count = counted ?? { passed: ended === 0 ? 1 : 0, total: 1 };
  const verdict = ended === 0 ? 'The tests passed' : 'The tests failed';
  return told(counted === null ? `${verdict}.` : `${verdict}: ${count.passed} of ${count.total}.`, count);
}

function run(
  line: string,
  folder: string,
  signal: AbortSignal,
): Promise<{ readonly output: string; readonly ended: number | string }> {
  return new Promise((done) => {
    let output = '';
    // A group of its own, so that what the shell starts ends with it.
    const grouped = process.platform !== 'win32';
    const child = spawn(line, { cwd: folder, shell: true, detached: grouped, stdio: ['ignore', 'pipe', 'pipe'] });
    const end = (): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(grouped ? -child.pid : child.pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    };
    const take = (part: string): void => {
      output = (output + part).slice(-KEPT);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    const finish = (ended: number | string): void => {
      signal.removeEventListener('abort', end);
      done({ output, ended });
    };
    child.on('error', ({ message }) => {
      finish(message);
    });
    child.on('close', (code) => {
      finish(code ?? (signal.aborted ? 'it took too long.' : 'it was killed.'));
    });
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
