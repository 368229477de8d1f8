import type { TurnState } from '../episode-state.ts';
import type { ScoredEpisode, ScoredTurn } from '../scored-episode.ts';
import { actedAgainst } from './acted-against.ts';
import { allWasSaid } from './all-was-said.ts';
import { honourableFailure } from './honourable-failure.ts';
import { MARK_IDS, type Mark, type MarkEpisode, type MarkId, type MarkTurn } from './mark.ts';
import { ownSake } from './own-sake.ts';
import { prematureAnswer } from './premature-answer.ts';

/** Every mark there is, in the order in which they are shown. */
export const MARKS: Readonly<Record<MarkId, Mark>> = {
  honourable_failure: honourableFailure,
  premature_answer: prematureAnswer,
  all_was_said: allWasSaid,
  own_sake: ownSake,
  acted_against: actedAgainst,
};

/** The marks of each turn that has any, by its index. A gain or outcome that is unknown gives no mark. */
export function marksOf(episode: MarkEpisode): ReadonlyMap<number, readonly MarkId[]> {
  const marks = new Map<number, MarkId[]>();
  for (const id of MARK_IDS) {
    for (const turn of MARKS[id].of(episode)) marks.set(turn, [...(marks.get(turn) ?? []), id]);
  }
  return marks;
}

/** What the rules read of an episode as it stands and as it was scored; `scored` null: it has no scores. */
export function markEpisode(
  turns: readonly Pick<TurnState, 'index' | 'kind' | 'state' | 'observations'>[],
  outcome: number | null,
  scored: (Pick<ScoredEpisode, 'placebo'> & { readonly turns: readonly GainOf[] }) | null,
): MarkEpisode {
  return {
    outcome,
    placeboMean: scored?.placebo?.mean ?? null,
    turns: turns.map(({ index, kind, state, observations }): MarkTurn => {
      const score = scored?.turns[index];
      const next = turns[index + 1]?.state;
      return {
        index,
        kind,
        inherited: state === 'inherited',
        replied: observations.length > 0,
        mean: score?.gain ?? null,
        total: score?.gain_sum ?? null,
        doubtful: next === 'stopped' || next === 'edited' || (score?.flags ?? []).length > 0,
      };
    }),
  };
}

type GainOf = Pick<ScoredTurn, 'gain' | 'gain_sum' | 'flags'>;
