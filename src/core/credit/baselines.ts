import type { Ledger } from './ledger.ts';

/** One advantage per turn, broadcast to its tokens; null where the method has none. */
type Column = (number | null)[];

/** What a baseline may need besides the ledger; both arrays run parallel to its turns. */
export interface BaselineInputs {
  /** Turn rewards that the source of the data gives; without them the last turn has R and the others 0. */
  readonly rewards?: readonly (number | null)[] | undefined;
  /** Mean log-prob in nats of a reference solution before and after each turn's reply; null without a reference. */
  readonly reference?: readonly ({ readonly before: number; readonly after: number } | null)[] | undefined;
}

/** Other ways to credit the same turns, one column each, to compare with (spec, Baselines). Columns run parallel to turns. */
export const BASELINES = {
  /** z for every turn: group relative policy optimisation, no turn-level credit (arXiv 2402.03300). */
  grpo: ({ z, turns }) => turns.map(() => z),
  /** s * A_int,t: information alone, the outcome left out (spec S4, S6). */
  intrinsic_only: ({ scale, turns }) => turns.map(({ a_int }) => (a_int === null ? null : scale * a_int)),
  /** c_t = 1: every turn the same share (UserRL, arXiv 2509.19736). */
  equalized: (ledger, inputs) => rescaled(ledger, inputs, (rewards) => rewards.map(() => 1)),
  /** c_t = r_t + 0.8 c_{t+1}: reward to go (UserRL, arXiv 2509.19736). */
  r2g: (ledger, inputs) => rescaled(ledger, inputs, rewardToGo),
  /** c_t = 0.5 + 0.5 (1 - exp(-2 r_t)) / (1 - exp(-2)): exponential map of the turn's reward (UserRL, arXiv 2509.19736). */
  em: (ledger, inputs) =>
    rescaled(ledger, inputs, (rewards) => rewards.map((r) => 0.5 + (0.5 * Math.expm1(-2 * r)) / Math.expm1(-2))),
  /** exp(mean lp(ref | ..o_t)) - exp(mean lp(ref | ..a_t)): what the reply did for a reference (IGPO, arXiv 2510.14967). */
  igpo: ({ turns }, { reference }) => turns.map((_, t) => igpo(reference?.[t] ?? null)),
} as const satisfies Record<string, (ledger: Ledger, inputs: BaselineInputs) => Column>;
export type Baseline = keyof typeof BASELINES;

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

/**
 * Token credit in proportion to `credits`, rescaled so that its mean over the tokens with credit is z. All zero stays 0; null
 * where z or a reward is unknown, and where credits cancel out, so that no factor brings their mean to z.
 */
function rescaled(
  { z, outcome, turns }: Ledger,
  { rewards }: BaselineInputs,
  creditsOf: (rewards: readonly number[]) => readonly number[],
): Column {
  const known = turns.flatMap((_, t) => {
    const given = rewards === undefined ? (t === turns.length - 1 ? outcome : 0) : rewards[t];
    return given ?? [];
  });
  if (z === null || known.length < turns.length) return turns.map(() => null);
  const credits = creditsOf(known);
  if (credits.every((credit) => credit === 0)) return turns.map(() => 0);
  let tokens = 0;
  let sum = 0;
  credits.forEach((credit, t) => {
    const weight = credit === 0 ? 0 : (turns[t]?.tokens ?? 0);
    tokens += weight;
    sum += weight * credit;
  });
  return credits.map((credit) => (sum === 0 ? null : (credit * z * tokens) / sum));
}
