import type { z } from 'zod';
import { scoredEpisodeSchema } from './scored-episode.ts';

/** A score without its tokens and log-probs, which are nine tenths of it: what credit and lists read. */
export const lightScoreSchema = scoredEpisodeSchema.pick({
  episode_id: true,
  group_id: true,
  group_rule: true,
  outcome: true,
  scorer: true,
  options: true,
  placebo: true,
  turns: true,
});
export type LightScore = z.infer<typeof lightScoreSchema>;

/** Takes tokens and log-probs out of a score. */
export function lightScoreOf({
  episode_id,
  group_id,
  group_rule,
  outcome,
  scorer,
  options,
  placebo,
  turns,
}: LightScore): LightScore {
  const bare = { action_ids: null, mask_ids: null, logp_factual: null, logp_masked: null };
  const light = turns.map((turn) => ({
    ...turn,
    ...bare,
    obs_gains: turn.obs_gains?.map((own) => ({ ...own, logp_masked: null })),
  }));
  return { episode_id, group_id, group_rule, outcome, scorer, options, placebo, turns: light };
}
