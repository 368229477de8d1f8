import { z } from 'zod';

export const outcomeKindSchema = z.enum(['tests', 'acceptance', 'rating', 'combined']);
export type OutcomeKind = z.infer<typeof outcomeKindSchema>;

/** What became of an episode's last proposal; only the last one decides (spec S2). Null facts are unknown. */
export interface OutcomeEvidence {
  /** Unit tests run on it. */
  readonly tests: { readonly passed: number; readonly total: number } | null;
  /** The thumb on the whole episode; thumbs on turns are never an outcome. */
  readonly thumb: 0 | 1 | null;
  readonly decision: ProposalDecision | null;
}

/**
 * What the developer did with a proposal. `survival` is the share, in order, of the lines that it added or changed and that
 * still stand at the first save after the accept; null where it added none.
 */
export type ProposalDecision =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'accepted_then_edited'; readonly survival: number | null }
  | { readonly kind: 'rejected' };

/** An outcome R in [0, 1] and what decided it; both null where nothing is known. */
export interface Outcome {
  readonly value: number | null;
  readonly decidedBy: Exclude<OutcomeKind, 'combined'> | null;
}

/** Outcome R of an episode (spec S2): a number in [0, 1], or null where it was abandoned, is undecided or cannot be told. */
export function outcomeOf(evidence: OutcomeEvidence, kind: OutcomeKind = 'combined'): Outcome {
  const candidates = kind === 'combined' ? IN_ORDER : [kind];
  for (const decidedBy of candidates) {
    const value = OUTCOMES[decidedBy](evidence);
    if (value !== null) return { value, decidedBy };
  }
  return { value: null, decidedBy: null };
}

/** `combined` (spec S2): tests, else rating, else acceptance. */
const IN_ORDER = ['tests', 'rating', 'acceptance'] as const;

/** The single kinds of spec S2: evidence in, R or null out. */
export const OUTCOMES: Readonly<Record<(typeof IN_ORDER)[number], (evidence: OutcomeEvidence) => number | null>> = {
  /** Fraction of unit tests passed; null where none were run. */
  tests: ({ tests }) => (tests === null || tests.total === 0 ? null : tests.passed / tests.total),
  /** The episode's thumb: 1 up, 0 down. */
  rating: ({ thumb }) => thumb,
  /** Accepted as it stood 1, rejected 0, accepted and then edited the share of its lines that stayed. */
  acceptance: ({ decision }) => {
    if (decision === null) return null;
    switch (decision.kind) {
      case 'accepted':
        return 1;
      case 'accepted_then_edited':
        return decision.survival;
      case 'rejected':
        return 0;
      default:
        return decision satisfies never;
    }
  },
};
