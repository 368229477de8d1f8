import { FAILED_BELOW, ownTurns, TOLD_FROM, toldOf, type Mark } from './mark.ts';

/** The turns that told something in an episode that failed: what was learnt is worth keeping though the outcome is not. */
export const honourableFailure: Mark = {
  id: 'honourable_failure',
  title: 'honourable failure',
  rule: `The outcome failed (below ${FAILED_BELOW}), and yet this reply told the agent something: ${TOLD_FROM} nats or more in total, and more a token than a placebo gains.`,
  of: (episode) =>
    episode.outcome === null || episode.outcome >= FAILED_BELOW
      ? []
      : ownTurns(episode)
          .filter((turn) => toldOf(turn, episode.placeboMean) === 'something')
          .map(({ index }) => index),
};
