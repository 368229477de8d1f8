import { verifyDataset } from '../app/verify.ts';
import { TurnwiseError } from '../core/error.ts';
import { printJson, type Register } from './command.ts';

interface VerifyFlags {
  readonly json?: boolean;
}

/** `turnwise verify`: a dataset folder checked against itself; exit 1 where anything is wrong. */
export const registerVerify: Register = (program) => {
  program
    .command('verify')
    .description('Check a dataset: bytes, schema, invariants, and every advantage computed again from the rows')
    .argument('<dir>', 'folder that turnwise export wrote')
    .option('--json', 'print one object on stdout: {ok, rows, batches, violations}')
    .action(async (folder: string, flags: VerifyFlags) => {
      const report = await verifyDataset(folder);
      const { ok, rows, batches, violations } = report;
      if (flags.json) printJson(report);
      else {
        const lines = violations
          .slice(0, SHOWN)
          .map(({ file, row, column, expected, found, invariant }) =>
            [
              `${file}${row === null ? '' : `, row ${row}`}${column === '' ? '' : `, ${column}`}: ${invariant}`,
              `  expected ${text(expected)}, found ${text(found)}`,
            ].join('\n'),
          );
        const more = violations.length > SHOWN ? [`and ${violations.length - SHOWN} more (--json lists them)`] : [];
        const verdict = ok
          ? `${folder} is sound: ${rows} rows, ${batches === 1 ? '1 batch' : `${batches} batches`}, every advantage computed again`
          : `${folder} is not sound: ${violations.length} violations in ${rows} rows`;
        process.stdout.write(`${[...lines, ...more, verdict].join('\n')}\n`);
      }
      if (!ok) {
        const message = `${folder} breaks its own rules; export it again, or restore the files that were changed.`;
        throw new TurnwiseError('corrupt', 'dataset_violations', message);
      }
    });
};

const SHOWN = 20;

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
