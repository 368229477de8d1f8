import { Option } from 'commander';
import { importInto, prepareImport } from '../app/import.ts';
import { transcriptSchema } from '../core/transcript.ts';
import { openJournal } from '../store/journal.ts';
import { printJson, type Register } from './command.ts';
import { readJsonl } from './files.ts';

interface ImportFlags {
  readonly in: string;
  readonly store: string;
  readonly format: string;
  readonly json?: boolean;
}

/** `turnwise import`: conversations from a file into a store, all or none. */
export const registerImport: Register = (program) => {
  program
    .command('import')
    .description('Put conversations from a file into a store, all of them or none')
    .requiredOption('--in <file>', 'conversations, one JSON object a line (turnwise schema transcript)')
    .requiredOption('--store <file>', 'the store; made if it is not there')
    .addOption(new Option('--format <name>', 'shape of the file').choices(['messages']).default('messages'))
    .option('--json', 'print one summary object on stdout')
    .action(async (flags: ImportFlags) => {
      // Everything is checked before the store is opened: a bad line must not even leave an empty store behind.
      const prepared = prepareImport(flags.in, await readJsonl(flags.in, transcriptSchema));
      const journal = openJournal(flags.store);
      try {
        importInto(journal, flags.in, prepared);
        if (flags.json) printJson({ imported: prepared.length, store: flags.store });
        else process.stdout.write(`${prepared.length} conversations are in ${flags.store}\n`);
      } finally {
        journal.close();
      }
    });
};
