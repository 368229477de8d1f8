import { answered, FAILED_BELOW, NOTHING_BELOW, type Mark } from './mark.ts';

/** The questions of an episode that came out well though no reply told the agent anything: the request had said it all. */
export const allWasSaid: Mark = {
  id: 'all_was_said',
  title: 'asked although all was said',
  rule: `This reply told the agent nothing (less than ${NOTHING_BELOW} nats in total, either way), no other reply told it more, and the outcome was good all the same (${FAILED_BELOW} or more): the request had said it all.`,
  of: (episode) => {
    if (episode.outcome === null || episode.outcome < FAILED_BELOW) return [];
    const questions = answered(episode);
    // What a branch inherited may have told it; its parent knows.
    const whole = episode.turns.every(({ inherited }) => !inherited);
    return whole && questions.every(({ told }) => told === 'nothing') ? questions.map(({ turn }) => turn.index) : [];
  },
};
