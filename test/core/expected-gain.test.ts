import { expect, test } from 'vitest';
import { expectedGain } from '../../src/core/expected-gain.ts';
import { NO_OVERRIDE } from '../../src/core/override.ts';
import type { EpisodeState, TurnState } from '../../src/core/episode-state.ts';
import { initialState } from '../../src/core/reduce.ts';

/** A conversation from what was said: the request, then the agent's words and the reply to them in turns. */
function episode(
  request: string,
  ...said: readonly (readonly [action: string, reply?: string, options?: string[]])[]
): EpisodeState {
  const turns = said.map(([text, reply, options = []], index): TurnState => ({
    index,
    kind: 'question',
    state: 'sampled',
    text: [text, ...options.map((option, at) => `${'ABCDE'[at] ?? ''}) ${option}`)].join('\n'),
    question: text,
    options,
    message: null,
    code: null,
    generation: null,
    ids: null,
    endedAt: null,
    observations:
      reply === undefined ? [] : [{ kind: 'typed', text: reply, optionsShown: options, option: null, latencyMs: null }],
    decision: null,
    survival: null,
    tests: null,
    thumb: null,
    note: null,
    override: NO_OVERRIDE,
  }));
  return { ...initialState('e'), request, turns };
}

test.each<[string, EpisodeState, number | null]>([
  ['no next action, no expectation', episode('Sum it.', ['Which name?', 'total']), null],
  ['no reply, no expectation', episode('Sum it.', ['Which name?'], ['Done.']), null],
  ['half of the next action came from the reply', episode('Sum it.', ['Which name?', 'total'], ['Call total']), 0.5],
  ['what was said before is no news', episode('Sum the total.', ['Which name?', 'total'], ['Call total']), 0],
  ['a reply that nothing was made of', episode('Sum it.', ['Which name?', 'no idea'], ['I will choose']), 0],
  [
    'the option that was chosen is news',
    episode('Sum it.', ['Unit?', 'metres', ['metres', 'miles']], ['Metres then']),
    0.5,
  ],
  ['a word that comes back twice is news once', episode('Go.', ['A?', 'ja'], ['ja ja ja ja']), 0.25],
  ['the mean over turns', episode('Go.', ['A?', 'ja'], ['ja', 'hm'], ['well']), 0.5],
  ['case does not matter', episode('Go.', ['A?', 'CSV'], ['csv']), 1],
  ['Chinese words are words', episode('排序', ['怎么排序?', '按照日期'], ['按照日期排序']), 2 / 3],
  ['an empty action', episode('Go.', ['A?', 'ja'], ['']), 0],
])('%s', (_, state, expected) => {
  const got = expectedGain(state);
  if (expected === null) expect(got).toBeNull();
  else expect(got).toBeCloseTo(expected, 12);
});
