import type { ScoredEpisode, ScoredTurn, ScoreFlag } from '../scored-episode.ts';
import type { CreditEpisode } from './ledger.ts';

/** What credit reads of a scored episode. */
export interface CreditSource extends Pick<ScoredEpisode, 'episode_id' | 'group_id' | 'outcome'> {
  readonly turns: readonly Pick<ScoredTurn, 'index' | 'tokens' | 'gain' | 'null_reason' | 'flags' | 'action_state'>[];
}

/**
 * A member of a batch, from its scores (spec S1). A gain whose next action was stopped or edited enters no pool, and neither
 * does a turn that a branch inherited: its parent brings it in.
 */
export function creditEpisodeOf({ episode_id, group_id, outcome, turns }: CreditSource): CreditEpisode {
  return {
    episode_id,
    group_id,
    outcome,
    turns: turns.map(({ index, tokens, gain, null_reason, flags = [], action_state }) => ({
      index,
      tokens,
      gain,
      null_reason: gain === null ? (null_reason ?? 'not_scored_yet') : null,
      pooled: action_state !== 'inherited' && !flags.some((flag) => OUT_OF_POOLS.has(flag)),
    })),
  };
}

const OUT_OF_POOLS: ReadonlySet<ScoreFlag> = new Set(['next_action_stopped', 'next_action_edited']);
