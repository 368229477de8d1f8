import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom, shuffled } from '../src/app/demo/random.ts';
import { loadTasks } from '../src/app/demo/tasks.ts';
import { startEngine } from '../src/app/engine-process.ts';
import { openSandbox } from '../src/app/sandbox/sandbox.ts';
import { openChat } from '../src/backends/chat.ts';
import { openEngineBackend } from '../src/backends/engine.ts';
import { expectedGain } from '../src/core/expected-gain.ts';
import { openJournal } from '../src/store/journal.ts';
import { queueConversations, type Queued } from './queued-conversations.ts';

// Does the queue, when it is behind, score first what is worth most? Conversations of the demo's model wait; a fifth of the
// tokens (at the causal limit) is spent in the queue's order, and in random orders.
const EPISODES = 100;
const BUDGET = 0.2;
const RANDOM_ORDERS = 500;
const GOAL = 1.3;
/** The estimate was made while looking at seeds 1 to 5; these were not looked at. */
const HELD_OUT = '11,12,13,14,15,16';

/** Student's t at 97.5 %, by degrees of freedom from 1. */
const T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

interface Outcome {
  readonly seed: number;
  readonly turns: number;
  /** Mean gain per turn, nats: of those scored first, of random ones, of the best that any order could do. */
  readonly first: number;
  readonly random: number;
  readonly best: number;
  /** Sums of gains within the budget. */
  readonly firstTotal: number;
  readonly randomTotal: number;
}

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    runs: { type: 'string', default: String(HELD_OUT.split(',').length) },
    seeds: { type: 'string', default: HELD_OUT },
  },
});
const folder = await mkdtemp(join(tmpdir(), 'turnwise-bench-'));
const engine = await startEngine();
const sandbox = openSandbox();
try {
  const outcomes: Outcome[] = [];
  for (const seed of flags.seeds.split(',').map(Number).slice(0, Number(flags.runs))) {
    process.stderr.write(`bench: ${EPISODES} conversations, seed ${seed}\n`);
    outcomes.push(measure(seed, await play(seed)));
    if (flags.json) process.stdout.write(`${JSON.stringify(outcomes.at(-1))}\n`);
  }
  if (!flags.json) print(outcomes);
} finally {
  await engine.close();
  await sandbox.close();
  await rm(folder, { recursive: true, force: true });
}

async function play(seed: number): Promise<Queued[]> {
  const journal = openJournal(join(folder, `${seed}.sqlite`));
  try {
    const ports = {
      journal,
      sandbox,
      chat: openChat({ url: engine.url, apiKey: engine.token, model: null, name: 'engine' }),
      scorer: openEngineBackend(engine),
      tasks: await loadTasks(resolve(import.meta.dirname, '../media/demo/tasks.json')),
      takesAgentPrompt: false,
    };
    return await queueConversations(ports, { seed, episodes: EPISODES });
  } finally {
    journal.close();
  }
}

function measure(seed: number, played: readonly Queued[]): Outcome {
  // The newest first, as the queue breaks ties; what nobody can score yet is not queued.
  const queued = played.filter(({ gains }) => gains.length > 0).reverse();
  const budget = BUDGET * sum(queued.map(({ tokens }) => tokens));
  const by = (worth: (one: Queued) => number): Queued[] => [...queued].sort((a, b) => worth(b) - worth(a));
  const first = within(
    by(({ state }) => expectedGain(state) ?? -1),
    budget,
  );
  const random = seededRandom(`gain-order ${seed}/random`);
  const draws = Array.from({ length: RANDOM_ORDERS }, () => within(shuffled(random, queued), budget));
  return {
    seed,
    turns: sum(queued.map(({ gains }) => gains.length)),
    first: mean(first),
    random: mean(draws.map(mean)),
    best: mean(
      within(
        by(({ gains }) => mean(gains)),
        budget,
      ),
    ),
    firstTotal: sum(first),
    randomTotal: mean(draws.map(sum)),
  };
}

/** Gains of the turns that are scored until the tokens are spent. */
function within(order: readonly Queued[], budget: number): number[] {
  let spent = 0;
  return order.flatMap(({ gains, tokens }) => {
    spent += tokens;
    return spent <= budget ? gains : [];
  });
}

function print(outcomes: readonly Outcome[]): void {
  const ratios = outcomes.map(({ first, random }) => first / random);
  const totals = outcomes.map(({ firstTotal, randomTotal }) => firstTotal / randomTotal);
  const out = [
    `${EPISODES} conversations of the bundled toy with a simulated developer who answers, says nothing, strays or skips;`,
    `${BUDGET * 100} % of the tokens at the causal limit; random: mean of ${RANDOM_ORDERS} orders. The toy repeats what it was told in its`,
    'next action, which is what the estimate looks for; a model that never does would profit less.',
    '',
    'seed  turns  first  random  ratio  best possible  sum within the budget',
    ...outcomes.map(({ seed, turns, first, random, best }, at) =>
      [
        String(seed).padStart(4),
        String(turns).padStart(5),
        first.toFixed(3),
        random.toFixed(3).padStart(6),
        (ratios[at] ?? NaN).toFixed(2).padStart(5),
        (best / random).toFixed(2).padStart(13),
        `${(totals[at] ?? NaN).toFixed(2)}x`.padStart(21),
      ].join('  '),
    ),
    '',
    `mean gain of those scored first / of random ones: ${interval(ratios)}; goal at least ${GOAL}: ${mean(ratios) >= GOAL ? 'met' : 'missed'}`,
    `sum of gains within the budget / of random orders: ${interval(totals)}`,
  ];
  process.stdout.write(`${out.join('\n')}\n`);
}

/** Mean over seeds, with its 95 % interval where there are two or more. */
function interval(values: readonly number[]): string {
  const middle = mean(values);
  const t = T[values.length - 2];
  if (t === undefined) return middle.toFixed(2);
  const variance = sum(values.map((value) => (value - middle) ** 2)) / (values.length - 1);
  const half = t * Math.sqrt(variance / values.length);
  return `${middle.toFixed(2)} (95 % over ${values.length} seeds: ${(middle - half).toFixed(2)} to ${(middle + half).toFixed(2)})`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
