import { answered, NOTHING_BELOW, TOLD_FROM, type Mark } from './mark.ts';

/** The questions whose answers told nothing in an episode where another answer did: asked for the sake of asking. */
export const ownSake: Mark = {
  id: 'own_sake',
  title: 'asked for its own sake',
  rule: `This reply told the agent nothing (less than ${NOTHING_BELOW} nats in total, either way), while another reply of the conversation told it something (${TOLD_FROM} nats or more).`,
  of: (episode) => {
    const questions = answered(episode);
    if (!questions.some(({ told }) => told === 'something')) return [];
    return questions.filter(({ told }) => told === 'nothing').map(({ turn }) => turn.index);
  },
};
