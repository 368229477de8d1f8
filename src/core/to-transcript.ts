import type { EpisodeState } from './episode-state.ts';
import type { Transcript } from './transcript.ts';

/**
 * An episode as the scorer and an export of plain transcripts take it: messages as the policy saw them, `action_ids` where
 * every action's ids are known, `action_states` per action. The outcome is what an import gave, else null: which of tests,
 * ratings and decisions counts is the caller's rule. Keys of an import that we do not know are handed on.
 */
export function toTranscript(state: EpisodeState): Transcript {
  const ids = state.turns.map((turn) => turn.ids);
  const known = ids.filter((list) => list !== null);
  return {
    ...state.importedRow,
    episode_id: state.id,
    group_id: state.groupId,
    group_rule: state.groupRule,
    outcome: state.givenOutcome,
    source: state.source,
    messages: [...state.messages],
    // Half-known ids would read as empty actions; the scorer tokenizes all of them instead.
    ...(known.length === ids.length && ids.length > 0 ? { action_ids: known.map((list) => [...list]) } : {}),
    action_states: state.turns.map((turn) => turn.state),
  };
}

/** The same with what each action's model read in front of it and was told of, so that a scorer renders the same, and can tell. */
export function toScorable(state: EpisodeState): Transcript {
  const prompts = state.turns.map(({ generation }) =>
    generation?.prompt_ids ? { model: generation.model, ids: [...generation.prompt_ids] } : null,
  );
  const offered = state.turns.map(({ generation }) => generation?.offered_tools?.slice() ?? null);
  return {
    ...toTranscript(state),
    prompts,
    ...(offered.some((names) => names !== null) ? { offered_tools: offered } : {}),
  };
}
