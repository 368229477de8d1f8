import type { DemoResult } from '../app/demo/demo.ts';
import type { DemoSummary } from '../app/demo/summary.ts';
import { demoTable, type Style } from './demo-table.ts';

/** Where things were put, as this person would type it. */
export interface ShownPlaces {
  readonly dataset: string;
  readonly store: string;
}

export interface ReportLook {
  readonly width: number;
  readonly style: Style;
  /** How this person starts the command, `npm run turnwise --` say. */
  readonly command: string;
}

/** The whole report of a demo, for somebody who has never seen Turnwise. */
export function demoReport(
  seed: number,
  result: DemoResult,
  summary: DemoSummary,
  places: ShownPlaces,
  { width, style, command }: ReportLook,
): string[] {
  const { facts } = result;
  return [
    '',
    style('bold', `Turnwise demo, seed ${seed}`),
    '',
    ...wrap(happened(result, summary), width),
    ...(facts.notice === null ? [] : ['', ...wrap(facts.notice, width).map((line) => style('dim', line))]),
    '',
    ...demoTable(result, width, style),
    '',
    ...wrap(legend(summary), width).map((line) => style('dim', line)),
    '',
    ...figures(result, summary, places, style),
    '',
    style('bold', 'Next'),
    ...pairs(
      [
        [`${command} verify ${places.dataset}`, 'check the dataset again'],
        [`${command} demo --seed ${seed + 1}`, 'other tasks and samples'],
        [`${command} credit --help`, 'how advantages are made'],
      ],
      (text) => text,
    ),
  ];
}

function happened({ facts }: DemoResult, { episodes, questions, passed }: DemoSummary): string {
  return (
    `A toy model (${facts.identity.id}) was asked for code ${times(episodes, 'time')}, put ` +
    `${times(questions, 'question')} to a simulated developer, and its code was run against calls it never saw: ` +
    `${passed} of ${episodes} passed them all. Then it read every conversation again with one reply masked at a time; how much ` +
    'likelier the reply made what it did next is that turn’s gain.'
  );
}

function legend({ null_reasons }: DemoSummary): string {
  const { no_next_action: ends = 0, ...others } = null_reasons;
  const rest = Object.entries(others).map(([reason, count]) => `${reason.replaceAll('_', ' ')} ${count}`);
  return [
    'The gain of a turn: log-probability of the next action given the developer’s reply, minus the same with the reply masked.',
    `The advantage adds what the outcome was worth among comparable conversations.`,
    'The causal limit is the least that scoring each conversation alone can cost, in tokens.',
    ends > 0 ? '· : nothing followed, so there is nothing to compare.' : '',
    rest.length > 0 ? `Other gaps: ${rest.join(', ')}.` : '',
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}

function figures(
  { exported, verified }: DemoResult,
  summary: DemoSummary,
  { dataset, store }: ShownPlaces,
  style: Style,
): string[] {
  const { turns, gains_defined, tokens_evaluated, tokens_limit, questions, distinct_questions } = summary;
  const { passed, episodes, calls, calls_passed } = summary;
  const cost =
    tokens_evaluated === null
      ? 'the scorer does not say'
      : `${grouped(tokens_evaluated)}, causal limit ${grouped(tokens_limit)} (${(tokens_evaluated / tokens_limit).toFixed(2)})`;
  return pairs(
    [
      ['Questions', `${distinct_questions} distinct of ${questions}`],
      ['Gains defined', `${gains_defined} of ${turns} turns (${percent(gains_defined, turns)})`],
      [
        'Passed',
        `${passed} of ${episodes} conversations (${percent(passed, episodes)}), ${calls_passed} of ${calls} hidden calls`,
      ],
      ['Tokens evaluated', cost],
      ['Dataset', `${dataset} (${times(exported.rows, 'row')})`],
      [
        'Verified',
        verified.ok
          ? 'yes, every advantage recomputed from the files'
          : `NO: ${times(verified.violations.length, 'violation')}`,
      ],
      ['Store', store],
    ],
    (text) => style('bold', text),
  );
}

/** Two columns, the first as wide as its widest cell. */
function pairs(rows: readonly (readonly [string, string])[], look: (text: string) => string): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${look(name.padEnd(width))}  ${value}`);
}

/** Breaks a sentence at blanks into lines of at most `width` columns. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function times(count: number, what: string): string {
  return `${grouped(count)} ${what}${count === 1 ? '' : 's'}`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? 'none' : `${Math.round((100 * part) / whole)} %`;
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}
