import type { TurnState } from '../episode-state.ts';
import type { ScoredEpisode, ScoredTurn } from '../scored-episode.ts';

/** One action in the context it was seen in; all ids are of one tokenizer. */
export interface TurnContext {
  readonly prompt_ids: readonly number[];
  readonly action_ids: readonly number[];
  /** Behaviour log-probs in nats parallel to `action_ids`; null where the server gave none. */
  readonly logprobs: readonly number[] | null;
  /** Span [start, end) of the turn before's observations inside `prompt_ids`; null where unknown. */
  readonly observed: { readonly start: number; readonly end: number } | null;
}

/** The contexts of an episode, parallel to its turns; null for an action whose ids are unknown. */
export interface RowContexts {
  readonly source: 'policy' | 'scorer';
  readonly contexts: readonly (TurnContext | null)[];
}

/**
 * Which ids a row ships: those the policy's server recorded, where it recorded prompt and action of every sampled turn, else
 * those the scorer rendered; never a mixture, since two tokenizers may differ. Null where nobody knows any.
 */
export function rowContexts(turns: readonly TurnState[], scored: ScoredEpisode | null): RowContexts | null {
  const rendered = turns.map((_, index) => scorerPrompt(scored, index));
  const sampled = turns.filter(({ state }) => state === 'sampled');
  const recorded = sampled.every(({ generation }) => generation?.prompt_ids != null && isAction(generation.ids));
  if (sampled.length > 0 && recorded) {
    return {
      source: 'policy',
      contexts: turns.map(({ generation }, index) => {
        if (generation?.prompt_ids == null || !isAction(generation.ids)) return null;
        return {
          prompt_ids: generation.prompt_ids,
          action_ids: generation.ids,
          logprobs: parallel(generation.logprobs, generation.ids),
          observed: sharedSpan(observedSpan(scored, index), generation.prompt_ids, rendered[index] ?? null),
        };
      }),
    };
  }
  const contexts = turns.map(({ generation }, index): TurnContext | null => {
    const prompt = rendered[index];
    const action = scored?.turns[index]?.action_ids;
    if (prompt == null || !isAction(action)) return null;
    const own = generation?.ids != null && sameIds(generation.ids, action);
    return {
      prompt_ids: prompt,
      action_ids: action,
      logprobs: own ? parallel(generation.logprobs, action) : null,
      observed: observedSpan(scored, index),
    };
  });
  return contexts.some((context) => context !== null) ? { source: 'scorer', contexts } : null;
}

/** The scorer's rendering in front of an action: its context up to where the action starts. */
function scorerPrompt(scored: ScoredEpisode | null, index: number): readonly number[] | null {
  const turn = scored?.turns[index];
  if (turn?.context == null || turn.action_start == null) return null;
  return scored?.contexts?.[turn.context]?.slice(0, turn.action_start) ?? null;
}

/** Where the scorer saw the observations that the turn before elicited. */
function observedSpan(scored: ScoredEpisode | null, index: number): TurnContext['observed'] {
  const before: ScoredTurn | undefined = index === 0 ? undefined : scored?.turns[index - 1];
  if (before?.obs_start == null || before.obs_end == null) return null;
  return { start: before.obs_start, end: before.obs_end };
}

/** A span holds in other ids only where everything up to its end is the same. */
function sharedSpan(
  span: TurnContext['observed'],
  ids: readonly number[],
  rendered: readonly number[] | null,
): TurnContext['observed'] {
  if (span === null || rendered === null || span.end > ids.length) return null;
  return sameIds(ids.slice(0, span.end), rendered.slice(0, span.end)) ? span : null;
}

/** An action of no tokens has no place. */
function isAction(ids: readonly number[] | null | undefined): ids is readonly number[] {
  return ids != null && ids.length > 0;
}

function parallel(logprobs: readonly number[] | null, ids: readonly number[]): readonly number[] | null {
  return logprobs?.length === ids.length ? logprobs : null;
}

function sameIds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, position) => id === b[position]);
}
