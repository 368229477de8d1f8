import type { Carrier } from './carriers.ts';
import { commonPrefix } from './carriers.ts';

/**
 * Groups carriers that may be sent at once to a server that keeps a prefix cache, in an order that wastes none of it: one waits for
 * a wave where another of its wave would leave more in the cache than the waves before have.
 */
export function wavesOf(carriers: readonly Carrier[]): number[][] {
  const waves: number[][] = [];
  const sent: number[] = [];
  let pending = [...carriers.keys()];
  while (pending.length > 0) {
    const wave: number[] = [];
    const later: number[] = [];
    for (const at of pending) {
      if (longestShared(carriers, at, wave) > longestShared(carriers, at, sent)) later.push(at);
      else wave.push(at);
    }
    waves.push(wave);
    sent.push(...wave);
    pending = later;
  }
  return waves;
}

/**
 * The order for a server that remembers its last sequence alone: neighbours share the most. Where it costs nothing the longest is
 * the last, so that a live conversation goes on from it; where much of it is read, going back there would.
 */
export function nearestOrder(carriers: readonly Carrier[]): number[] {
  const order: number[] = [];
  const rest = new Set(carriers.keys());
  let last = 0;
  while (rest.size > 0) {
    rest.delete(last);
    if (carriers[last] !== undefined) order.push(last);
    let most = -1;
    for (const at of rest) {
      const shared = longestShared(carriers, at, order.slice(-1));
      if (shared > most) [most, last] = [shared, at];
    }
  }
  const back = order.toReversed();
  return tokensToRun(carriers, back) <= tokensToRun(carriers, order) ? back : order;
}

/** What is run when each carrier goes on from the one before, and nothing behind the first position that is read may be reused. */
function tokensToRun(carriers: readonly Carrier[], order: readonly number[]): number {
  return order.reduce((sum, at, k) => {
    const { ids, from } = carriers[at] ?? { ids: [], from: 1 };
    return sum + ids.length - Math.min(longestShared(carriers, at, order.slice(Math.max(0, k - 1), k)), from - 1);
  }, 0);
}

function longestShared(carriers: readonly Carrier[], at: number, others: readonly number[]): number {
  const own = carriers[at]?.ids ?? [];
  return Math.max(0, ...others.map((other) => commonPrefix(own, carriers[other]?.ids ?? [])));
}
