import type { z } from 'zod';
import type { NullReason } from '../observation.ts';
import type { CreditEpisode, CreditOptions, CreditTurn, infoLevelSchema } from './ledger.ts';
import { EPSILON, momentsOf, type Sample } from './sample-statistics.ts';

/** What a turn's gain is compared with: the rung's name, its samples, their mean and ddof-1 sd. */
export interface InfoPool {
  readonly level: z.infer<typeof infoLevelSchema>;
  readonly n: number | null;
  readonly mean: number | null;
  readonly sd: number | null;
}

/** S4 of one turn: the normalised information, or why there is none, and the pool behind it. */
export interface TurnInformation {
  readonly turn: CreditTurn;
  readonly aInt: number | null;
  readonly reason: NullReason | null;
  readonly pool: InfoPool;
}

/** S4 of one episode. `pool` is the episode's own under `pool_by = all` and null under `index`, where each turn has one. */
export interface EpisodeInformation {
  readonly pool: InfoPool | null;
  readonly turns: readonly TurnInformation[];
}

type InfoOptions = Pick<
  CreditOptions,
  'norm' | 'pool' | 'pool_by' | 'min_batch' | 'sigma_floor' | 'placebo_mean' | 'placebo_sd' | 'drop_zero_gains'
>;

/**
 * Normalised information of every turn, parallel to `episodes` and their turns (spec S4, arXiv 2603.00656):
 * `A_int = (x - mean) / (max(sd, sigma_floor) + 1e-6)` over the pool that `pool` and `pool_by` choose. x is the gain in nats,
 * under `norm = token` the gain per loss token counted once a token, and under `norm = none` A_int is the gain itself.
 * Comparing turns of one index only is A2TGPO's (arXiv 2605.06200). Placebo figures are taken to be in the unit of x.
 */
export function normaliseInformation(episodes: readonly CreditEpisode[], options: InfoOptions): EpisodeInformation[] {
  const collected = collect(episodes, options);
  const chosen = new Map<string, InfoPool>();
  const poolFor = (groupId: string, index: number | null): InfoPool => {
    const key = groupKey(groupId, index);
    const pool = chosen.get(key) ?? choosePool(collected.get(key), collected.get(batchKey(index)), options);
    chosen.set(key, pool);
    return pool;
  };
  return episodes.map(({ group_id, turns }) => ({
    pool: options.pool_by === 'all' ? poolFor(group_id, null) : null,
    turns: turns.map((turn) => {
      const pool = poolFor(group_id, options.pool_by === 'all' ? null : turn.index);
      return { turn, ...normaliseTurn(turn, pool, options), pool };
    }),
  }));
}

/**
 * A gain that entered no pool (its next action was stopped or edited) is measured against the pool that it did not enter. The
 * pool must have a spread for that: its own members differ by nothing then and get 0, but a stranger's distance has no unit.
 */
function normaliseTurn(
  turn: CreditTurn,
  pool: InfoPool,
  options: InfoOptions,
): Pick<TurnInformation, 'aInt' | 'reason'> {
  if (turn.gain === null) return { aInt: null, reason: turn.null_reason ?? 'not_scored_yet' };
  if (options.norm === 'none') return { aInt: turn.gain, reason: null };
  if (options.drop_zero_gains && turn.gain === 0) return { aInt: 0, reason: null };
  const [x] = samplesOf(turn, options.norm);
  // An action without loss tokens has no gain per loss token, and no token to credit either.
  if (x === undefined) return { aInt: null, reason: 'unsupported' };
  if (pool.mean === null) return { aInt: null, reason: 'pool_too_small' };
  const spread = Math.max(pool.sd ?? 0, options.sigma_floor);
  if (!turn.pooled && spread < EPSILON) return { aInt: null, reason: 'pool_too_small' };
  return { aInt: (x.value - pool.mean) / (spread + EPSILON), reason: null };
}

/** Samples of a pool, and the turns and episodes that gave them: rungs count turns, also under token norm. */
interface Collected {
  readonly samples: Sample[];
  turns: number;
  readonly episodes: Set<string>;
}

function collect(episodes: readonly CreditEpisode[], options: InfoOptions): Map<string, Collected> {
  const pools = new Map<string, Collected>();
  for (const { episode_id, group_id, turns } of episodes) {
    for (const turn of turns) {
      if (!turn.pooled || (options.drop_zero_gains && turn.gain === 0)) continue;
      const samples = samplesOf(turn, options.norm);
      if (samples.length === 0) continue;
      const index = options.pool_by === 'all' ? null : turn.index;
      for (const key of [groupKey(group_id, index), batchKey(index)]) {
        const pool = pools.get(key) ?? { samples: [], turns: 0, episodes: new Set() };
        pool.samples.push(...samples);
        pool.turns += 1;
        pool.episodes.add(episode_id);
        pools.set(key, pool);
      }
    }
  }
  return pools;
}

