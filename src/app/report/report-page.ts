import { MARK_IDS } from '../../core/marks/mark.ts';
import { MARKS } from '../../core/marks/marks.ts';
import { barsWithQuartiles, histogramBars, lineOverTime } from '../../core/picture/charts.ts';
import { escaped } from '../../core/picture/svg.ts';
import { signed } from '../../core/review.ts';
import type { Spread } from '../../core/trends.ts';
import { VERSION } from '../../core/version.ts';
import { YARDSTICK_MIN, type Agreement } from '../yardstick.ts';
import type { ReportData } from './report-data.ts';

/** Says who wrote a page, so that a new one replaces it and nothing else. */
export const GENERATOR = '<meta name="generator" content="Turnwise';

/** The report as one page: pictures and styles in it, no script, nothing fetched, light or dark as the reader's system is. */
export function reportPage(data: ReportData): string {
  const { trends } = data;
  return [
    '<!DOCTYPE html>',
    '<html lang="en"><head><meta charset="utf-8">',
    `${GENERATOR} ${VERSION}">`,
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Turnwise report</title>',
    `<style>${STYLE}</style></head><body><main>`,
    '<h1>What the questions were worth</h1>',
    `<p class="lead">${escaped(summaryLine(data))}</p>`,
    `<dl>${figuresOf(data)
      .map(
        ([name, value, what]) =>
          `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}<small>${escaped(what)}</small></dd></div>`,
      )
      .join('')}</dl>`,
    section(
      'Gain by turn',
      'How much each reply changed what the agent did next: mean total gain of the first, second, ... turn; the whisker is the middle half.',
      trends.gainByTurn.length === 0
        ? null
        : barsWithQuartiles(trends.gainByTurn, { title: 'Total gain by turn', axis: 'turn', unit: 'nats' }),
    ),
    section(
      'Questions per conversation',
      'How many answered questions a conversation had.',
      trends.questionsPerEpisode.length === 0
        ? null
        : histogramBars(trends.questionsPerEpisode, {
            title: 'Questions per conversation',
            axis: 'questions',
            unit: 'conversations',
          }),
    ),
    section(
      'Gain per question, day by day',
      'Mean total gain of the questions of a day, with the middle half.',
      trends.byDay.every(({ gain }) => gain.mean === null)
        ? null
        : lineOverTime(
            trends.byDay.map(({ day, gain }) => ({ label: day, spread: gain })),
            { title: 'Gain per question by day', axis: 'day', unit: 'nats' },
          ),
    ),
    marksSection(data),
    '<section><h2>How to read it</h2><p>Gain is measured in nats: the log-probability of what the agent did next, given the reply, minus the same with the reply masked. 0.7 nats is twice as likely, a negative gain means that the agent acted against the reply. Numbers are of one scorer under one set of options. Titles are shown of conversations that may be exported; the others are counted, and nothing they say is here.</p></section>',
    `<footer>Turnwise ${escaped(VERSION)}</footer></main></body></html>`,
    '',
  ].join('\n');
}

/** One sentence for somebody who sees nothing else. */
export function summaryLine({ trends, scorer, unreadable }: ReportData): string {
  if (trends.episodes === 0) return 'The store holds no conversation yet.';
  const scored = scorer === null ? 'none of them scored' : `${trends.scored} scored by ${scorer}`;
  const lost = unreadable === 0 ? '' : ` ${unreadable} more cannot be read.`;
  return `${trends.episodes} conversations, ${scored}, with ${trends.questions} answered questions.${lost}`;
}

/** Every figure of the report as name, value and what it is. */
export function figuresOf({ trends, agreement, reviewed }: ReportData): readonly (readonly [string, string, string])[] {
  const { needless } = trends;
  return [
    ['Questions per conversation', plain(trends.questionCount, 2, ''), quartiles(trends.questionCount)],
    ['Words typed per question', plain(trends.wordsPerQuestion, 1, ''), quartiles(trends.wordsPerQuestion)],
    ['Gain per question', plain(trends.gainPerQuestion, 2, ' nats', true), quartiles(trends.gainPerQuestion)],
    [
      'Gain per word typed',
      trends.gainPerWord === null ? 'unknown' : `${signed(trends.gainPerWord, 3)} nats`,
      'over questions with a gain and an answer in words',
    ],
    [
      'Needless questions',
      needless.of === 0 ? 'unknown' : `${needless.n} of ${needless.of}`,
      'the reply told the agent nothing (less than 0.2 nats either way)',
    ],
    ['Outcome', plain(trends.outcome, 2, ''), quartiles(trends.outcome)],
    [
      'Agreement with thumbs',
      agreed(agreement.total),
      agreement.total === null
        ? `${agreement.n} rated turns with a gain; ${YARDSTICK_MIN} of both kinds are needed`
        : `rank correlation of ${agreement.n} thumbs with total gain, 95 % interval`,
    ],
    ['Reviewed', `${reviewed.reviewed} of ${reviewed.total}`, 'conversations that a person has looked through'],
  ];
}

