import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { seededRandom, type Random } from '../src/app/demo/random.ts';
import { check } from './check.ts';
import { POINTS, readRecord, type Line, type Point } from './record.ts';
import { LEASE_MS } from './scene.ts';

export const FAULTS = ['early-ack', 'torn', 'endless-lease'] as const;
export type PlantedFault = (typeof FAULTS)[number];

export interface Rounds {
  readonly rounds: number;
  readonly seed: number;
  /** Processes on one store at once. */
  readonly processes: number;
  readonly fault: PlantedFault | null;
  /** A folder of its own, for stores and records. */
  readonly folder: string;
  readonly onRound?: (round: number) => void;
}

export interface Totals {
  readonly rounds: number;
  readonly kills: Readonly<Record<Point, number>>;
  /** Of the kills, those that came from outside at any moment. */
  readonly outside: number;
  readonly acknowledged: number;
  readonly events: number;
  readonly results: number;
  /** Conversations that were refused by name, because others were writing. */
  readonly refused: number;
  /** Round and what was wrong after it. */
  readonly wrong: readonly string[];
}

/** Rounds on one store: long enough for its history to matter, short enough to read it all after every round. */
const ROUNDS_PER_STORE = 20;
/** Share of rounds in which death comes from outside, at a moment that nobody chose. */
const FROM_OUTSIDE = 0.2;
const LATEST_TRANSACTION = 9;

/** Kills processes in the middle of their work, round after round, and looks at what they leave. Stops at 20 wrongs. */
export async function runRounds({ rounds, seed, processes, fault, folder, onRound }: Rounds): Promise<Totals> {
  const program = await bundleChild(folder);
  const kills: Record<Point, number> = { before: 0, inside: 0, between: 0, after: 0 };
  const sum = { outside: 0, acknowledged: 0, events: 0, results: 0, refused: 0 };
  const wrong: string[] = [];
  let lines: Line[] = [];
  let last = { acknowledged: 0, events: 0, results: 0, refused: 0 };
  let round = 0;
  for (; round < rounds && wrong.length < 20; round += 1) {
    const random = seededRandom(`crash ${seed}/${round}`);
    const home = join(folder, `store-${Math.floor(round / ROUNDS_PER_STORE)}`);
    if (round % ROUNDS_PER_STORE === 0) {
      lines = [];
      last = { acknowledged: 0, events: 0, results: 0, refused: 0 };
      mkdirSync(home);
    }
    const store = join(home, 'store.db');
    const later = round * LEASE_MS * 2;
    const over = new AbortController();
    const deaths = await Promise.all(
      Array.from({ length: processes }, (_, index) => {
        const name = `${seed}/${round}/${index}`;
        const orders = { store, record: join(home, `${round}-${index}`), name, later, fault };
        return oneDeath(program, orders, random, over.signal);
      }),
    ).finally(() => {
      // Where one did not die as it should, nobody kills the others.
      over.abort();
    });
    for (const { point, outside, lines: more } of deaths) {
      kills[point] += 1;
      sum.outside += outside ? 1 : 0;
      lines.push(...more);
    }
    if (existsSync(store)) {
      const found = check(store, lines, later + LEASE_MS * 2);
      wrong.push(...found.wrong.map((what) => `round ${round}: ${what}`));
      for (const key of ['acknowledged', 'events', 'results', 'refused'] as const) sum[key] += found[key] - last[key];
      last = found;
    }
    if ((round + 1) % ROUNDS_PER_STORE === 0) rmSync(home, { recursive: true });
    onRound?.(round + 1);
  }
  return { rounds: round, kills, ...sum, wrong };
}

interface Orders {
  readonly store: string;
  readonly record: string;
  readonly name: string;
  readonly later: number;
  readonly fault: PlantedFault | null;
}

async function oneDeath(
  program: string,
  orders: Orders,
  random: Random,
  signal: AbortSignal,
): Promise<{ point: Point; outside: boolean; lines: Line[] }> {
  const outside = random() < FROM_OUTSIDE;
  const transaction = 1 + Math.floor(random() * LATEST_TRANSACTION);
  const point = POINTS[Math.floor(random() * POINTS.length)] ?? 'before';
  const delay = random() * 120;
  const plan = { ...orders, kill: outside ? null : { transaction, point } };
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, JSON.stringify(plan)], {
    stdio: ['ignore', 'ignore', 'inherit'],
    signal,
    killSignal: 'SIGKILL',
  });
  child.on('error', () => undefined);
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.once('close', (...how) => {
      resolve(how);
    });
  });
  if (outside) {
    // From its first durable word on; a process that says nothing is still killed in the end.
    for (let wait = 0; wait < 500 && !existsSync(orders.record) && child.exitCode === null; wait += 1) await sleep(5);
    await sleep(delay);
    child.kill('SIGKILL');
  }
  const [code, how] = await ended;
  if (how !== 'SIGKILL') throw new Error(`A process of the suite ended by itself (${how ?? code ?? '?'}).`);
  return { ...readRecord(orders.record), outside };
}

/** One file without a single import to resolve: a process starts in a third of the time. */
async function bundleChild(folder: string): Promise<string> {
  const outfile = join(folder, 'child.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'child.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22.16',
    logLevel: 'warning',
  });
  return outfile;
}
