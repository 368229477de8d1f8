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

/** The order for a server that remembers its last sequence alone: each time the one that shares the most with the one before. */
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
  return order;
}

function longestShared(carriers: readonly Carrier[], at: number, others: readonly number[]): number {
  const own = carriers[at]?.ids ?? [];
  return Math.max(0, ...others.map((other) => commonPrefix(own, carriers[other]?.ids ?? [])));
}
