import type { ScoredEpisode, ScoredTurn, ScoreFlag } from '../scored-episode.ts';
import type { CreditEpisode, CreditTurn } from './ledger.ts';

/** What credit reads of a scored episode. */
export interface CreditSource extends Pick<ScoredEpisode, 'episode_id' | 'group_id' | 'group_rule' | 'outcome'> {
  readonly turns: readonly (Pick<ScoredTurn, 'index' | 'tokens' | 'gain' | 'null_reason' | 'flags' | 'action_state'> &
    Pick<CreditTurn, 'obs_gains' | 'kl_support' | 'reward' | 'reference'>)[];
}

/**
 * A member of a batch, from its scores (spec S1). A gain whose next action was stopped or edited enters no pool, and neither
 * does a turn that a branch inherited: its parent brings it in.
 */
export function creditEpisodeOf({ episode_id, group_id, group_rule, outcome, turns }: CreditSource): CreditEpisode {
  return {
    episode_id,
    group_id,
    group_rule: group_rule ?? null,
    outcome,
    turns: turns.map(({ index, tokens, gain, null_reason, flags = [], action_state, ...carried }) => ({
      index,
      tokens,
      gain,
      null_reason: gain === null ? (null_reason ?? 'not_scored_yet') : null,
      pooled: action_state !== 'inherited' && !flags.some((flag) => OUT_OF_POOLS.has(flag)),
      obs_gains: carried.obs_gains?.map((own) => ({ gain: own.gain, null_reason: own.null_reason })),
      kl_support: carried.kl_support,
      reward: carried.reward,
      reference: carried.reference,
    })),
  };
}

const OUT_OF_POOLS: ReadonlySet<ScoreFlag> = new Set(['next_action_stopped', 'next_action_edited']);
