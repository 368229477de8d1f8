import type { z } from 'zod';
import type { CreditEpisode, CreditOptions, outcomeLevelSchema } from './ledger.ts';
import { EPSILON, momentsOf, once, type Moments } from './sample-statistics.ts';

/** S3 of one episode: z, the mean and sd it was measured with, and the known outcomes around it. */
export interface OutcomeAdvantage {
  readonly z: number | null;
  readonly level: z.infer<typeof outcomeLevelSchema>;
  readonly mean: number | null;
  readonly sd: number | null;
  /** Known raw outcomes of the episode's group. */
  readonly group: Moments;
  /** Known raw outcomes of the whole batch, this episode's among them. */
  readonly batch: Moments;
}

/**
 * Outcome advantage of every episode, parallel to `episodes` (spec S3): `z = (R - mean) / (sd + 1e-6)`, sd with ddof 1, over
 * the group's known outcomes; with fewer than two of them as `singleton` says. An unknown outcome has z = null.
 */
export function outcomeAdvantages(
  episodes: readonly Pick<CreditEpisode, 'group_id' | 'outcome'>[],
  singleton: CreditOptions['singleton'],
): OutcomeAdvantage[] {
  const known = new Map<string, number[]>();
  for (const { group_id, outcome } of episodes) {
    const outcomes = known.get(group_id) ?? [];
    if (outcome !== null) outcomes.push(outcome);
    known.set(group_id, outcomes);
  }
  const groups = new Map([...known].map(([id, outcomes]) => [id, momentsOf(once(outcomes))]));
  const batch = momentsOf(once([...known.values()].flat()));
  return episodes.map(({ group_id, outcome }) => {
    const group = groups.get(group_id) ?? batch;
    const against = outcome === null ? NOBODY : comparison(outcome, group, batch, singleton);
    const { mean, sd } = against;
    const z = outcome === null || mean === null || sd === null ? null : (outcome - mean) / (sd + EPSILON);
    return { z, ...against, group, batch };
  });
}

type Comparison = Pick<OutcomeAdvantage, 'level' | 'mean' | 'sd'>;

const NOBODY: Comparison = { level: 'none', mean: null, sd: null };

/** What an outcome without company in its group is compared with (spec S3): R and the batch's moments in, mean and sd out. */
export const SINGLETONS: Readonly<
  Record<
    CreditOptions['singleton'],
    { readonly equation: string; readonly of: (outcome: number, batch: Moments) => Comparison }
  >
> = {
  /** (R - mean of all the other known outcomes) / (sd of all + 1e-6); nothing where the batch knows no other (spec S3). */
  batch_loo: {
    equation: '(R - mean of all other known outcomes of the batch) / (sd of all + 1e-6)',
    of: (outcome, batch) => {
      if (batch.mean === null || batch.n < 2) return NOBODY;
      // The mean without this one, from the mean with it: exact where all outcomes are equal, and no second pass.
      const others = batch.mean + (batch.mean - outcome) / (batch.n - 1);
      return { level: 'batch', mean: others, sd: batch.sd };
    },
  },
  /** z = null: the outcome term is 0, and the row says so (spec S3). */
  none: { equation: 'no outcome term', of: () => NOBODY },
  /** z = (R - 0) / (1 + 1e-6): what the reference implementation does (spec S3). */
  reference: {
    equation: "R / (1 + 1e-6): the reference implementation's; switches the information term off",
    of: () => ({ level: 'reference', mean: 0, sd: 1 }),
  },
};

function comparison(
  outcome: number,
  group: Moments,
  batch: Moments,
  singleton: CreditOptions['singleton'],
): Comparison {
  if (group.n >= 2) return { level: 'group', mean: group.mean, sd: group.sd };
  return SINGLETONS[singleton].of(outcome, batch);
}
