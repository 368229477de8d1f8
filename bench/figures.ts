/** One figure of a benchmark against its goal, or against nothing where it has none. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: 'kB' | 'MB' | 'ms' | 'tokens/s' | 'ratio';
  /** Least and greatest of the runs; null for what does not vary. */
  readonly spread: readonly [number, number] | null;
  readonly runs: number;
  /** What it is compared with, and the ratio to it; null: nothing. */
  readonly baseline: { readonly name: string; readonly value: number; readonly ratio: number } | null;
  readonly goal: { readonly atMost: number } | { readonly atLeast: number } | null;
}

/** Middle of the values; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

export function spread(values: readonly number[]): readonly [number, number] {
  return [Math.min(...values), Math.max(...values)];
}

/** Prints figures as a table for a person, or as JSON lines. */
export function printFigures(title: string, figures: readonly Figure[], json: boolean): void {
  if (json) {
    for (const figure of figures) process.stdout.write(`${JSON.stringify(figure)}\n`);
    return;
  }
  const rows = [
    ['figure', 'value', 'from .. to', 'against', 'ratio', 'goal'],
    ...figures.map((figure) => [
      figure.name,
      inUnit(figure.value, figure.unit),
      figure.spread === null ? '' : figure.spread.map((value) => inUnit(value, figure.unit, false)).join(' .. '),
      figure.baseline === null ? '' : `${figure.baseline.name} ${inUnit(figure.baseline.value, figure.unit)}`,
      Number.isFinite(figure.baseline?.ratio) ? (figure.baseline?.ratio.toFixed(2) ?? '') : '',
      verdict(figure),
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  process.stdout.write(`\n${title}\n\n${rows.map(line).join('\n')}\n`);
}

function verdict({ value, unit, goal, runs }: Figure): string {
  if (goal === null) return '';
  const met = 'atMost' in goal ? value <= goal.atMost : value >= goal.atLeast;
  const bound = 'atMost' in goal ? `at most ${inUnit(goal.atMost, unit)}` : `at least ${inUnit(goal.atLeast, unit)}`;
  return `${met ? 'met' : 'missed'}: ${bound}${runs > 1 ? `; median of ${runs}` : ''}`;
}

function inUnit(value: number, unit: Figure['unit'], named = true): string {
  if (unit === 'ratio') return value.toFixed(3);
  return `${value.toFixed(unit === 'ms' && value >= 100 ? 0 : 1)}${named ? ` ${unit}` : ''}`;
}
