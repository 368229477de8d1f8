import type { Axis } from './review-protocol.ts';
import { signed } from './review.ts';

/**
 * The range that values in nats are drawn over: 0 is always in it, its ends and ticks are round numbers (1, 2 or 5 times a power of
 * ten), so that a new bar seldom moves the others. Values that are not finite count for nothing.
 */
export function axisOf(values: readonly number[]): Axis {
  const finite = values.filter(Number.isFinite);
  const [least, most] = [Math.min(0, ...finite), Math.max(0, ...finite)];
  if (most - least < NOTHING) return { low: -1, high: 1, ticks: [tick(-1, 0), tick(0, 0), tick(1, 0)] };
  const step = niceStep((most - least) / TICKS);
  // Neither side vanishes, so that the sign reads from where a bar stands.
  const [below, above] = [Math.max(1, Math.ceil(-least / step)), Math.max(1, Math.ceil(most / step))];
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return {
    low: -below * step,
    high: above * step,
    ticks: Array.from({ length: below + above + 1 }, (_, at) => tick((at - below) * step, digits)),
  };
}

/** Nats that are nothing to draw. */
const NOTHING = 1e-9;
/** About so many steps in the range. */
const TICKS = 4;

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const [nice = 10] = [1, 2, 5, 10].filter((factor) => factor * power >= rough * (1 - 1e-9));
  return nice * power;
}

function tick(value: number, digits: number): { value: number; label: string } {
  return { value, label: signed(value, Math.min(digits, 6)) };
}
