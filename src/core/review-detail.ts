import { shifts } from './credit/gain.ts';
import type { ObservationKind } from './observation.ts';
import type { Part, Passage, TokenRuns, TurnDetail } from './review-protocol.ts';
import { figure, placeholderWords, TOTAL_DIGITS, type ReviewSources } from './review-view.ts';
import { reasonWords } from './review.ts';
import type { ScoredEpisode, ScoredTurn } from './scored-episode.ts';

/** Text that some tokens say together: one token, or as many as one character is spread over. */
export interface TokenText {
  readonly text: string;
  readonly count: number;
}

/** What a turn's tokens say, from the tokenizer that scored them; null where it is not at hand, and `why` in words. */
export interface TurnWords {
  readonly next: readonly TokenText[] | null;
  readonly mask: string | null;
  readonly why: string | null;
}

/** Characters of a text, and token runs, that are shown before somebody asks for all of them. */
export const SHOWN_CHARACTERS = 6_000;
export const SHOWN_RUNS = 1_500;
/** How many of the largest shifts are named. */
const NAMED = 5;

/** Why a turn was worth what it was. `whole` names the parts that are not to be cut; null where there is no such turn. */
export function turnDetail(
  { state, scored }: Pick<ReviewSources, 'state' | 'scored'>,
  index: number,
  words: TurnWords,
  whole: ReadonlySet<Part> = new Set(),
): TurnDetail | null {
  const turn = state.turns[index];
  if (turn === undefined) return null;
  const score = scored?.turns.find((one) => one.index === index);
  const cut = (part: Part, text: string): Passage => passage(text, whole.has(part));
  const after = state.turns[index + 1];
  const { tokens, why } = nextTokens(score, words, whole.has('next'));
  const several = turn.observations.length > 1;
  return {
    index,
    said: cut('said', turn.text),
    replies: turn.observations.map(({ kind, text }, k) => {
      const alone = several ? score?.obs_gains?.[k] : undefined;
      return {
        kind,
        words: KINDS[kind],
        passage: cut('replies', text),
        alone:
          alone === undefined
            ? null
            : figure(alone.gain_sum, TOTAL_DIGITS, reasonWords(alone.null_reason ?? 'not_scored_yet')),
      };
    }),
    masked: masked(score, scored, words, (text) => cut('masked', text)),
    next: { passage: after === undefined ? null : cut('next', after.text), tokens, why },
  };
}

/** D_j of the next action (spec S1) from the stored log-probs, in runs of tokens that make whole characters. */
export function tokenRuns(
  factual: readonly number[],
  masked: readonly number[],
  texts: readonly TokenText[] | null,
  shown: number,
): TokenRuns {
  const d = shifts(factual, masked);
  const fits = texts !== null && texts.reduce((sum, { count }) => sum + count, 0) === d.length;
  const counts = fits ? texts.map(({ count }) => count) : d.map(() => 1);
  let end = 0;
  const ends = counts.map((count) => (end += count));
  const sums = (values: readonly number[]): number[] =>
    ends.map((to, at) => values.slice(to - (counts[at] ?? 0), to).reduce((sum, value) => sum + value, 0));
  const all = sums(d);
  const largest = [...all.keys()]
    .filter((at) => all[at] !== 0)
    .sort((a, b) => Math.abs(all[b] ?? 0) - Math.abs(all[a] ?? 0) || a - b)
    .slice(0, NAMED);
  // What is named has to be among what is shown.
  const until = Math.max(shown, ...largest.map((at) => at + 1));
  return {
    texts: fits ? texts.slice(0, until).map(({ text }) => text) : null,
    counts: counts.slice(0, until),
    factual: sums(factual).slice(0, until),
    masked: sums(masked).slice(0, until),
    shifts: all.slice(0, until),
    length: counts.length,
    largest,
  };
}

function nextTokens(
  score: ScoredTurn | undefined,
  { next, why }: TurnWords,
  whole: boolean,
): { readonly tokens: TokenRuns | null; readonly why: string | null } {
  if (score?.logp_factual == null || score.logp_masked === null) {
    const reason = score?.null_reason ?? 'not_scored_yet';
    const detail = score?.null_detail === undefined ? '' : `: ${score.null_detail}`;
    return { tokens: null, why: `No log-probs: ${reasonWords(reason)}${detail}.` };
  }
  const runs = tokenRuns(score.logp_factual, score.logp_masked, next, whole ? Infinity : SHOWN_RUNS);
  return { tokens: runs, why: runs.texts === null ? why : null };
}

function masked(
  score: ScoredTurn | undefined,
  scored: ScoredEpisode | null,
  { mask }: TurnWords,
  cut: (text: string) => Passage,
): TurnDetail['masked'] {
  if (scored === null || score?.mask_ids == null) return null;
  const { placeholder, mask_mode } = scored.options;
  const count = `${score.mask_ids.length} ${score.mask_ids.length === 1 ? 'token' : 'tokens'}`;
  const length = score.mask_truncated
    ? `cut to ${count}`
    : mask_mode === 'length_matched'
      ? `as long as the reply, ${count}`
      : count;
  const donor = score.mask_donor == null ? '' : ` (${score.mask_donor})`;
  const known = mask ?? (mask_mode === 'natural' && placeholder !== 'random_reply' ? placeholder : null);
  return {
    passage: known === null ? null : cut(known),
    words: `${placeholderWords(placeholder)}${donor}, ${length}`,
  };
}

/** The first characters of a text, never half of one. */
function passage(text: string, whole: boolean): Passage {
  if (whole || text.length <= SHOWN_CHARACTERS) return { text, length: text.length };
  const half = /[\uD800-\uDBFF]/.test(text.charAt(SHOWN_CHARACTERS - 1));
  return { text: text.slice(0, SHOWN_CHARACTERS - (half ? 1 : 0)), length: text.length };
}

const KINDS: Readonly<Record<ObservationKind, string>> = {
  typed: 'Reply',
  option: 'Chosen option',
  edited_option: 'Option, edited',
  skipped: 'Skipped',
  rejected: 'Rejection',
  edit: 'Edit',
  tool: 'Tool result',
  test: 'Test result',
};