function marksSection({ marks, marked }: ReportData): string {
  const rows = MARK_IDS.map(
    (id) =>
      `<tr><th scope="row">${escaped(MARKS[id].title)}</th><td class="n">${marks[id]}</td><td>${escaped(MARKS[id].rule)}</td></tr>`,
  );
  const named = marked.map(
    ({ title, marks: ids, gain, outcome }) =>
      `<tr><td>${title === null ? '<i>not released for export</i>' : escaped(title)}</td><td>${escaped(ids.map((id) => MARKS[id].title).join(', '))}</td><td class="n">${gain === null ? '' : escaped(signed(gain, 2))}</td><td class="n">${outcome === null ? '' : outcome.toFixed(2)}</td></tr>`,
  );
  return [
    '<section><h2>Marks</h2><div class="wide"><table><thead><tr><th>mark</th><th class="n">conversations</th><th>rule</th></tr></thead><tbody>',
    ...rows,
    '</tbody></table></div>',
    named.length === 0
      ? ''
      : `<h3>The newest of them</h3><div class="wide"><table><thead><tr><th>conversation</th><th>marks</th><th class="n">gain, nats</th><th class="n">outcome</th></tr></thead><tbody>${named.join('')}</tbody></table></div>`,
    '</section>',
  ].join('');
}

function section(title: string, what: string, picture: string | null): string {
  const shown =
    picture === null
      ? '<p class="none">Nothing to show yet: score some conversations first.</p>'
      : `<figure>${picture}</figure>`;
  return `<section><h2>${escaped(title)}</h2><p>${escaped(what)}</p>${shown}</section>`;
}

function plain({ mean }: Spread, digits: number, unit: string, sign = false): string {
  if (mean === null) return 'unknown';
  return `${sign ? signed(mean, digits) : mean.toFixed(digits)}${unit}`;
}

function quartiles({ n, low, median, high }: Spread): string {
  if (low === null || median === null || high === null) return 'nothing is known yet';
  const short = (value: number): string => Number(value.toFixed(2)).toString().replace('-', '−');
  return `n ${n}; quartiles ${short(low)}, ${short(median)}, ${short(high)}`;
}

function agreed(agreement: Agreement | null): string {
  if (agreement === null) return 'unknown';
  const { rho, low, high } = agreement;
  return `${signed(rho, 2)} (${signed(low, 2)} to ${signed(high, 2)})`;
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1f2328;--soft:#59636e;--page:#fff;--line:#d1d9e0;--up:#0550ae;--down:#b35900}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9ba5b0;--page:#0d1117;--line:#30363d;--up:#79b8ff;--down:#ffab70}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:2rem 1.25rem 4rem}h1{font-size:1.9rem;line-height:1.2;margin:0 0 .4rem}
h2{font-size:1.2rem;margin:2.2rem 0 .2rem}h3{font-size:1rem;margin:1.4rem 0 .3rem}p{margin:.2rem 0 .8rem;max-width:46rem}.lead{color:var(--soft);font-size:1.1rem}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:1px;margin:1.4rem 0;background:var(--line);border:1px solid var(--line);border-radius:8px;overflow:hidden}
dl div{background:var(--page);padding:.8rem 1rem}dt{color:var(--soft);font-size:.85rem}dd{margin:0;font-size:1.35rem;font-variant-numeric:tabular-nums}
small{display:block;color:var(--soft);font-size:.75rem;line-height:1.35}figure{margin:0;max-width:44rem}.none,i{color:var(--soft)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;vertical-align:top;padding:.35rem .8rem .35rem 0;border-bottom:1px solid var(--line)}
thead th{color:var(--soft);font-weight:400}.n{text-align:right;font-variant-numeric:tabular-nums}footer{margin-top:3rem;color:var(--soft);font-size:.8rem}
.tw-picture{color:var(--ink);font-family:inherit}.tw-picture text{fill:var(--ink)}.tw-picture .tw-label{fill:var(--soft)}.tw-up{fill:var(--up);fill-opacity:.85}.tw-down{fill:var(--down);fill-opacity:.85}.tw-line{stroke:var(--up)}.tw-dot{fill:var(--up)}
@media print{:root{--ink:#000;--page:#fff;--line:#bbb;--soft:#444}}
`.replaceAll('\n', '');
