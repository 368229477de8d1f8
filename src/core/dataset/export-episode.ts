import { outcomeOf, type OutcomeKind, type ProposalDecision } from '../credit/outcome.ts';
import { creditEpisodeOf } from '../credit/from-score.ts';
import type { CreditEpisode } from '../credit/ledger.ts';
import type { EpisodeState, TurnState } from '../episode-state.ts';
import type { ScoredEpisode, ScoreFlag } from '../scored-episode.ts';
import { rowContexts, type RowContexts } from './contexts.ts';
import type { DatasetRow } from './schema.ts';

/** An episode that may be exported, with what the export itself adds to it. */
export interface ExportEpisode {
  readonly state: EpisodeState;
  readonly consent: DatasetRow['consent'];
  /** Salted hash of who it was; null where nobody knows. */
  readonly person: string | null;
  readonly weight: number;
  readonly split: DatasetRow['extra_info']['split'];
  /** Position in its split, in the order of ids. */
  readonly index: number;
  /** Which facts may decide the outcome; absent: any. */
  readonly outcome?: OutcomeKind | undefined;
  /** Secrets that were replaced in its conversation; left out: none. */
  readonly replacements?: number;
}

/** What decided the outcome R, and R itself in [0, 1] or null (spec S2): what an import gave, else the facts of this kind. */
export function exportedOutcome(
  state: EpisodeState,
  kind: OutcomeKind = 'combined',
): {
  readonly value: number | null;
  readonly detail: DatasetRow['outcome_detail'];
} {
  const proposal = state.turns.findLast(({ kind, state: how }) => kind === 'answer' && how !== 'inherited') ?? null;
  const evidence = {
    tests: proposal?.tests ?? null,
    thumb: state.episodeThumb,
    decision: proposal === null ? null : decisionOf(proposal),
  };
  const { value, decidedBy } = outcomeOf(evidence, kind);
  const facts = {
    passed: evidence.tests?.passed ?? null,
    total: evidence.tests?.total ?? null,
    accepted: proposal?.decision == null ? null : proposal.decision === 'accepted',
    survival: proposal?.survival ?? null,
    thumb: state.episodeThumb,
  };
  if (state.givenOutcome !== null) return { value: state.givenOutcome, detail: { kind: 'given', ...facts } };
  return { value, detail: { kind: decidedBy ?? 'unknown', ...facts } };
}

/** The scores that still fit an episode: made when it had as many actions as now. A conversation that went on has none. */
export function fittingScores(state: EpisodeState, scored: ScoredEpisode | null): ScoredEpisode | null {
  return scored?.turns.length === state.turns.length ? scored : null;
}

/** The ids that an episode's row ships. */
export function exportedContexts(state: EpisodeState, scored: ScoredEpisode | null): RowContexts | null {
  return rowContexts(state.turns, scored);
}

/**
 * What the batch needs of an episode, by the ids that its row ships: L_t counts the policy's own tokens where they are known,
 * else the scorer's (spec, Words). Its group and outcome are those of today, whatever they were when it was scored.
 */
export function exportedCredit(state: EpisodeState, scored: ScoredEpisode, kind?: OutcomeKind): CreditEpisode {
  const contexts = exportedContexts(state, scored);
  return creditEpisodeOf({
    episode_id: state.id,
    group_id: state.groupId,
    group_rule: state.groupRule,
    outcome: exportedOutcome(state, kind).value,
    turns: scored.turns.map((turn, index) => {
      const action_state = state.turns[index]?.state ?? 'sampled';
      const ids = contexts?.contexts[index]?.action_ids;
      return {
        ...turn,
        index,
        action_state,
        flags: exportedFlags(state, scored, index),
        tokens: action_state === 'sampled' ? (ids?.length ?? turn.tokens) : 0,
      };
    }),
  });
}

/** Cautions of a turn's gain: those of its scores, and what today is known about the next action. */
export function exportedFlags(state: EpisodeState, scored: ScoredEpisode | null, index: number): ScoreFlag[] {
  const next = state.turns[index + 1]?.state;
  return [
    ...(next === 'stopped' ? (['next_action_stopped'] as const) : []),
    ...(next === 'edited' ? (['next_action_edited'] as const) : []),
    ...(scored?.turns[index]?.flags ?? []).filter((flag) => flag === 'placeholder_unfit'),
  ];
}

function decisionOf({ decision, survival }: TurnState): ProposalDecision | null {
  if (decision === null) return null;
  if (decision === 'rejected') return { kind: 'rejected' };
  return survival === null ? { kind: 'accepted' } : { kind: 'accepted_then_edited', survival };
}
