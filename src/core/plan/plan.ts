import type { ScoreSequence } from '../backend.ts';
import type { NullReason } from '../observation.ts';
import { maskSpan, type MaskMode } from './mask.ts';
import { causalLimit } from './trie.ts';

/** One piece of a tokenised context: what the template and other turns wrote, or one observation to be masked. */
export interface ContextSpan {
  readonly ids: readonly number[];
  readonly observation: boolean;
}

/** What planning needs to know of one turn, in token ids. */
export interface TurnTokens {
  readonly index: number;
  /** The next action's context, cut at this turn's observations; null where it cannot be planned, with the reason. */
  readonly context: readonly ContextSpan[] | null;
  /** Ids of a_{t+1}, end-of-turn token included where one was emitted. */
  readonly nextAction: readonly number[] | null;
  /** Ids of the placeholder for this turn. */
  readonly placeholder: readonly number[] | null;
  readonly nullReason: NullReason | null;
  readonly nullDetail?: string | undefined;
}

/** A sequence to score, with the observation's span [obsStart, obsEnd) in its own coordinates. */
export interface PlannedSequence extends ScoreSequence {
  readonly obsStart: number;
  readonly obsEnd: number;
}

/** The two histories of one turn, or why there are none. */
export type PlannedTurn =
  | {
      readonly index: number;
      readonly factual: PlannedSequence;
      readonly masked: PlannedSequence;
      /** The ids that stand in [obsStart, obsEnd) of the masked sequence. */
      readonly maskIds: readonly number[];
      readonly maskTruncated: boolean;
      /** Each observation masked alone, where there are several; empty where the turn's own mask is that of the one there is. */
      readonly alone: readonly PlannedObservation[];
      readonly nullReason: null;
    }
  | { readonly index: number; readonly nullReason: NullReason; readonly nullDetail?: string | undefined };

/** The history of a turn in which one of its observations is masked and the others stay real, or why there is none. */
export type PlannedObservation =
  | { readonly masked: PlannedSequence; readonly nullReason: null }
  | { readonly masked: null; readonly nullReason: NullReason };

/** Everything that has to be scored for one episode, known before any server is called. */
export interface EpisodePlan {
  readonly episodeId: string;
  readonly turns: readonly PlannedTurn[];
  /** Tokens of all sequences laid end to end: what scoring without any reuse would evaluate. */
  readonly tokens: number;
  /** Causal limit: nodes of the trie of all sequences, each without its last token. No exact scorer can evaluate fewer. */
  readonly limit: number;
}

/**
 * Builds the factual and the masked history of every turn (spec S1): they differ in the text of o_t alone, earlier
 * observations stay real, and both end with a_{t+1}. `contextSize` is the scorer's longest sequence in tokens.
 */
export function planEpisode(
  episodeId: string,
  turns: readonly TurnTokens[],
  options: { readonly maskMode: MaskMode; readonly contextSize: number },
): EpisodePlan {
  const planned = turns.map((turn) => planTurn(turn, options));
  const sequences = sequencesOf(planned);
  return {
    episodeId,
    turns: planned,
    tokens: sequences.reduce((sum, sequence) => sum + sequence.ids.length, 0),
    limit: causalLimit(sequences),
  };
}

/** The sequences of a plan in scoring order, turn by turn: factual, masked, then each observation masked alone. */
export function sequencesOf(turns: readonly PlannedTurn[]): PlannedSequence[] {
  return turns.flatMap((turn) =>
    turn.nullReason === null ? [turn.factual, turn.masked, ...turn.alone.flatMap(({ masked }) => masked ?? [])] : [],
  );
}

function planTurn(
  turn: TurnTokens,
  { maskMode, contextSize }: { readonly maskMode: MaskMode; readonly contextSize: number },
): PlannedTurn {
  const { index, context, nextAction, placeholder } = turn;
  if (turn.nullReason !== null) return { index, nullReason: turn.nullReason, nullDetail: turn.nullDetail };
  if (context === null) return { index, nullReason: 'template_mismatch' };
  if (nextAction === null || nextAction.length === 0) return { index, nullReason: 'no_next_action' };
  if (!context.some((span) => span.observation && span.ids.length > 0)) return { index, nullReason: 'empty_reply' };
  if (placeholder === null) return { index, nullReason: 'no_donor' };
  if (placeholder.length === 0 && maskMode === 'length_matched') {
    return { index, nullReason: 'unsupported', nullDetail: 'an empty placeholder needs --mask-mode natural' };
  }

  let maskTruncated = false;
  const masks = context.map((span) => {
    // An observation without text has nothing to hide: a placeholder in its place would add words instead.
    if (!span.observation || span.ids.length === 0) return span;
    const mask = maskSpan(placeholder, span.ids.length, maskMode);
    maskTruncated ||= mask.truncated;
    return { ids: mask.ids, observation: true };
  });
  const factual = lay(context, nextAction);
  const masked = lay(masks, nextAction);
  const maskIds = masked.ids.slice(masked.obsStart, masked.obsEnd);
  if (sameIds(factual.ids, masked.ids)) return { index, nullReason: 'mask_equals_reply' };
  const longest = Math.max(factual.ids.length, masked.ids.length);
  if (longest > contextSize) {
    const nullDetail = `${longest} tokens, and the scorer takes ${contextSize}`;
    return { index, nullReason: 'too_long', nullDetail };
  }
  const alone = planAlone(context, masks, nextAction, factual, contextSize);
  return { index, factual, masked, maskIds, maskTruncated, alone, nullReason: null };
}

/**
 * One history per observation, parallel to them, with that one masked as it is in the turn's mask (spec S1: per-observation gains
 * are extra). Nothing for a lone observation, which has the turn's gain.
 */
function planAlone(
  context: readonly ContextSpan[],
  masks: readonly ContextSpan[],
  nextAction: readonly number[],
  factual: PlannedSequence,
  contextSize: number,
): PlannedObservation[] {
  const places = context.flatMap(({ observation }, place) => (observation ? [place] : []));
  if (places.length < 2) return [];
  return places.map((place): PlannedObservation => {
    if (context[place]?.ids.length === 0) return { masked: null, nullReason: 'empty_reply' };
    const masked = lay(
      context.map((span, at) => (at === place ? (masks[at] ?? span) : span)),
      nextAction,
    );
    if (sameIds(factual.ids, masked.ids)) return { masked: null, nullReason: 'mask_equals_reply' };
    return masked.ids.length > contextSize ? { masked: null, nullReason: 'too_long' } : { masked, nullReason: null };
  });
}

/** Lays a context and the action end to end; the observation span runs from the first observation to the last. */
function lay(context: readonly ContextSpan[], action: readonly number[]): PlannedSequence {
  const ids: number[] = [];
  let obsStart = -1;
  let obsEnd = 0;
  for (const span of context) {
    if (span.observation && obsStart < 0) obsStart = ids.length;
    for (const id of span.ids) ids.push(id);
    if (span.observation) obsEnd = ids.length;
  }
  const from = ids.length;
  for (const id of action) ids.push(id);
  return { ids, from, to: ids.length, obsStart, obsEnd };
}

function sameIds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, position) => id === b[position]);
}
