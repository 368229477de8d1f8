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
  const poolOf = (groupId: string, index: number | null): InfoPool => {
    const key = groupKey(groupId, index);
    const pool = chosen.get(key) ?? choosePool(collected.get(key), collected.get(batchKey(index)), options);
    chosen.set(key, pool);
    return pool;
  };
  return episodes.map(({ group_id, turns }) => ({
    pool: options.pool_by === 'all' ? poolOf(group_id, null) : null,
    turns: turns.map((turn) => {
      const pool = poolOf(group_id, options.pool_by === 'all' ? null : turn.index);
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

function samplesOf({ gain, tokens }: CreditTurn, norm: CreditOptions['norm']): readonly Sample[] {
  if (gain === null) return [];
  switch (norm) {
    case 'turn':
      return [{ value: gain, weight: 1 }];
    case 'token':
      return tokens === 0 ? [] : [{ value: gain / tokens, weight: tokens }];
    case 'none':
      return [];
    default:
      return norm satisfies never;
  }
}

const groupKey = (groupId: string, index: number | null): string => JSON.stringify([groupId, index]);
const batchKey = (index: number | null): string => JSON.stringify([index]);

const NO_POOL: InfoPool = { level: 'none', n: null, mean: null, sd: null };

function choosePool(group: Collected | undefined, batch: Collected | undefined, options: InfoOptions): InfoPool {
  if (options.norm === 'none') return NO_POOL;
  switch (options.pool) {
    case 'group':
      return group ? { level: 'group', ...momentsOf(group.samples) } : NO_POOL;
    case 'batch':
      return batch ? { level: 'batch', ...momentsOf(batch.samples) } : NO_POOL;
    case 'ladder':
      return climb(group, batch, options);
    default:
      return options.pool satisfies never;
  }
}

/** The first rung that holds: group, batch, calibrated, none. */
function climb(group: Collected | undefined, batch: Collected | undefined, options: InfoOptions): InfoPool {
  if (group && group.episodes.size >= 2 && group.turns >= 2) return { level: 'group', ...momentsOf(group.samples) };
  if (batch && batch.turns >= options.min_batch && batch.episodes.size >= 3) {
    return { level: 'batch', ...momentsOf(batch.samples) };
  }
  const { placebo_mean, placebo_sd } = options;
  // Placebo gains that never differ calibrate nothing.
  if (placebo_mean === null || placebo_sd === null || placebo_sd === 0) return NO_POOL;
  return { level: 'calibrated', n: null, mean: placebo_mean, sd: placebo_sd };
}
