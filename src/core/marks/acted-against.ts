import { ownTurns, TOLD_FROM, toldOf, type Mark } from './mark.ts';

/** The turns whose reply made what the agent did next less likely: it acted against what it was told (spec S1). */
export const actedAgainst: Mark = {
  id: 'acted_against',
  title: 'acted against the reply',
  rule: `What the agent did next was less likely for this reply than without it: −${TOLD_FROM} nats or less in total, and less a token than a placebo gains.`,
  of: (episode) =>
    ownTurns(episode)
      .filter((turn) => toldOf(turn, episode.placeboMean) === 'against')
      .map(({ index }) => index),
};
