import type { Spread, TrendPoint } from '../trends.ts';
import { signed } from '../review.ts';
import { element, escaped, picture, ticks, words } from './svg.ts';

const WIDTH = 480;
const HEIGHT = 200;
const LEFT = 44;
const RIGHT = 8;
const TOP = 18;
const BOTTOM = 34;

/**
 * Means with their quartiles by place: bars from 0 that say their direction by where they stand, a whisker for the middle
 * half. Colours are left to the classes `tw-up`, `tw-down`, `tw-whisker`, `tw-axis`, `tw-grid` and the current colour.
 */
export function barsWithQuartiles(
  points: readonly TrendPoint[],
  { title, axis, unit }: { readonly title: string; readonly axis: string; readonly unit: string },
): string {
  const values = points.flatMap(({ spread }) => [spread.mean ?? 0, spread.low ?? 0, spread.high ?? 0]);
  const scale = scaleOf([0, ...values]);
  const width = (WIDTH - LEFT - RIGHT) / Math.max(points.length, 1);
  const bars = points.map(({ label, spread }, at) => {
    const middle = LEFT + (at + 0.5) * width;
    return element(
      'g',
      {},
      element('title', {}, escaped(`${label}: ${spreadWords(spread, unit)}`)),
      spread.mean === null
        ? ''
        : bar(middle, Math.min(width * 0.62, 40), scale.y(0), scale.y(spread.mean), spread.mean < 0),
      whisker(middle, spread, scale.y),
      words(label, middle, HEIGHT - BOTTOM + 14, { 'text-anchor': 'middle', 'font-size': 10, class: 'tw-label' }),
      spread.mean === null
        ? ''
        : words(
            signed(spread.mean, 2),
            middle,
            Math.min(scale.y(spread.mean), scale.y(spread.high ?? spread.mean)) - 4,
            {
              'text-anchor': 'middle',
              'font-size': 9,
              class: 'tw-value',
            },
          ),
    );
  });
  return picture(
    WIDTH,
    HEIGHT,
    `${title}. ${points.map(({ label, spread }) => `${label}: ${spreadWords(spread, unit)}`).join('; ')}`,
    ...axes(scale, axis, unit),
    ...bars,
  );
}

/** How often each count came. */
export function histogramBars(
  counts: readonly { readonly label: string; readonly n: number }[],
  { title, axis, unit }: { readonly title: string; readonly axis: string; readonly unit: string },
): string {
  const scale = scaleOf([0, ...counts.map(({ n }) => n)], 1);
  const width = (WIDTH - LEFT - RIGHT) / Math.max(counts.length, 1);
  const bars = counts.map(({ label, n }, at) => {
    const middle = LEFT + (at + 0.5) * width;
    return element(
      'g',
      {},
      element('title', {}, escaped(`${label}: ${n} ${unit}`)),
      bar(middle, Math.min(width * 0.62, 40), scale.y(0), scale.y(n), false),
      words(label, middle, HEIGHT - BOTTOM + 14, { 'text-anchor': 'middle', 'font-size': 10, class: 'tw-label' }),
      words(`${n}`, middle, scale.y(n) - 4, { 'text-anchor': 'middle', 'font-size': 9, class: 'tw-value' }),
    );
  });
  return picture(
    WIDTH,
    HEIGHT,
    `${title}. ${counts.map(({ label, n }) => `${label}: ${n}`).join('; ')}`,
    ...axes(scale, axis, unit),
    ...bars,
  );
}

