import { z } from 'zod';
import type { Backend, ScorerIdentity } from '../core/backend.ts';
import { errorText } from '../core/error.ts';
import type { TokenText, TurnWords } from '../core/review-detail.ts';
import type { ScoredEpisode } from '../core/scored-episode.ts';
import { sha256Ids } from '../core/sha.ts';
import type { ScoreCache } from '../store/score-cache.ts';

type Speller = Pick<Backend, 'detokenize'>;
type Memory = Pick<ScoreCache, 'getScore' | 'putScore'>;

/** Who can say what tokens mean: what was found out before, and the chosen scorer. */
export interface WordSources {
  readonly memory: Memory;
  /** The chosen scorer; throws where it cannot be had. */
  readonly scorer: () => Promise<Backend>;
  /** Why these tokens may not be sent to the chosen scorer, in words; null: they may. */
  readonly forbidden: string | null;
}

/**
 * What the tokens of a turn's next action and of its mask say. Only the tokenizer that scored them is asked, and once: the answer is
 * kept beside the scores. Never throws: what cannot be known is null with `why`.
 */
export async function turnWords(scored: ScoredEpisode, index: number, sources: WordSources): Promise<TurnWords> {
  const turn = scored.turns.find((one) => one.index === index);
  const next = scored.turns.find((one) => one.index === index + 1);
  const ids = turn?.logp_factual == null ? null : (next?.action_ids ?? null);
  if (turn?.logp_factual == null || ids?.length !== turn.logp_factual.length) {
    const why = ids === null ? null : 'The next action has changed since it was scored; Score Now scores it again.';
    return { next: null, mask: null, why };
  }
  const { memory, forbidden } = sources;
  const lists = [ids, turn.mask_ids ?? []];
  const keys = lists.map((list) => memoryKey(scored.scorer, list));
  const known = keys.map((key) => remembered(memory, key));
  const [ownWords, maskWords] = known;
  if (ownWords && maskWords) return { next: ownWords, mask: joined(maskWords), why: null };
  const name = `${scored.scorer.id} on ${scored.scorer.backend}`;
  if (forbidden !== null) return { next: null, mask: null, why: forbidden };
  try {
    const scorer = await sources.scorer();
    const { identity } = await scorer.facts();
    if (!speaksAlike(identity, scored.scorer)) {
      return {
        next: null,
        mask: null,
        why: `What these tokens say is known to ${name}, which scored them and is not the chosen scorer now; choose it to read them here.`,
      };
    }
    const spelt = await Promise.all(lists.map((list) => tokenTexts(scorer, list)));
    for (const [at, words] of spelt.entries()) if (words !== null) remember(memory, keys[at] ?? '', words);
    const [own = null, mask = null] = spelt;
    return {
      next: own,
      mask: mask === null ? null : joined(mask),
      why: own === null ? `The tokenizer of ${name} does not say its tokens one by one.` : null,
    };
  } catch (thrown) {
    return { next: null, mask: null, why: `${name} cannot be asked what these tokens say. ${errorText(thrown)}` };
  }
}

/**
 * What each token says, in runs that make whole characters; null where the runs do not add up to what all of them say together,
 * since a guess would tint the wrong words.
 */
export async function tokenTexts(scorer: Speller, ids: readonly number[]): Promise<TokenText[] | null> {
  if (ids.length === 0) return [];
  const alone = new Map<number, string>();
  const distinct = [...new Set(ids)];
  for (let at = 0; at < distinct.length; at += AT_ONCE) {
    await Promise.all(distinct.slice(at, at + AT_ONCE).map(async (id) => alone.set(id, await scorer.detokenize([id]))));
  }
  const runs: TokenText[] = [];
  for (let at = 0; at < ids.length;) {
    const run = await wholeRun(scorer, ids, at, alone);
    runs.push(run);
    at += run.count;
  }
  return joined(runs) === (await scorer.detokenize(ids)) ? runs : null;
}

/** Requests in flight at once. */
const AT_ONCE = 16;
/** Tokens that one character can be spread over: as many as it has bytes. */
const LONGEST_CHARACTER = 4;
const CUT = '\uFFFD';

/** The fewest tokens from here on that end with a whole character. */
async function wholeRun(
  scorer: Speller,
  ids: readonly number[],
  at: number,
  alone: ReadonlyMap<number, string>,
): Promise<TokenText> {
  const first = alone.get(ids[at] ?? -1) ?? '';
  if (!first.includes(CUT)) return { text: first, count: 1 };
  let same = 1;
  for (let count = 2; count <= LONGEST_CHARACTER * 2 && at + count <= ids.length; count += 1) {
    const text = await scorer.detokenize(ids.slice(at, at + count));
    if (!text.includes(CUT)) return { text, count };
    if (text === CUT && count <= LONGEST_CHARACTER) same = count;
  }
  // The text says U+FFFD itself, in as many tokens as say nothing else together.
  return { text: first, count: first === CUT ? same : 1 };
}

function joined(words: readonly TokenText[]): string {
  return words.map(({ text }) => text).join('');
}

/** Whether both turn ids into the same words. */
function speaksAlike(a: ScorerIdentity, b: ScorerIdentity): boolean {
  if (a.tokenizer_sha !== null && b.tokenizer_sha !== null) return a.tokenizer_sha === b.tokenizer_sha;
  return a.id === b.id && a.revision === b.revision && a.backend === b.backend;
}

const memorySchema = z.array(z.tuple([z.string(), z.int().positive()]));

function memoryKey({ id, revision, tokenizer_sha }: ScorerIdentity, ids: readonly number[]): string {
  return `token texts ${tokenizer_sha ?? JSON.stringify([id, revision])} ${sha256Ids(ids)}`;
}

function remembered(memory: Memory, key: string): TokenText[] | null {
  const parsed = memorySchema.safeParse(memory.getScore(key));
  return parsed.success ? parsed.data.map(([text, count]) => ({ text, count })) : null;
}

function remember(memory: Memory, key: string, words: readonly TokenText[]): void {
  try {
    memory.putScore(
      key,
      words.map(({ text, count }) => [text, count]),
    );
  } catch {
    // A store that cannot be written is asked again next time.
  }
}
