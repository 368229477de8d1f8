import { TurnwiseError } from '../error.ts';
import { sha256Text } from '../sha.ts';
import { baselineColumns, NO_BASELINES } from './baselines.ts';
import { fuse } from './fuse.ts';
import { gate, gateSd } from './gate.ts';
import { normaliseInformation, type EpisodeInformation } from './information.ts';
import {
  LEDGER_SCHEMA,
  type CreditEpisode,
  type CreditOptions,
  type CreditTurn,
  type Ledger,
  type LedgerTurn,
} from './ledger.ts';
import { outcomeAdvantages, type OutcomeAdvantage } from './outcome-advantage.ts';
import { informationScale, type Scale } from './scale.ts';

/**
 * The ledgers of one batch, parallel to `episodes`, turns by index: S3 outcome advantage, S4 information, S5 gate, S6 cap, S7
 * fusion (arXiv 2603.00656). Pure: the order of the episodes changes no bit of any number. Throws where two episodes share an
 * id or two turns of one share an index.
 */
export function creditBatch(episodes: readonly CreditEpisode[], options: CreditOptions): Ledger[] {
  const members = inOrder(episodes);
  const outcomes = outcomeAdvantages(members, options.singleton);
  const information = normaliseInformation(members, options);
  const parts = members.flatMap((episode, at): Part[] => {
    const outcome = outcomes[at];
    const info = information[at];
    return outcome && info ? [{ episode, outcome, info }] : [];
  });
  const scale = informationScale(
    parts.map(({ outcome, info }) => ({
      z: outcome.z,
      turns: info.turns.map(({ turn, aInt }) => ({ tokens: turn.tokens, aInt })),
    })),
  );
  const batch = { id: batchId(members, options), n: members.length };
  const ledgers = new Map(parts.map((part) => [part.episode.episode_id, ledgerOf(part, scale, batch, options)]));
  return episodes.flatMap(({ episode_id }) => ledgers.get(episode_id) ?? []);
}

/**
 * Name of a batch: SHA-256 over its options and over its members' ids, groups, outcomes, loss tokens and gains, in the order
 * of their ids, and over turn rewards and references where there are some. Equal names mean comparable advantages.
 */
export function batchId(episodes: readonly CreditEpisode[], options: CreditOptions): string {
  const choices = Object.entries(options).sort(([a], [b]) => compare(a, b));
  const members = inOrder(episodes).map(({ episode_id, group_id, outcome, turns }) => [
    episode_id,
    group_id,
    outcome,
    turns.map(({ index, tokens, gain, pooled, reward, reference }) => [
      index,
      tokens,
      gain,
      pooled,
      ...(reward == null && reference == null ? [] : [reward ?? null, reference ?? null]),
    ]),
  ]);
  return sha256Text(JSON.stringify([choices, members]));
}

interface Part {
  readonly episode: CreditEpisode;
  readonly outcome: OutcomeAdvantage;
  readonly info: EpisodeInformation;
}

function ledgerOf(
  { episode, outcome, info }: Part,
  { scale, sdOut, sdInt }: Scale,
  batch: { readonly id: string; readonly n: number },
  options: CreditOptions,
): Ledger {
  const sd = gateSd(outcome, info.pool, options);
  const opening = gate(sd, options);
  const factors = { beta: options.beta, gate: opening, scale };
  const columns = baselineColumns({
    z: outcome.z,
    scale,
    outcome: episode.outcome,
    turns: info.turns.map(({ turn, aInt }) => ({ ...turn, a_int: aInt })),
  });
  return {
    schema: LEDGER_SCHEMA,
    episode_id: episode.episode_id,
    group_id: episode.group_id,
    group_rule: episode.group_rule ?? null,
    outcome: episode.outcome,
    z: outcome.z,
    outcome_level: outcome.level,
    group_n: outcome.group.n,
    group_mean: outcome.group.mean,
    group_sd: outcome.group.sd,
    outcome_mean: outcome.mean,
    outcome_sd: outcome.sd,
    gate_sd: sd,
    gate: opening,
    scale,
    sd_out: sdOut,
    sd_int: sdInt,
    info_level: info.pool?.level ?? null,
    info_n: info.pool?.n ?? null,
    info_mean: info.pool?.mean ?? null,
    info_sd: info.pool?.sd ?? null,
    batch_id: batch.id,
    batch_n: batch.n,
    options,
    turns: info.turns.map(({ turn, aInt, reason, pool }, at): LedgerTurn => {
      const { index, tokens, gain, pooled } = turn;
      const advantage = fuse(outcome.z, aInt, factors);
      const baselines = columns[at] ?? NO_BASELINES;
      const carried = carriedOf(turn);
      const own = { index, tokens, gain, a_int: aInt, advantage, null_reason: reason, pooled, baselines, ...carried };
      if (info.pool !== null) return own;
      return { ...own, info_level: pool.level, info_n: pool.n, info_mean: pool.mean, info_sd: pool.sd };
    }),
  };
}

/** What the ledger says of a turn as it was told; nothing where nothing was. */
function carriedOf({ obs_gains, kl_support, reward, reference }: CreditTurn): Partial<LedgerTurn> {
  return {
    ...(obs_gains === undefined ? {} : { obs_gains: [...obs_gains] }),
    ...(kl_support === undefined ? {} : { kl_support }),
    ...(reward === undefined ? {} : { reward }),
    ...(reference === undefined ? {} : { reference }),
  };
}

/** Members by id and their turns by index, so that sums run in one order whatever the order of the input. */
function inOrder(episodes: readonly CreditEpisode[]): CreditEpisode[] {
  const members = episodes
    .map((episode) => ({ ...episode, turns: episode.turns.toSorted((a, b) => a.index - b.index) }))
    .sort((a, b) => compare(a.episode_id, b.episode_id));
  members.forEach(({ episode_id, turns }, at) => {
    if (members[at + 1]?.episode_id === episode_id) {
      throw new TurnwiseError('input', 'duplicate_episode', `Episode ${episode_id} is twice in one batch; keep one.`);
    }
    turns.forEach(({ index }, t) => {
      if (turns[t + 1]?.index !== index) return;
      throw new TurnwiseError('input', 'duplicate_turn', `Episode ${episode_id} has turn ${index} twice; keep one.`);
    });
  });
  return members;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
