import { seededRandom, shuffled } from './random.ts';
import type { Task } from './tasks.ts';

/** Rollouts of one request, so that they can be compared with each other. */
const ROLLOUTS = 3;
/** Of four requests one leaves nothing open, so that needless questions show. */
const SPECIFIED_EVERY = 4;

/**
 * The tasks of a demo in the order they are played: every request about three times in a row, one request in four fully
 * specified, no two tasks with the same request, all decided by the seed. Fewer tasks than wanted are played again.
 */
export function drawTasks(
  tasks: readonly Task[],
  { seed, episodes }: { readonly seed: number; readonly episodes: number },
): Task[] {
  const random = seededRandom(`${seed}/tasks`);
  const seen = new Set<string>();
  const distinct = shuffled(random, tasks).filter(({ group }) => !seen.has(group) && seen.add(group));
  const specified = distinct.filter(isSpecified);
  const open = distinct.filter((task) => !isSpecified(task));
  const groups = Math.ceil(episodes / ROLLOUTS);
  const chosen = Array.from({ length: groups }, (_, at) => {
    const first = at % SPECIFIED_EVERY === SPECIFIED_EVERY - 1 ? specified : open;
    return first.shift() ?? specified.shift() ?? open.shift();
  }).filter((task) => task !== undefined);
  return chosen
    .flatMap((task, at) => {
      const rollouts = Math.floor(episodes / groups) + (at < episodes % groups ? 1 : 0);
      return Array.from({ length: rollouts }, () => task);
    })
    .slice(0, episodes);
}

function isSpecified(task: Task): boolean {
  return task.kinds.every(({ specified }) => specified);
}
