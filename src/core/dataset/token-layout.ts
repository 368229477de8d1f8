import type { TurnContext } from './contexts.ts';
import type { DatasetRow, Segment } from './schema.ts';

/** The credit of one turn as its tokens carry it. */
export interface TurnCredit {
  /** A_t of S7; null: unknown, so the action is not trained on. */
  readonly advantage: number | null;
  /** Sampled by the policy and untouched. */
  readonly trainable: boolean;
}

/** Span [start, end) in tokens. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The token columns of a row, and where each turn stands in them. */
export interface TokenLayout {
  readonly columns: Pick<DatasetRow, 'input_ids' | 'loss_mask' | 'behavior_logprobs' | 'token_advantages' | 'segments'>;
  readonly actions: readonly (Span | null)[];
  /** Observations of turn t, in the ids that turn t + 1 was generated from. */
  readonly observations: readonly (Span | null)[];
}

/**
 * Lays the contexts of an episode into token columns. Where every context is a prefix of the last one there is one sequence;
 * otherwise one segment per action, each with the ids that the policy saw at that moment, so that ids it never saw together
 * never stand together. `scored` false (no batch) leaves the advantages null.
 */
export function layTokens(
  contexts: readonly (TurnContext | null)[],
  credits: readonly TurnCredit[],
  { scored }: { readonly scored: boolean },
): TokenLayout {
  const sequences = contexts.map((context) => context && [...context.prompt_ids, ...context.action_ids]);
  const known = sequences.filter((ids) => ids !== null);
  const whole = known.at(-1);
  const actions = contexts.map(
    (context) =>
      context && { start: context.prompt_ids.length, end: context.prompt_ids.length + context.action_ids.length },
  );
  const observations = contexts.map((_, turn) => contexts[turn + 1]?.observed ?? null);
  if (whole === undefined) return { columns: NO_TOKENS, actions, observations };
  const spans = contexts.map((context, turn): TrainedSpan | null => {
    const span = actions[turn];
    const credit = credits[turn];
    if (!context || !span || !credit) return null;
    return { ...span, logprobs: context.logprobs, advantage: credit.trainable ? credit.advantage : null };
  });
  if (known.every((ids) => isPrefix(ids, whole))) {
    const trained = spans.filter((span) => span !== null);
    return {
      columns: { input_ids: whole, ...tokenColumns(whole.length, trained, scored), segments: null },
      actions,
      observations,
    };
  }
  const segments = sequences.flatMap((ids, turn): Segment[] => {
    const span = spans[turn];
    return ids && span ? [{ input_ids: ids, ...tokenColumns(ids.length, [span], scored), turn_index: turn }] : [];
  });
  return { columns: { ...NO_TOKENS, segments }, actions, observations };
}

const NO_TOKENS = {
  input_ids: null,
  loss_mask: null,
  behavior_logprobs: null,
  token_advantages: null,
  segments: null,
};

interface TrainedSpan extends Span {
  readonly logprobs: readonly number[] | null;
  readonly advantage: number | null;
}

function tokenColumns(
  length: number,
  spans: readonly TrainedSpan[],
  scored: boolean,
): Pick<Segment, 'loss_mask' | 'behavior_logprobs' | 'token_advantages'> {
  const loss_mask = new Array<0 | 1>(length).fill(0);
  const behaviour = new Array<number | null>(length).fill(null);
  const advantages = new Array<number>(length).fill(0);
  let recorded = false;
  for (const { start, end, logprobs, advantage } of spans) {
    if (advantage === null) continue;
    for (let position = start; position < end; position += 1) {
      loss_mask[position] = 1;
      advantages[position] = Math.fround(advantage);
      const logprob = logprobs?.[position - start];
      if (logprob === undefined) continue;
      behaviour[position] = Math.fround(logprob);
      recorded = true;
    }
  }
  return {
    loss_mask,
    behavior_logprobs: recorded ? behaviour : null,
    token_advantages: scored ? advantages : null,
  };
}

function isPrefix(ids: readonly number[], whole: readonly number[]): boolean {
  return ids.length <= whole.length && ids.every((id, position) => id === whole[position]);
}
