import { toldMuchYetFailed } from '../src/core/caution.ts';
import { creditBatch } from '../src/core/credit/credit.ts';
import { creditEpisodeOf } from '../src/core/credit/from-score.ts';
import { resolveCreditOptions } from '../src/core/credit/options.ts';
import { atLeast, figure, type Figure } from './figure.ts';
import type { Judged, MisledPair } from './play-misled.ts';
import { gainOf, lastAnswered, score } from './scores.ts';
import { share } from './statistics.ts';
import type { Subject } from './subject.ts';

const MOSTLY = atLeast(0.95);

/**
 * (4) Information is not truth: a misleading reply that is followed gains, its episode fails, and the ledger marks the turn; the
 * right code, forced after it, was made less likely by it.
 */
export async function misleading(
  pairs: readonly MisledPair[],
  subject: Subject,
  placeholder: string,
): Promise<Figure[]> {
  const under = (talks: readonly Judged[]) =>
    score(
      talks.map(({ transcript }) => transcript),
      subject,
      placeholder,
    );
  const misled = await under(pairs.map((pair) => pair.misled));
  const honest = await under(pairs.map((pair) => pair.honest));
  const corrected = await score(
    pairs.map((pair) => pair.corrected),
    subject,
    placeholder,
  );
  const batch = [...misled, ...honest];
  const options = resolveCreditOptions({}, batch[0]?.placebo ?? null);
  const ledgers = new Map(creditBatch(batch.map(creditEpisodeOf), options).map((one) => [one.episode_id, one]));
  const scored = new Map(batch.map((one) => [one.episode_id, one]));
  const marked = ({ transcript }: Judged): boolean => {
    const own = scored.get(transcript.episode_id);
    const ledger = ledgers.get(transcript.episode_id);
    const turn = ledger?.turns.at(-2);
    return ledger !== undefined && turn !== undefined && toldMuchYetFailed(ledger, turn, own ? totalOf(own) : null);
  };
  const followed = pairs.map(({ task, misled: { code } }) => code.includes(task.wrong.line));
  const among = <T>(values: readonly T[]): T[] => values.filter((_, at) => followed[at]);
  const positive = misled.map((episode) => (totalOf(episode) ?? 0) > 0);
  const negative = corrected.map((episode) => (totalOf(episode) ?? 0) < 0);
  const right = pairs.filter(({ honest: { passed } }) => passed);
  return [
    figure(4, 'misleading replies that the code follows', 'share', share(followed)),
    figure(4, 'followed: total gain is positive', 'share', share(among(positive)), MOSTLY),
    figure(4, 'followed: hidden calls fail', 'share', share(among(pairs).map((pair) => !pair.misled.passed)), MOSTLY),
    figure(
      4,
      'followed: the ledger marks the turn',
      'share',
      share(among(pairs).map((pair) => marked(pair.misled))),
      MOSTLY,
    ),
    figure(4, 'right code forced after the misleading reply: total gain is negative', 'share', share(negative), MOSTLY),
    figure(4, 'told truly: hidden calls pass', 'share', share(pairs.map((pair) => pair.honest.passed))),
    figure(4, 'told truly and passed: marked all the same', 'share', share(right.map((pair) => marked(pair.honest)))),
  ];
}

function totalOf(episode: Parameters<typeof lastAnswered>[0]): number | null {
  const turn = lastAnswered(episode);
  return (turn && gainOf(turn)?.total) ?? null;
}
