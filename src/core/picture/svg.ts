/** Text as it may stand in XML: nothing of it is markup, and what XML cannot hold is gone. */
export function escaped(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** An element with its attributes in the order given; numbers are rounded to what a screen can show. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  ...inner: readonly string[]
): string {
  const written = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? round(value) : escaped(value)}"`)
    .join('');
  return inner.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${inner.join('')}</${name}>`;
}

/** A word at a place. */
export function words(
  text: string,
  x: number,
  y: number,
  attributes: Readonly<Record<string, string | number>> = {},
): string {
  return element('text', { x, y, ...attributes }, escaped(text));
}

/** A picture of its own size that scales with its place, named for those who do not see it. */
export function picture(width: number, height: number, label: string, ...inner: readonly string[]): string {
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      width: '100%',
      role: 'img',
      'aria-label': label,
      class: 'tw-picture',
    },
    ...inner,
  );
}

/** Round steps of an axis from `low` to `high` with both inside: 3 to 6 of them. */
export function ticks(low: number, high: number): number[] {
  const span = high - low;
  if (!Number.isFinite(span)) return [Number.isFinite(low) ? low : 0];
  // Less than this nobody could tell apart, and no step between them has few enough digits.
  if (span <= 1e-9 * Math.max(1, Math.abs(low), Math.abs(high))) return low === high ? [low] : [low, high];
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

function round(value: number): string {
  return Number.isFinite(value) ? `${Math.round(value * 100) / 100}` : '0';
}
