import type { EpisodeState, TurnState } from './episode-state.ts';

/**
 * How much the replies of an episode seem to have told the agent, guessed without a scorer, so that a queue that is behind
 * scores first what is probably worth most: the mean over its scorable turns of
 *
 *     e_t = |{distinct words of a_{t+1} that are in o_t and in nothing said before}| / |words of a_{t+1}|
 *
 * A gain (shift_mean, spec S1) is the mean over the tokens of a_{t+1} of what the reply adds to their log-prob. It adds most
 * to a token that the agent took from the reply and could have had from nowhere else, and nearly nothing to the others, also
 * where the same word comes again in the same action, which has it from itself by then. So the share of such words orders
 * turns as their gains do, up to a factor that no order needs. The options that a question offered do not count as said
 * before: which of them was chosen is news. A number for ordering alone, in [0, 1], never shown as a gain. Null: no turn can
 * be scored yet.
 */
export function expectedGain(state: Pick<EpisodeState, 'request' | 'agentPrompt' | 'turns'>): number | null {
  const known = new Set([...wordsOf(state.agentPrompt ?? ''), ...wordsOf(state.request ?? '')]);
  const shares: number[] = [];
  for (const [at, turn] of state.turns.entries()) {
    const next = state.turns[at + 1];
    for (const word of wordsOf(saidBesidesOptions(turn))) known.add(word);
    const reply = wordsOf(turn.observations.map(({ text }) => text).join('\n'));
    if (next !== undefined && reply.length > 0) shares.push(takenShare(wordsOf(next.text), reply, known));
    for (const word of [...wordsOf(turn.text), ...reply]) known.add(word);
  }
  return shares.length === 0 ? null : shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

function takenShare(action: readonly string[], reply: readonly string[], known: ReadonlySet<string>): number {
  const news = new Set(reply.filter((word) => !known.has(word)));
  const taken = new Set(action.filter((word) => news.has(word)));
  return action.length === 0 ? 0 : taken.size / action.length;
}

function saidBesidesOptions({ text, question, options }: TurnState): string {
  return options.length > 0 && question !== null ? question : text;
}

const WORDS = new Intl.Segmenter('en', { granularity: 'word' });

/** Words and numbers in lower case, in any script; Chinese and Japanese are cut by dictionary. */
function wordsOf(text: string): string[] {
  return Array.from(WORDS.segment(text)).flatMap(({ segment, isWordLike }) =>
    isWordLike === true ? [segment.toLowerCase()] : [],
  );
}