/** A mean over time, gaps where a day has none, the middle half as a band. */
export function lineOverTime(
  points: readonly TrendPoint[],
  { title, axis, unit }: { readonly title: string; readonly axis: string; readonly unit: string },
): string {
  const known = points.filter(({ spread }) => spread.mean !== null);
  const scale = scaleOf([0, ...known.flatMap(({ spread }) => [spread.mean ?? 0, spread.low ?? 0, spread.high ?? 0])]);
  const step = (WIDTH - LEFT - RIGHT) / Math.max(points.length - 1, 1);
  const x = (at: number): number => (points.length === 1 ? (LEFT + WIDTH - RIGHT) / 2 : LEFT + at * step);
  const dots = points.flatMap(({ label, spread }, at) =>
    spread.mean === null
      ? []
      : [
          element(
            'g',
            {},
            element('title', {}, escaped(`${label}: ${spreadWords(spread, unit)}`)),
            whisker(x(at), spread, scale.y),
            element('circle', { cx: x(at), cy: scale.y(spread.mean), r: 3, class: 'tw-dot', fill: 'currentColor' }),
          ),
        ],
  );
  const path = points
    .map(({ spread }, at) =>
      spread.mean === null
        ? ''
        : `${at > 0 && points[at - 1]?.spread.mean !== null ? 'L' : 'M'}${x(at).toFixed(1)} ${scale.y(spread.mean).toFixed(1)}`,
    )
    .join(' ')
    .trim();
  const every = Math.ceil(points.length / 6);
  const labels = points.flatMap(({ label }, at) =>
    at % every === 0
      ? [
          words(label, x(at), HEIGHT - BOTTOM + 14, {
            'text-anchor':
              points.length === 1 ? 'middle' : at === 0 ? 'start' : at === points.length - 1 ? 'end' : 'middle',
            'font-size': 10,
            class: 'tw-label',
          }),
        ]
      : [],
  );
  const line =
    path === ''
      ? ''
      : element('path', { d: path, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.5, class: 'tw-line' });
  return picture(
    WIDTH,
    HEIGHT,
    `${title}. ${known.map(({ label, spread }) => `${label}: ${spreadWords(spread, unit)}`).join('; ')}`,
    ...axes(scale, axis, unit),
    line,
    ...dots,
    ...labels,
  );
}

/** A spread in words: `+0.41 nats (n 12, half of them between +0.10 and +0.72)`. */
export function spreadWords({ n, mean, low, high }: Spread, unit: string): string {
  if (mean === null || low === null || high === null) return 'none';
  return `${signed(mean, 2)} ${unit} (n ${n}, half of them between ${signed(low, 2)} and ${signed(high, 2)})`;
}

interface Scale {
  readonly y: (value: number) => number;
  readonly steps: readonly number[];
}

/** `least`: the smallest step that makes sense of what is counted. */
function scaleOf(values: readonly number[], least = 0): Scale {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const all = ticks(low, high === low ? low + 1 : high);
  const steps = least === 0 ? all : all.filter((step) => Number.isInteger(step / least));
  const [first, last] = [steps[0] ?? 0, steps.at(-1) ?? 1];
  const span = last - first || 1;
  return { steps, y: (value) => TOP + ((last - value) / span) * (HEIGHT - TOP - BOTTOM) };
}

function axes({ steps, y }: Scale, axis: string, unit: string): string[] {
  return [
    ...steps.map((step) =>
      element('line', {
        x1: LEFT,
        x2: WIDTH - RIGHT,
        y1: y(step),
        y2: y(step),
        stroke: 'currentColor',
        'stroke-opacity': step === 0 ? 0.7 : 0.15,
        class: step === 0 ? 'tw-axis' : 'tw-grid',
      }),
    ),
    ...steps.map((step) =>
      words(`${step}`.replace('-', '−'), LEFT - 5, y(step) + 3, {
        'text-anchor': 'end',
        'font-size': 10,
        class: 'tw-label',
      }),
    ),
    words(axis, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4, {
      'text-anchor': 'middle',
      'font-size': 10,
      class: 'tw-label',
    }),
    words(unit, 2, 10, { 'font-size': 10, class: 'tw-label' }),
  ];
}

function bar(middle: number, width: number, from: number, to: number, down: boolean): string {
  return element('rect', {
    x: middle - width / 2,
    y: Math.min(from, to),
    width,
    height: Math.max(Math.abs(from - to), 0.5),
    fill: 'currentColor',
    'fill-opacity': 0.55,
    class: down ? 'tw-down' : 'tw-up',
  });
}

function whisker(x: number, { low, high, n }: Spread, y: (value: number) => number): string {
  if (low === null || high === null || n < 2) return '';
  const line = { stroke: 'currentColor', 'stroke-width': 1.2, class: 'tw-whisker' };
  return [
    element('line', { x1: x, x2: x, y1: y(low), y2: y(high), ...line }),
    ...[low, high].map((value) => element('line', { x1: x - 4, x2: x + 4, y1: y(value), y2: y(value), ...line })),
  ].join('');
}
