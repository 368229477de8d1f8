import type { Transcript } from '../src/core/transcript.ts';
import { atLeast, atMost, figure, type Figure } from './figure.ts';
import type { TokenLengths } from './matched-replies.ts';
import { lastAnswered, score } from './scores.ts';
import { bootstrap, quantile } from './statistics.ts';
import type { Subject } from './subject.ts';
import { proposalOf, questionAbout, restatementOf, type Stage } from './talk.ts';
import type { MisledTask } from './tasks.ts';

/** Copies shorter than this many tokens count as chance in `gain_nocopy`. */
const COPY = 5;

/** One task's last detail, told in the agent's own words and in others, before an action that repeats it and one that uses it. */
export interface Echo {
  readonly echoed: Transcript;
  readonly paraphrased: Transcript;
  readonly used: Transcript;
}

/**
 * Nothing is sampled here: `gain_nocopy` is about which tokens of a_{t+1} stand in the reply, so that the actions are written. A
 * value of fewer than five tokens cannot be a copy, and its task is left out.
 */
export async function writeEchoes(
  tasks: readonly MisledTask[],
  { kinds }: Stage,
  lengths: TokenLengths,
): Promise<Echo[]> {
  const words = tasks.map(({ hidden }) => hidden.at(-1)?.replies[0] ?? '');
  const sizes = await lengths(words);
  return tasks.flatMap((task, at): Echo[] => {
    const { id, group, request, hidden, code, foreign } = task;
    const last = hidden.at(-1);
    const [verbatim, ...others] = last?.replies ?? [];
    const other = others.find((words) => !words.includes(verbatim ?? ''));
    // Its first token differs behind a blank, so that a copy of five needs six.
    if (last === undefined || verbatim === undefined || other === undefined || (sizes[at] ?? 0) <= COPY) return [];
    const before = hidden
      .slice(0, -1)
      .flatMap(({ kind, replies }) => [
        { role: 'assistant', content: questionAbout(kinds, kind, id) } as const,
        { role: 'user', content: replies[0] ?? '' } as const,
      ]);
    const talk = (name: string, reply: string, next: string): Transcript => ({
      episode_id: `${id}/${name}`,
      group_id: group,
      messages: [
        { role: 'user', content: request },
        ...before,
        { role: 'assistant', content: questionAbout(kinds, last.kind, id) },
        { role: 'user', content: reply },
        { role: 'assistant', content: next },
      ],
    });
    const repeats = restatementOf(kinds, last.kind, verbatim) + questionAbout(kinds, foreign, id);
    return [
      {
        echoed: talk('echoed', verbatim, repeats),
        paraphrased: talk('paraphrased', other, repeats),
        used: talk('used', verbatim, proposalOf(code)),
      },
    ];
  });
}

/** (5) `gain_nocopy` leaves out the echo and nothing else. */
export async function echoing(echoes: readonly Echo[], subject: Subject, placeholder: string): Promise<Figure[]> {
  const kept = async (of: (echo: Echo) => Transcript): Promise<number[]> =>
    (await score(echoes.map(of), subject, placeholder)).flatMap((episode) => {
      const turn = lastAnswered(episode);
      if (turn?.gain == null || turn.gain <= 0) return [];
      return [(turn.gain_nocopy ?? 0) / turn.gain];
    });
  const middle = (values: readonly number[], label: string) => bootstrap(values, (some) => quantile(some, 0.5), label);
  return [
    figure(
      5,
      'gain_nocopy / gain, reply repeated and nothing else (median)',
      'ratio',
      middle(await kept(({ echoed }) => echoed), 'echoed'),
      atMost(0.5),
    ),
    figure(
      5,
      'gain_nocopy / gain, the same action after a paraphrase (median)',
      'ratio',
      middle(await kept(({ paraphrased }) => paraphrased), 'paraphrased'),
      atLeast(0.9),
    ),
    figure(
      5,
      'gain_nocopy / gain, code that uses it without repeating it (median)',
      'ratio',
      middle(await kept(({ used }) => used), 'used'),
      atLeast(0.9),
    ),
  ];
}
