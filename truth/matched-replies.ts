import { pick, seededRandom } from '../src/app/demo/random.ts';
import type { Backend } from '../src/core/backend.ts';
import type { RankingTask, TruthTasks } from './tasks.ts';

/** Every empty reply is within a fifth of the telling one's length, in characters always and in tokens where wordings allow. */
const LONGER = 1.2;

/** What the developer says in a ranking episode, detail by detail; all of it on topic, one of it telling. */
export interface MatchedReplies {
  readonly told: string;
  readonly empty: ReadonlyMap<string, string>;
  /** Whether the token lengths are within a fifth as well. */
  readonly tokensMatch: boolean;
}

/** Token lengths of texts in the scorer's vocabulary; every text is asked for once. */
export type TokenLengths = (texts: readonly string[]) => Promise<number[]>;

export function tokenLengths(scorer: Backend): TokenLengths {
  const known = new Map<string, number>();
  return async (texts) => {
    const fresh = [...new Set(texts)].filter((text) => !known.has(text));
    if (fresh.length > 0) {
      const ids = await scorer.tokenize(fresh);
      fresh.forEach((text, at) => known.set(text, ids[at]?.length ?? 0));
    }
    return texts.map((text) => known.get(text) ?? 0);
  };
}

/** The telling wording that most empty ones can match, and for every other detail a matching empty one, by the task's id. */
export async function matchReplies(
  task: RankingTask,
  kinds: TruthTasks['kinds'],
  lengths: TokenLengths,
): Promise<MatchedReplies> {
  const others = task.hidden.filter((kind) => kind !== task.told.kind);
  const random = seededRandom(`${task.id}/replies`);
  const tries: MatchedReplies[] = [];
  for (const told of task.told.replies) {
    const [tokens = 0] = await lengths([told]);
    const empty = new Map<string, string>();
    let tokensMatch = true;
    for (const kind of others) {
      const close = (kinds[kind]?.empty ?? []).filter((words) => alike(words.length, told.length));
      const sizes = await lengths(close);
      const closest = close.filter((_, at) => alike(sizes[at] ?? 0, tokens));
      tokensMatch &&= closest.length > 0;
      empty.set(kind, pick(random, closest.length > 0 ? closest : close));
    }
    tries.push({ told, empty, tokensMatch });
  }
  const matching = tries.filter((one) => one.tokensMatch);
  return pick(random, matching.length > 0 ? matching : tries);
}

function alike(a: number, b: number): boolean {
  return Math.max(a, b) <= LONGER * Math.min(a, b);
}
