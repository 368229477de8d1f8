import { isMet, type Figure } from './figure.ts';
import type { Section } from './study.ts';

const CLAIMS: Readonly<Record<number, string>> = {
  0: 'The episodes',
  1: 'Gain finds the telling turn',
  2: 'What says nothing gains what a reply of another task gains',
  3: 'What says something gains more',
  4: 'Information is not truth',
  5: 'gain_nocopy leaves out the echo',
  6: 'The order of turns and the placeholder',
  7: 'The same reply told last, before the code',
  8: 'Questions that nobody needed',
};

/** The table: what, how much with its 95 % interval, from how many, and how that stands to its goal. */
export function tableOf(sections: readonly Section[]): string[] {
  return sections.flatMap(({ model, placeholder, why, figures, counts }) => {
    const lines = figures.map((one) => [one.name, valueOf(one), String(one.estimate.n), verdict(one, counts)]);
    const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
    const row = (cells: readonly string[]): string =>
      cells
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd();
    const parts = [...new Set(figures.map(({ part }) => part))];
    return [
      `${model}, placeholder "${placeholder}" (${why})`,
      ...parts.flatMap((part) => [
        `${part === 0 ? '' : `(${part}) `}${CLAIMS[part] ?? ''}`,
        ...lines.filter((_, at) => figures[at]?.part === part).map((line) => `  ${row(line)}`),
      ]),
      '',
    ];
  });
}

/** The same table as Markdown, a section a model and placeholder. */
export function markdownOf(sections: readonly Section[]): string[] {
  return sections.flatMap(({ model, sha256, placeholder, why, figures, counts }) => [
    `### ${model}, placeholder "${placeholder}" (${why})`,
    '',
    `Model file: SHA-256 \`${sha256}\`.`,
    '',
    '| claim | figure | value, 95 % interval | n | goal |',
    '| --- | --- | --- | --- | --- |',
    ...figures.map((one) => {
      const cells = [one.part === 0 ? '' : `(${one.part})`, one.name, valueOf(one), one.estimate.n];
      return `| ${[...cells, verdict(one, counts)].join(' | ')} |`;
    }),
    '',
  ]);
}

/** Which goals are met and which are not. */
export function lastLine(sections: readonly Section[]): string {
  const goals = sections.flatMap(({ model, figures, counts }) =>
    counts ? figures.filter(({ goal }) => goal !== null).map((one) => ({ model, one, met: isMet(one) })) : [],
  );
  const missed = goals.filter(({ met }) => met !== true);
  const head = `${goals.length - missed.length} of ${goals.length} goals met`;
  if (missed.length === 0) return `${head}.`;
  const named = missed.map(({ model, one }) => `(${one.part}) ${one.name}, ${model}: ${valueOf(one)}`);
  return `${head}; not met: ${named.join('; ')}.`;
}

function valueOf({ unit, estimate: { value, low, high } }: Figure): string {
  const digits = unit === 'words' || unit === 'count' || unit === 'nats' ? 2 : 3;
  const shown = (number: number): string => (Number.isNaN(number) ? '?' : number.toFixed(digits));
  const named = unit === 'share' || unit === 'ratio' ? '' : ` ${unit}`;
  return `${shown(value)}${named} [${shown(low)}, ${shown(high)}]`;
}

function verdict(one: Figure, counts: boolean): string {
  const met = isMet(one);
  if (met === null || one.goal === null) return '';
  const goal = `${one.goal.is} ${one.goal.bound}`;
  if (!counts) return `(${goal})`;
  return `${met ? 'met' : 'MISSED'}: ${goal}`;
}
