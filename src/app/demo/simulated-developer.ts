import { pick, type Random } from './random.ts';
import type { Task, TaskFile, TaskKind } from './tasks.ts';

/** What the simulated developer does about a question: clicks an option, types, or skips. */
export type SimulatedReply =
  | { readonly kind: 'option'; readonly text: string; readonly about: string }
  | { readonly kind: 'typed'; readonly text: string; readonly about: string | null }
  | { readonly kind: 'skipped'; readonly about: null };

/** Of the questions that concern nothing this developer cares about, the share that is skipped. */
const SKIPPED = 0.25;
/** Share of the wrong proposals that the developer argues with, once. */
const ARGUES = 0.5;
/** Share of a known question's words that must occur before a question counts as that one. */
const ENOUGH_WORDS = 0.6;

/** A developer who knows one task and answers what the agent really asked; everything random comes from `random`. */
export interface SimulatedDeveloper {
  readonly answer: (question: string, options: readonly string[]) => SimulatedReply;
  /** What is wrong with a proposal that failed, or null: at most one complaint per conversation. */
  readonly complain: () => string | null;
}

/** The developer of one conversation. */
export function simulateDeveloper(task: Task, file: TaskFile, random: Random): SimulatedDeveloper {
  const told = new Set(task.kinds.filter(({ specified }) => specified).map(({ kind }) => kind));
  const argues = random() < ARGUES;
  let complained = false;
  return {
    answer: (question, options) => {
      const kind = task.kinds.find((own) => own.kind === askedKind(question, task, file.kinds));
      if (kind === undefined) {
        if (random() < SKIPPED) return { kind: 'skipped', about: null };
        return { kind: 'typed', text: pick(random, file.uninformative), about: null };
      }
      const offered = options.find((option) => kind.replies.includes(option));
      if (offered !== undefined) {
        told.add(kind.kind);
        return { kind: 'option', text: offered, about: kind.kind };
      }
      const words = pick(random, kind.replies);
      const text = told.has(kind.kind) ? `as I said, ${words}` : words;
      told.add(kind.kind);
      return { kind: 'typed', text, about: kind.kind };
    },
    complain: () => {
      if (complained || !argues) return null;
      const kind = mostUntold(task.kinds, told, random);
      if (kind === null) return null;
      complained = true;
      told.add(kind.kind);
      return `That is not right: ${pick(random, kind.replies)}`;
    },
  };
}

/** A kind to complain about: one that was never told, else a hidden one; null where the request said it all. */
function mostUntold(kinds: readonly TaskKind[], told: ReadonlySet<string>, random: Random): TaskKind | null {
  const hidden = kinds.filter(({ specified }) => !specified);
  const untold = hidden.filter(({ kind }) => !told.has(kind));
  const candidates = untold.length > 0 ? untold : hidden;
  return candidates.length > 0 ? pick(random, candidates) : null;
}

/**
 * Which kind a question is about: the one whose known question has the largest share of its words in it, then the most
 * words. Some wordings serve two kinds; then it is the one that this task knows. A tie beyond that is no kind.
 */
export function askedKind(question: string, task: Task, kinds: TaskFile['kinds']): string | null {
  const asked = wordsOf(question);
  const ranked = Object.entries(kinds).map(([kind, { questions }]) => ({ kind, match: bestMatch(asked, questions) }));
  const best = ranked.reduce((top, { match }) => (better(match, top) ? match : top), { share: 0, words: 0 });
  if (best.share < ENOUGH_WORDS) return null;
  const tied = ranked.filter(({ match }) => !better(best, match)).map(({ kind }) => kind);
  const own = tied.filter((kind) => task.kinds.some((known) => known.kind === kind));
  return own.length === 1 ? (own[0] ?? null) : null;
}

interface Match {
  readonly share: number;
  readonly words: number;
}

function bestMatch(asked: ReadonlySet<string>, questions: readonly string[]): Match {
  return questions
    .map((known) => {
      const words = [...wordsOf(known)];
      const common = words.filter((word) => asked.has(word)).length;
      return { share: common / words.length, words: common };
    })
    .reduce((top, match) => (better(match, top) ? match : top), { share: 0, words: 0 });
}

function better(a: Match, b: Match): boolean {
  return a.share > b.share || (a.share === b.share && a.words > b.words);
}

function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []);
}
