import { creditBatch } from '../src/core/credit/credit.ts';
import { creditEpisodeOf } from '../src/core/credit/from-score.ts';
import { resolveCreditOptions } from '../src/core/credit/options.ts';
import type { ScoredEpisode } from '../src/core/scored-episode.ts';
import { figure, type Figure } from './figure.ts';
import type { Twins } from './play-ranking.ts';
import { bootstrap, mean } from './statistics.ts';

/** Per pair: the column's value of the telling reply asked about earlier and last, and of the empty replies beside it. */
interface Row {
  readonly earlier: number;
  readonly last: number;
  readonly empty: number;
}

type Column = 'gain' | 'all' | 'index';
type Estimator = 'shift_mean' | 'shift_sum';

/** What a trainer could read: the gain itself, or A_int (spec S4) against all turns or against those of the same index. */
const COLUMNS: readonly { readonly name: string; readonly column: Column; readonly estimator: Estimator }[] = [
  { name: 'mean gain (shift_mean)', column: 'gain', estimator: 'shift_mean' },
  { name: 'total gain (shift_sum)', column: 'gain', estimator: 'shift_sum' },
  { name: 'A_int of the mean, --pool-by all', column: 'all', estimator: 'shift_mean' },
  { name: 'A_int of the mean, --pool-by index', column: 'index', estimator: 'shift_mean' },
  { name: 'A_int of the total, --pool-by all', column: 'all', estimator: 'shift_sum' },
  { name: 'A_int of the total, --pool-by index', column: 'index', estimator: 'shift_sum' },
];

/**
 * (7) The same reply, told earlier and told last, before the code. The bias of a column is what of the distance between telling
 * and empty replies it loses at the end: 0 treats both places alike, 1 makes a choice told last look like nothing.
 */
export function lengthBias(
  twins: readonly Twins[],
  earlier: readonly ScoredEpisode[],
  last: readonly ScoredEpisode[],
): Figure[] {
  const lengths = twins.flatMap(({ earlier: { place } }, at) => {
    const [short, long] = [nextLength(earlier[at], place), nextLength(last[at], (last[at]?.turns.length ?? 1) - 2)];
    return short === null || long === null ? [] : [long / short];
  });
  const biases = COLUMNS.map(({ name, column, estimator }) =>
    figure(7, `bias of ${name}`, 'ratio', bootstrap(rowsOf(twins, earlier, last, column, estimator), biasOf, name)),
  );
  const least = Math.min(...biases.map(({ estimate }) => Math.abs(estimate.value)));
  return [
    figure(7, 'tokens of a_{t+1}, last over earlier (mean)', 'ratio', bootstrap(lengths, mean, 'lengths')),
    ...biases.map((one) => (Math.abs(one.estimate.value) === least ? { ...one, name: `${one.name}: the least` } : one)),
  ];
}

function biasOf(rows: readonly Row[]): number {
  const distance = mean(rows.map(({ earlier, empty }) => earlier - empty));
  return mean(rows.map(({ earlier, last }) => earlier - last)) / distance;
}

function rowsOf(
  twins: readonly Twins[],
  earlier: readonly ScoredEpisode[],
  last: readonly ScoredEpisode[],
  column: Column,
  estimator: Estimator,
): Row[] {
  const valueOf = columnOf([...earlier, ...last], column, estimator);
  return twins.flatMap(({ earlier: { place } }, at) => {
    const [a, b] = [earlier[at], last[at]];
    if (a === undefined || b === undefined) return [];
    const told = valueOf(a, place);
    const toldLast = valueOf(b, b.turns.length - 2);
    const empty = Array.from({ length: a.turns.length - 1 }, (_, turn) => turn)
      .filter((turn) => turn !== place)
      .map((turn) => valueOf(a, turn));
    const known = empty.filter((value) => value !== null);
    if (told === null || toldLast === null || known.length === 0) return [];
    return [{ earlier: told, last: toldLast, empty: mean(known) }];
  });
}

function columnOf(
  batch: readonly ScoredEpisode[],
  column: Column,
  estimator: Estimator,
): (episode: ScoredEpisode, turn: number) => number | null {
  const gainAt = (episode: ScoredEpisode, turn: number): number | null => {
    const found = episode.turns[turn];
    return (estimator === 'shift_sum' ? found?.gain_sum : found?.gain) ?? null;
  };
  if (column === 'gain') return gainAt;
  // Each episode a group of its own, so that the pool is the batch.
  const members = batch.map((episode) =>
    creditEpisodeOf({
      ...episode,
      group_id: episode.episode_id,
      turns: episode.turns.map((turn) => ({ ...turn, gain: gainAt(episode, turn.index) })),
    }),
  );
  const options = resolveCreditOptions({ pool: 'batch', pool_by: column });
  const ledgers = new Map(creditBatch(members, options).map((ledger) => [ledger.episode_id, ledger]));
  return (episode, turn) => ledgers.get(episode.episode_id)?.turns[turn]?.a_int ?? null;
}

function nextLength(episode: ScoredEpisode | undefined, turn: number): number | null {
  return episode?.turns[turn]?.logp_factual?.length ?? null;
}
