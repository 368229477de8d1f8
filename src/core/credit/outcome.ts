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
  return OUTCOMES[kind].of(evidence);
}

const UNKNOWN: Outcome = { value: null, decidedBy: null };

/** The kinds of spec S2: evidence in, R and what decided it out. `equation` is for people. */
export const OUTCOMES: Readonly<
  Record<OutcomeKind, { readonly equation: string; readonly of: (evidence: OutcomeEvidence) => Outcome }>
> = {
  /** R = tests passed / tests run; null where none were (spec S2). */
  tests: {
    equation: 'tests passed / tests run',
    of: ({ tests }) => (tests === null || tests.total === 0 ? UNKNOWN : by('tests', tests.passed / tests.total)),
  },
  /** R = the last proposal accepted as it stood 1, rejected 0, accepted and then edited the share of its lines that stayed (spec S2). */
  acceptance: {
    equation: 'accepted 1, rejected 0, accepted and edited: the share of its lines that stayed',
    of: ({ decision }) => by('acceptance', decision === null ? null : acceptedShare(decision)),
  },
  /** R = the thumb on the whole episode, 1 up, 0 down; thumbs on turns are never an outcome (spec S2). */
  rating: { equation: 'the thumb on the conversation, 1 or 0', of: ({ thumb }) => by('rating', thumb) },
  /** R = the first that is known of tests, rating and acceptance (spec S2). */
  combined: {
    equation: 'the first that is known: tests, rating, acceptance',
    of: (evidence) => {
      const found = IN_ORDER.map((kind) => OUTCOMES[kind].of(evidence)).find(({ value }) => value !== null);
      return found ?? UNKNOWN;
    },
  },
};

/** `combined` (spec S2): tests, else rating, else acceptance. */
const IN_ORDER = ['tests', 'rating', 'acceptance'] as const;

function by(decidedBy: Exclude<OutcomeKind, 'combined'>, value: number | null): Outcome {
  return value === null ? UNKNOWN : { value, decidedBy };
}

function acceptedShare(decision: ProposalDecision): number | null {
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
}
