import type { PlaceholderFitness } from '../src/core/calibration.ts';
import type { ScoredEpisode } from '../src/core/scored-episode.ts';
import { figure, type Figure } from './figure.ts';
import type { RankingEpisode } from './play-ranking.ts';
import { gainsOf } from './scores.ts';
import { argmax, bootstrap, kendall, mean, share } from './statistics.ts';

/** (6) How far the order of an episode's turns (total gains) depends on the placeholder: each against the one that scores. */
export function stability(
  episodes: readonly RankingEpisode[],
  chosen: string,
  scored: ReadonlyMap<string, readonly ScoredEpisode[]>,
  fitness: readonly PlaceholderFitness[],
): Figure[] {
  const totals = (placeholder: string): (number[] | null)[] =>
    (scored.get(placeholder) ?? []).map((episode) => {
      const gains = gainsOf(episode).flatMap((gain) => gain?.total ?? []);
      return gains.length === episode.turns.length - 1 ? gains : null;
    });
  const own = totals(chosen);
  return [...scored.keys()]
    .filter((placeholder) => placeholder !== chosen)
    .flatMap((placeholder) => {
      const other = totals(placeholder);
      const pairs = episodes.flatMap((_, at) => {
        const [a, b] = [own[at], other[at]];
        return a && b ? [{ a, b }] : [];
      });
      const fit = fitness.find((entry) => entry.placeholder === placeholder)?.fit;
      const name = `"${placeholder}"${fit === false ? ' (unfit)' : ''} against "${chosen}"`;
      const taus = pairs.map(({ a, b }) => kendall(a, b)).filter((tau) => !Number.isNaN(tau));
      return [
        figure(6, `order of turns, ${name} (mean of Kendall's tau)`, 'tau', bootstrap(taus, mean, name)),
        figure(6, `top turn flips, ${name}`, 'share', share(pairs.map(({ a, b }) => argmax(a) !== argmax(b)))),
      ];
    });
}
