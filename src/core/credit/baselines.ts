import type { Baseline, LedgerTurn } from './ledger.ts';

/** One advantage per turn, broadcast to its tokens; null where the method has none. */
type Column = (number | null)[];

/** What the baselines read of an episode; turns in order. */
export interface BaselineEpisode {
  readonly z: number | null;
  readonly scale: number;
  readonly outcome: number | null;
  readonly turns: readonly BaselineTurn[];
}

export interface BaselineTurn {
  readonly tokens: number;
  readonly a_int: number | null;
  /** The turn's reward as the source of the data gives it; without any on the whole episode the last turn has R and the others 0. */
  readonly reward?: number | null | undefined;
  /** Mean log-prob in nats of a reference solution before and after the turn's reply; null without a reference. */
  readonly reference?: { readonly before: number; readonly after: number } | null | undefined;
}

interface BaselineMethod {
  readonly equation: string;
  readonly of: (episode: BaselineEpisode) => Column;
}

/** Other ways to credit the same turns, one column each, to compare with (spec, Baselines). Columns run parallel to turns. */
export const BASELINES: Readonly<Record<Baseline, BaselineMethod>> = {
  /** z for every turn: group relative policy optimisation, no turn-level credit (arXiv 2402.03300). */
  grpo: { equation: 'z', of: ({ z, turns }) => turns.map(() => z) },
  /** s * A_int,t: information alone, the outcome left out (spec S4, S6). */
  intrinsic_only: {
    equation: 's * A_int,t',
    of: ({ scale, turns }) => turns.map(({ a_int }) => (a_int === null ? null : scale * a_int)),
  },
  /** c_t = 1: every turn the same share (UserRL, arXiv 2509.19736). */
  equalized: { equation: 'c_t = 1, rescaled to a mean of z', of: (episode) => rescaledColumn(episode, 'equalized') },
  /** c_t = r_t + 0.8 c_{t+1}: reward to go (UserRL, arXiv 2509.19736). */
  r2g: {
    equation: 'c_t = r_t + 0.8 c_{t+1}, rescaled to a mean of z',
    of: (episode) => rescaledColumn(episode, 'r2g'),
  },
  /** c_t = 0.5 + 0.5 (1 - exp(-2 r_t)) / (1 - exp(-2)): exponential map of the turn's reward (UserRL, arXiv 2509.19736). */
  em: {
    equation: 'c_t = 0.5 + 0.5 (1 - exp(-2 r_t)) / (1 - exp(-2)), rescaled to a mean of z',
    of: (episode) => rescaledColumn(episode, 'em'),
  },
  /** exp(mean lp(ref | ..o_t)) - exp(mean lp(ref | ..a_t)): what the reply did for a reference (IGPO, arXiv 2510.14967). */
  igpo: {
    equation: 'exp(mean lp(ref | ..o_t)) - exp(mean lp(ref | ..a_t)); null without a reference solution',
    of: ({ turns }) => turns.map(({ reference }) => igpo(reference ?? null)),
  },
};

export const baselineNames = Object.keys(BASELINES) as Baseline[];

/** No number by any method. */
export const NO_BASELINES: LedgerTurn['baselines'] = {
  grpo: null,
  intrinsic_only: null,
  equalized: null,
  r2g: null,
  em: null,
  igpo: null,
};

/** All columns of an episode, turn by turn. */
export function baselineColumns(episode: BaselineEpisode): LedgerTurn['baselines'][] {
  const columns = baselineNames.map((name) => [name, BASELINES[name].of(episode)] as const);
  return episode.turns.map((_, t) =>
    columns.reduce((row, [name, column]) => ({ ...row, [name]: column[t] ?? null }), NO_BASELINES),
  );
}

const GAMMA = 0.8;

/** Reward to go with discount 0.8: `c_t = r_t + 0.8 c_{t+1}` (spec, Baselines). */
export function rewardToGo(rewards: readonly number[]): number[] {
  let later = 0;
  return rewards
    .toReversed()
    .map((reward) => (later = reward + GAMMA * later))
    .reverse();
}

/** Gain in probability of a reference solution, from its mean log-probs in nats (spec, Baselines); null without one. */
export function igpo(reference: { readonly before: number; readonly after: number } | null): number | null {
  return reference === null ? null : Math.exp(reference.after) - Math.exp(reference.before);
}

/** A method whose token credit is brought to a mean of z. */
export type RescaledBaseline = 'equalized' | 'r2g' | 'em';

/** Turn credits c_t out of turn rewards r_t. */
const CREDITS: Readonly<Record<RescaledBaseline, (rewards: readonly number[]) => number[]>> = {
  equalized: (rewards) => rewards.map(() => 1),
  r2g: rewardToGo,
  em: (rewards) => rewards.map((r) => 0.5 + (0.5 * Math.expm1(-2 * r)) / Math.expm1(-2)),
};

/** What a column was made of: rewards r_t, credits c_t, tokens with credit, and the sum of their credit. */
export interface Rescaling {
  readonly rewards: readonly number[];
  readonly credits: readonly number[];
  readonly tokens: number;
  readonly sum: number;
}

/** The numbers behind a rescaled column; null where a reward is unknown. */
export function rescaling({ outcome, turns }: BaselineEpisode, method: RescaledBaseline): Rescaling | null {
  const given = turns.some(({ reward }) => reward != null);
  const rewards = turns.flatMap(({ reward }, t) => {
    const own = given ? reward : t === turns.length - 1 ? outcome : 0;
    return own ?? [];
  });
  if (rewards.length < turns.length) return null;
  const credits = CREDITS[method](rewards);
  let tokens = 0;
  let sum = 0;
  credits.forEach((credit, t) => {
    const weight = credit === 0 ? 0 : (turns[t]?.tokens ?? 0);
    tokens += weight;
    sum += weight * credit;
  });
  return { rewards, credits, tokens, sum };
}

/**
 * Token credit in proportion to c_t, rescaled so that its mean over the tokens with credit is z. All zero stays 0; null where z
 * or a reward is unknown, and where credits cancel out, so that no factor brings their mean to z.
 */
function rescaledColumn(episode: BaselineEpisode, method: RescaledBaseline): Column {
  const { z } = episode;
  const behind = rescaling(episode, method);
  if (z === null || behind === null) return episode.turns.map(() => null);
  const { credits, tokens, sum } = behind;
  if (credits.every((credit) => credit === 0)) return episode.turns.map(() => 0);
  return credits.map((credit) => (sum === 0 ? null : (credit * z * tokens) / sum));
}
