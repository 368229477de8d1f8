import type { Check, CheckState } from '../app/doctor/check.ts';
import type { DoctorReport } from '../app/doctor/doctor.ts';
import { CHECK_TITLES, figureText } from '../app/doctor/figure.ts';

const TITLES = Math.max(...Object.values(CHECK_TITLES).map((title) => title.length));
const STATES: Readonly<Record<CheckState, string>> = { ok: 'ok', warn: 'WARN', fail: 'FAIL', unknown: '?' };
const STATE = 4;

/** A report as lines of `width` columns: each check with its state, what to change, and its figures below. */
export function doctorTable({ scorer, facts, probes, checks }: DoctorReport, width: number): string[] {
  return [
    ...(scorer === null
      ? ['Nothing could be learned of the scorer.']
      : [`Scorer ${scorer.id} on ${scorer.backend}${scorer.version === null ? '' : ` ${scorer.version}`}`]),
    ...(facts?.notice ? [facts.notice] : []),
    ...(probes === null
      ? []
      : wrapped(
          `Probed with ${probes.n} questions of ${probes.name}, each answered twice, once with nothing; what the agent does next was ${probes.actions === 'sampled' ? 'sampled by the scorer itself' : 'written beforehand, since the scorer does not chat'}.`,
          width,
        )),
    '',
    ...checks.flatMap((check) => linesOf(check, width)),
  ];
}

function linesOf({ id, state, sentence, values }: Check, width: number): string[] {
  const indent = STATE + 2 + TITLES + 2;
  const name = Math.max(0, ...values.map((value) => value.name.length));
  return [
    ...wrapped(sentence, width - indent).map((line, at) =>
      at === 0
        ? `${STATES[state].padEnd(STATE)}  ${CHECK_TITLES[id].padEnd(TITLES)}  ${line}`
        : `${' '.repeat(indent)}${line}`,
    ),
    ...values.map((value) => `${' '.repeat(indent)}  ${value.name.padEnd(name)}  ${figureText(value)}`),
  ];
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length > Math.max(width, 20) && line !== '') {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}
