import type { EpisodeState } from '../../core/episode-state.ts';
import { sumOf, type DemoResult } from './demo.ts';

/** A demo in numbers; the names are those of `turnwise demo --json`. */
export interface DemoSummary {
  readonly episodes: number;
  readonly turns: number;
  readonly gains_defined: number;
  /** Why the other turns have no gain: reason and how many. */
  readonly null_reasons: Readonly<Record<string, number>>;
  /** Null where the scorer does not say. */
  readonly tokens_evaluated: number | null;
  /** The least number of tokens that the same scores could have cost. */
  readonly tokens_limit: number;
  readonly questions: number;
  readonly distinct_questions: number;
  /** Conversations whose last proposal passed all of its hidden calls. */
  readonly passed: number;
  /** Mean share of hidden calls passed, over conversations with a known outcome; null without one. */
  readonly outcome_mean: number | null;
  /** Hidden calls of last proposals, and how many of them passed. */
  readonly calls: number;
  readonly calls_passed: number;
}

export function summarise({ states, scored, ledgers }: DemoResult): DemoSummary {
  const questions = states.flatMap(questionsOf);
  const reasons: Record<string, number> = {};
  const turns = scored.flatMap((episode) => episode.turns);
  for (const { null_reason } of turns) if (null_reason !== null) reasons[null_reason] = (reasons[null_reason] ?? 0) + 1;
  const outcomes = ledgers.map(({ outcome }) => outcome).filter((outcome) => outcome !== null);
  const tests = states.map(lastTests).filter((test) => test !== null);
  return {
    episodes: states.length,
    turns: turns.length,
    gains_defined: turns.filter(({ gain }) => gain !== null).length,
    null_reasons: reasons,
    tokens_evaluated: sumOf(scored, ({ tokens_evaluated }) => tokens_evaluated),
    tokens_limit: scored.reduce((sum, { tokens_limit }) => sum + tokens_limit, 0),
    questions: questions.length,
    distinct_questions: new Set(questions).size,
    passed: tests.filter(({ passed, total }) => passed === total).length,
    outcome_mean: outcomes.length === 0 ? null : outcomes.reduce((sum, outcome) => sum + outcome, 0) / outcomes.length,
    calls: tests.reduce((sum, { total }) => sum + total, 0),
    calls_passed: tests.reduce((sum, { passed }) => sum + passed, 0),
  };
}

/** The toy says what it understood before it asks; the same question behind other words is the same question. */
const RESTATEMENT = /^(OK, .*?\.|Sorry\.) /;

/** The texts of what the agent asked; restatements, options and white space aside. */
function questionsOf({ turns }: EpisodeState): string[] {
  return turns.flatMap(({ question }) =>
    question === null ? [] : [question.trim().replace(/\s+/g, ' ').replace(RESTATEMENT, '')],
  );
}

function lastTests({ turns }: EpisodeState): { readonly passed: number; readonly total: number } | null {
  return turns.findLast(({ kind }) => kind === 'answer')?.tests ?? null;
}
