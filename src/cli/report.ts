import { reportData, type ReportData } from '../app/report/report-data.ts';
import { figuresOf, summaryLine } from '../app/report/report-page.ts';
import { writeReport } from '../app/report/write-report.ts';
import { MARK_IDS } from '../core/marks/mark.ts';
import { MARKS } from '../core/marks/marks.ts';
import { openJournal } from '../store/journal.ts';
import { printJson, type Register } from './command.ts';
import { aligned } from './table.ts';

/** `turnwise report`: how an agent's asking went, as one page that opens without a network. */
export const registerReport: Register = (program) => {
  program
    .command('report')
    .description('Write trends over all conversations as one static page: gain by turn, questions, words typed, marks')
    .requiredOption('--store <file>', 'the store to read; it is not changed')
    .requiredOption('--out <folder>', 'where index.html is written; an earlier report there is replaced')
    .option('--json', 'print the figures as one object on stdout')
    .addHelpText(
      'after',
      '\nThe page needs no network and no script. Figures are of all conversations, by the newest scoring of the store; titles are of\nthose alone that may be exported, with secrets replaced.',
    )
    .action(({ store, out, json }: { readonly store: string; readonly out: string; readonly json?: boolean }) => {
      const journal = openJournal(store, { readOnly: true });
      try {
        const data = reportData(journal);
        const path = writeReport(out, data);
        if (json) printJson(objectOf(data, path));
        else process.stdout.write(`${linesOf(data, path).join('\n')}\n`);
      } finally {
        journal.close();
      }
    });
};

function linesOf(data: ReportData, path: string): string[] {
  const marks = MARK_IDS.filter((id) => data.marks[id] > 0).map((id) => `${data.marks[id]} ${MARKS[id].title}`);
  return [
    summaryLine(data),
    '',
    ...aligned(figuresOf(data).map((figure) => [...figure])),
    ...(marks.length === 0 ? [] : ['', `Marked: ${marks.join(', ')}.`]),
    '',
    `The page is ${path}`,
  ];
}

function objectOf({ trends, agreement, marks, reviewed, scorer, unreadable }: ReportData, path: string): object {
  const figures = Object.fromEntries(Object.entries(trends).filter(([name]) => name !== 'rated'));
  return {
    page: path,
    scorer,
    unreadable,
    reviewed,
    marks,
    trends: figures,
    agreement: { n: agreement.n, mean: agreement.mean, total: agreement.total },
  };
}
