import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { killEngines } from './engines.ts';
import { losePower } from './power.ts';
import { POINTS } from './record.ts';
import { FAULTS, runRounds, type Totals } from './rounds.ts';

const USAGE =
  'Usage: npm run crash -- [--rounds N] [--processes N] [--seed S] [--fault early-ack|torn|endless-lease] [--json]';
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    processes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    fault: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const fault = FAULTS.find((name) => name === values.fault) ?? null;
const [rounds, processes, seed] = [values.rounds, values.processes, values.seed].map(Number) as [
  number,
  number,
  number,
];
const counts = [rounds, processes].every((count) => Number.isInteger(count) && count > 0);
if (!counts || !Number.isInteger(seed) || (values.fault !== undefined && fault === null)) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'turnwise-crash-'));
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
try {
  say(`seed ${seed}: ${rounds} rounds of ${processes} ${processes === 1 ? 'process' : 'processes'} at once`);
  const totals = await runRounds({
    rounds,
    seed,
    processes,
    fault,
    folder,
    onRound: (round) => {
      if (round % 100 === 0) process.stderr.write(`round ${round}\n`);
    },
  });
  for (const line of [...sharesOf(totals), ...totals.wrong]) say(line);
  // A planted fault is in the processes that are killed; the rest has nothing to do with it.
  const power = fault === null ? await losePower(folder, seed) : null;
  if (power !== null) say(power.line);
  const engines = fault === null ? await killEngines(folder, seed, Math.ceil(rounds / 50)) : null;
  if (engines !== null) say(engines.line);
  const wrong = [...totals.wrong, ...(power?.wrong ?? []), ...(engines?.wrong ?? []), ...thinShares(totals)];
  for (const line of wrong.slice(totals.wrong.length)) say(line);
  const { acknowledged, events, results, refused } = totals;
  const sum = {
    seed,
    rounds: totals.rounds,
    kills: killsOf(totals),
    acknowledged,
    events,
    results,
    refused,
    wrong: wrong.length,
  };
  say(
    values.json
      ? JSON.stringify({ ...sum, points: totals.kills, outside: totals.outside })
      : `seed ${sum.seed}: ${sum.rounds} rounds, ${sum.kills} kills, ${acknowledged} acknowledged and ${events} stored events, ${results} results, ${refused} refused as locked, ${sum.wrong} wrong`,
  );
  process.exitCode = wrong.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function killsOf({ kills }: Totals): number {
  return POINTS.reduce((sum, point) => sum + kills[point], 0);
}

function sharesOf(totals: Totals): string[] {
  const all = killsOf(totals);
  const words = {
    before: 'before BEGIN',
    inside: 'inside',
    between: 'between COMMIT and acknowledgement',
    after: 'after',
  };
  const shares = POINTS.map((point) => `${words[point]} ${((totals.kills[point] / all) * 100).toFixed(1)} %`);
  return [`killed ${shares.join(', ')}; ${totals.outside} of ${all} from outside at any moment`];
}

/** Kill points that are hardly met prove nothing. */
function thinShares(totals: Totals): string[] {
  const all = killsOf(totals);
  if (all < 50) return [];
  return POINTS.filter((point) => totals.kills[point] < all / 10).map(
    (point) => `fewer than 10 % of the kills ${point}`,
  );
}
