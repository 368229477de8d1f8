import type { GroupComparison, GroupEpisode } from './group-view.ts';
import { axisOf } from './review-axis.ts';
import type { GroupView } from './review-protocol.ts';
import { figure, FINE_DIGITS, TOTAL_DIGITS } from './review-view.ts';
import { oneLine } from './review.ts';

/** Most episodes of a task that are put side by side. */
const SHOWN = 60;

/** Episodes of one task as they are drawn: turn under turn, a branch's inherited turns in the places where they stand in its parent. */
export function groupPicture(group: GroupComparison, shown: string): GroupView {
  const own = group.episodes.findIndex(({ id }) => id === shown);
  const from = Math.max(0, Math.min(own - SHOWN + 1, group.episodes.length - SHOWN));
  const episodes = group.episodes.slice(from, from + SHOWN);
  const left = group.episodes.length - episodes.length;
  const plain = (value: number | null, none: string): { value: number | null; label: string } => ({
    value,
    label: value === null ? none : value.toFixed(FINE_DIGITS),
  });
  return {
    words:
      group.episodes.length === 1
        ? 'No other conversation of this task yet: the outcome and the gains are compared with the batch.'
        : `${group.episodes.length} conversations of this task, ${group.n} with a known outcome.${left === 0 ? '' : ` ${left} are not shown.`}`,
    mean: plain(group.mean, 'unknown'),
    sd: plain(group.sd, 'needs two outcomes'),
    gate: plain(group.gate, 'needs scores'),
    axis: axisOf(episodes.flatMap(({ turns }) => turns.map(({ total }) => total ?? 0))),
    turns: Math.max(0, ...episodes.map(({ turns }) => turns.length)),
    episodes: episodes.map(({ id, title, outcome, gain, fork, offset, turns, depth }) => ({
      id,
      title: nameOf({ title, fork, offset }, group.episodes),
      shown: id === shown,
      depth,
      fork: fork?.at ?? null,
      outcome: plain(outcome, 'unknown'),
      total: figure(gain, TOTAL_DIGITS, 'no gain'),
      turns: turns.map(({ index, inherited, total, advantage }) => ({
        index,
        inherited,
        total: figure(total, TOTAL_DIGITS, inherited ? 'inherited' : '·'),
        advantage: figure(advantage, FINE_DIGITS, 'none'),
      })),
    })),
  };
}

/** Its title; of a branch what is otherwise in it, where the title does not say it: it inherits the action whose reply it replaces, and none whose place it takes. */
function nameOf(
  { title, fork, offset }: Pick<GroupEpisode, 'title' | 'fork' | 'offset'>,
  episodes: readonly GroupEpisode[],
): string {
  const parent = episodes.find(({ id }) => id === fork?.parent);
  if (fork === null || title !== parent?.title) return oneLine(title ?? 'New conversation', 60);
  return offset > fork.at ? `Another reply to turn ${fork.at + 1}` : `Turn ${fork.at + 1}, asked again`;
}