/** What one gain is among the samples of a pool (spec S4): gain in nats and L_t in, samples out; none where it is compared with nobody. */
export const NORMS: Readonly<
  Record<
    CreditOptions['norm'],
    { readonly equation: string; readonly of: (gain: number, tokens: number) => readonly Sample[] }
  >
> = {
  /** x = gain, one sample a turn (spec S4). */
  turn: { equation: 'x = gain, one sample a turn', of: (gain) => [{ value: gain, weight: 1 }] },
  /** x = gain / L_t, counted L_t times: parity with the reference implementation, favours short questions (spec S4). */
  token: {
    equation: 'x = gain / L_t, counted L_t times; favours short questions',
    of: (gain, tokens) => (tokens === 0 ? [] : [{ value: gain / tokens, weight: tokens }]),
  },
  /** A_int = gain: no pool, no centring (spec S4). */
  none: { equation: 'A_int = gain, compared with nothing', of: () => [] },
};

function samplesOf({ gain, tokens }: CreditTurn, norm: CreditOptions['norm']): readonly Sample[] {
  return gain === null ? [] : NORMS[norm].of(gain, tokens);
}

const groupKey = (groupId: string, index: number | null): string => JSON.stringify([groupId, index]);
const batchKey = (index: number | null): string => JSON.stringify([index]);

const NO_POOL: InfoPool = { level: 'none', n: null, mean: null, sd: null };

type Rung = Collected | undefined;

/** Whom a gain is compared with (spec S4): what the group and the batch gave in, a pool out. */
export const POOLS: Readonly<
  Record<
    CreditOptions['pool'],
    { readonly equation: string; readonly of: (group: Rung, batch: Rung, options: InfoOptions) => InfoPool }
  >
> = {
  /** The first that holds: group, batch, calibrated, none (spec S4). */
  ladder: {
    equation:
      'the first that holds: group (2 episodes, 2 turns), batch (min-batch turns, 3 episodes), calibrated, none',
    of: climb,
  },
  /** The group, whatever its size; one sample gives 0 (spec S4). */
  group: { equation: 'the group, whatever its size', of: (group) => poolOf('group', group) },
  /** The batch, whatever its size; one sample gives 0 (spec S4). */
  batch: { equation: 'the batch, whatever its size', of: (_, batch) => poolOf('batch', batch) },
  /** mu0 and sd0 of the scorer's placebo gains (spec S4, rung 3). */
  calibrated: {
    equation: "mean and sd of the scorer's placebo gains",
    of: (_, __, options) => calibrated(options),
  },
};

/** Which turns a pool holds (spec S4). */
export const POOL_MEMBERS: Readonly<Record<CreditOptions['pool_by'], { readonly equation: string }>> = {
  /** Turns of every index: the paper's (spec S4, arXiv 2603.00656). */
  all: { equation: "turns of every index: the paper's" },
  /** Turn i with turns i alone, since turns at other depths are not comparable (spec S4, A2TGPO, arXiv 2605.06200). */
  index: { equation: 'turn i with turns i alone' },
};

function choosePool(group: Rung, batch: Rung, options: InfoOptions): InfoPool {
  return options.norm === 'none' ? NO_POOL : POOLS[options.pool].of(group, batch, options);
}

function poolOf(level: 'group' | 'batch', collected: Rung): InfoPool {
  return collected ? { level, ...momentsOf(collected.samples) } : NO_POOL;
}

/** The first rung that holds: group, batch, calibrated, none. */
function climb(group: Rung, batch: Rung, options: InfoOptions): InfoPool {
  if (group && group.episodes.size >= 2 && group.turns >= 2) return poolOf('group', group);
  if (batch && batch.turns >= options.min_batch && batch.episodes.size >= 3) return poolOf('batch', batch);
  return calibrated(options);
}

function calibrated({ placebo_mean, placebo_sd }: InfoOptions): InfoPool {
  // Placebo gains that never differ calibrate nothing.
  if (placebo_mean === null || placebo_sd === null || placebo_sd === 0) return NO_POOL;
  return { level: 'calibrated', n: null, mean: placebo_mean, sd: placebo_sd };
}
