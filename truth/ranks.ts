import { seededRandom } from '../src/app/demo/random.ts';
import type { ScoredEpisode } from '../src/core/scored-episode.ts';
import { atLeast, atMost, figure, type Figure } from './figure.ts';
import { repliesOf, type RankingEpisode } from './play-ranking.ts';
import type { TokenLengths } from './matched-replies.ts';
import { gainsOf, type Gain } from './scores.ts';
import { argmax, share } from './statistics.ts';

const HIT = atLeast(0.95);
const TRIVIAL = atMost(0.6);

/**
 * (1) The telling turn ranks first by gain, and not by what a reader without a scorer could say. The total ranks: the mean is
 * the same nats over the tokens of a_{t+1}, so that a choice told last, before long code, loses to a small shift told earlier.
 */
export function ranking(episodes: readonly RankingEpisode[], scored: readonly ScoredEpisode[]): Figure[] {
  const gains = scored.map(gainsOf);
  const first = (of: (gain: Gain) => number): boolean[] =>
    episodes.map(({ place }, at) => argmax((gains[at] ?? []).map((gain) => (gain ? of(gain) : -Infinity))) === place);
  const byTotal = first(({ total }) => total);
  const alike = byTotal.filter((_, at) => episodes[at]?.tokensMatch);
  return [
    figure(1, 'telling turn ranked first by total gain', 'share', share(byTotal), HIT),
    figure(1, 'the same, where replies are alike in tokens too', 'share', share(alike)),
    figure(1, 'telling turn ranked first by mean gain', 'share', share(first(({ mean }) => mean))),
  ];
}

/** The rankers that need no model. */
export async function trivialRankers(episodes: readonly RankingEpisode[], lengths: TokenLengths): Promise<Figure[]> {
  const hits = new Map<string, boolean[]>();
  const note = (name: string, hit: boolean): void => {
    hits.set(name, [...(hits.get(name) ?? []), hit]);
  };
  for (const { task, transcript, place } of episodes) {
    const said = repliesOf(transcript);
    const tokens = await lengths(said.map(({ reply }) => reply));
    note('longest reply (characters)', argmax(said.map(({ reply }) => reply.length)) === place);
    note('longest reply (tokens)', argmax(tokens) === place);
    note('shortest reply (characters)', argmax(said.map(({ reply }) => -reply.length)) === place);
    note('first', place === 0);
    note('last', place === said.length - 1);
    note('lexical overlap with a_{t+1}', argmax(said.map(({ reply, next }) => overlap(reply, next))) === place);
    note('random', Math.floor(seededRandom(`${task.id}/random`)() * said.length) === place);
  }
  return [...hits].map(([name, found]) => figure(1, `trivial: ${name}`, 'share', share(found), TRIVIAL));
}

/** Share of the reply's words that the next action says too. */
function overlap(reply: string, next: string): number {
  const words = wordsOf(reply);
  const known = new Set(wordsOf(next));
  return words.filter((word) => known.has(word)).length / words.length;
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}_']+/gu) ?? [];
}
