import { FAILED_BELOW, TOLD_FROM, toldOf, type Mark } from './mark.ts';

/** The first answer of an episode that failed, where no reply before it had told the agent anything. */
export const prematureAnswer: Mark = {
  id: 'premature_answer',
  title: 'premature answer',
  rule: `The agent answered before any reply had told it something (${TOLD_FROM} nats or more in total, and more a token than a placebo gains), and the outcome failed (below ${FAILED_BELOW}).`,
  of: ({ outcome, placeboMean, turns }) => {
    const at = turns.findIndex(({ kind }) => kind === 'answer');
    const answer = turns[at];
    if (answer === undefined || answer.inherited || outcome === null || outcome >= FAILED_BELOW) return [];
    const before = turns.slice(0, at).filter(({ replied }) => replied);
    // One gain that nobody knows may have been the telling one.
    const empty = before.every((turn) => {
      const told = toldOf(turn, placeboMean);
      return told !== null && told !== 'something';
    });
    return empty ? [answer.index] : [];
  },
};
