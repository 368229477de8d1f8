import type { Check, CheckState } from './check.ts';
import type { DoctorReport } from './doctor.ts';
import { CHECK_TITLES, figureText } from './figure.ts';

const STATES: Readonly<Record<CheckState, string>> = { ok: 'ok', warn: 'warning', fail: 'FAILED', unknown: 'unknown' };

/** A report as a page of markdown: what is to be done first, then every check with its figures. */
export function doctorMarkdown({ scorer, facts, probes, checks }: DoctorReport): string {
  const wanting = checks.filter(({ state }) => state === 'fail' || state === 'warn');
  return [
    '# Check of the Scorer',
    '',
    scorer === null
      ? 'Nothing could be learned of the scorer.'
      : `**${plain(scorer.id)}** on ${plain(scorer.backend)}${scorer.version === null ? '' : ` ${plain(scorer.version)}`}`,
    ...(facts?.notice ? ['', plain(facts.notice)] : []),
    ...(probes === null
      ? []
      : [
          '',
          `Probed with ${probes.n} questions of ${probes.name}, each answered twice, once with nothing; what the agent does next was ${probes.actions === 'sampled' ? 'sampled by the scorer itself' : 'written beforehand, since the scorer does not chat'}.`,
        ]),
    '',
    '## What to Change',
    '',
    ...(wanting.length === 0
      ? ['Nothing.']
      : wanting.map(({ id, sentence }) => `- **${CHECK_TITLES[id]}:** ${plain(sentence)}`)),
    ...checks.flatMap(sectionOf),
    '',
  ].join('\n');
}

function sectionOf({ id, state, sentence, values }: Check): string[] {
  return [
    '',
    `## ${CHECK_TITLES[id]}: ${STATES[state]}`,
    '',
    plain(sentence),
    ...(values.length === 0 ? [] : ['', '| Figure | Value |', '|---|---|']),
    ...values.map((value) => `| ${plain(value.name)} | ${plain(figureText(value))} |`),
  ];
}

/** Words of servers and models are words, whatever markdown would make of them. */
function plain(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+!|<>~]/g, (character) => `\\${character}`).replace(/\s+/g, ' ');
}
