import type { DemoResult } from '../app/demo/demo.ts';
import type { TurnState } from '../core/episode-state.ts';

/** How a piece of a line is to look; the terminal, or nobody, decides what that means. */
export type Style = (look: 'bold' | 'dim', text: string) => string;

interface Row {
  readonly episode: string;
  readonly turn: string;
  readonly what: string;
  readonly reply: string;
  readonly total: string;
  readonly perToken: string;
  readonly advantage: string;
  /** A proposal or other turn without a gain: shown, but not what the table is about. */
  readonly faint: boolean;
}

/** What stands for a number that nobody can know. */
const UNKNOWN = '·';
const NEEDS_MORE = 'needs more conversations';
/** Columns of text from which on the replies have a column of their own. */
const WIDE = 105;

/**
 * The ledger turn by turn, grouped by request, in `width` columns: what the agent said, the gain of that turn in nats (total,
 * and the mean over the next action's tokens), and the turn's advantage.
 */
export function demoTable({ states, scored, ledgers }: DemoResult, width: number, style: Style): string[] {
  const groups = states.map((state, at) => ({
    request: state.request ?? '',
    group: state.groupId,
    rows: state.turns.map((turn, index): Row => {
      const scores = scored[at]?.turns[index];
      const credit = ledgers[at]?.turns[index];
      return {
        episode: index === 0 ? String(at + 1) : '',
        turn: String(index + 1),
        what: describe(turn),
        reply: oneLine(turn.observations.map(({ text }) => text).join(' / ')),
        total: signed(scores?.gain_sum ?? null, 2),
        perToken: signed(scores?.gain ?? null, 3),
        advantage: credit?.advantage == null ? NEEDS_MORE : signed(credit.advantage, 2),
        faint: scores?.gain == null,
      };
    }),
  }));
  const rows = groups.flatMap((group) => group.rows);
  const advantage = Math.max('advantage'.length, ...rows.map((row) => row.advantage.length));
  // Number, turn, three figures, and two blanks in front of each column.
  const text = width - (2 + 6 + 2 + 8 + 2 + 9 + 2 + advantage) - 2;
  const reply = width >= WIDE ? Math.floor(text * 0.36) : 0;
  const what = text - (reply > 0 ? reply + 2 : 0);
  const line = (row: Omit<Row, 'faint'>): string =>
    [
      row.episode.padStart(2),
      row.turn.padStart(4),
      tail(row.what, what).padEnd(what),
      ...(reply > 0 ? [head(row.reply, reply).padEnd(reply)] : []),
      row.total.padStart(8),
      row.perToken.padStart(9),
      row.advantage.padStart(advantage),
    ]
      .join('  ')
      .trimEnd();
  const lines = [
    style('dim', `${' '.repeat(width - 2 - advantage - 19)}${'gain in nats'.padStart(19)}`.trimEnd()),
    style('bold', line({ ...HEADINGS, reply: 'reply' })),
  ];
  let last: string | null = null;
  for (const { request, group, rows: own } of groups) {
    if (group !== last) lines.push('', style('bold', head(request, width)));
    last = group;
    for (const row of own) lines.push(row.faint ? style('dim', line(row)) : line(row));
  }
  return lines;
}

const HEADINGS = {
  episode: '#',
  turn: 'turn',
  what: 'what the agent said',
  total: 'total',
  perToken: 'per token',
  advantage: 'advantage',
};

function describe({ kind, question, text, tests, observations }: TurnState): string {
  if (kind !== 'answer') return oneLine(question ?? text);
  const calls = tests === null ? 'not run' : `${tests.passed} of ${tests.total} calls pass`;
  return `code: ${calls}${observations.some((one) => one.kind === 'rejected') ? ', sent back' : ''}`;
}

function oneLine(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}

/** The beginning of a text in at most `width` columns. */
function head(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1).trimEnd()}…`;
}

/**
 * The end of a text, since an agent says what it understood first and asks last: from the start of a sentence where that
 * leaves enough of it, else of a word.
 */
function tail(text: string, width: number): string {
  if (text.length <= width) return text;
  const room = width - 2;
  const starts = (pattern: RegExp): number[] => [...text.matchAll(pattern)].map(({ index }) => text.length - index);
  const sentence = starts(/(?<=[.?!] )\S/g).find((length) => length <= room && length > room / 2);
  const word = starts(/(?<= )\S/g).find((length) => length <= room);
  return `… ${text.slice(-(sentence ?? word ?? room))}`;
}

function signed(value: number | null, digits: number): string {
  if (value === null) return UNKNOWN;
  const text = value.toFixed(digits);
  if (Number(text) === 0) return (0).toFixed(digits);
  return value < 0 ? `−${text.slice(1)}` : `+${text}`;
}
