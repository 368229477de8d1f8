import { backupStore } from '../store/backup.ts';
import { printJson, type Register } from './command.ts';

interface BackupFlags {
  readonly store: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `turnwise backup`: a whole copy of a store, also while windows use it. */
export const registerBackup: Register = (program) => {
  program
    .command('backup')
    .description('Copy a store, also while windows use it, and read the copy through')
    .requiredOption('--store <file>', 'the store')
    .option('--out <file>', 'the copy; default: a name with the time, in backups beside the store')
    .option('--force', 'replace --out if it is there')
    .option('--json', 'print one object on stdout')
    .action(({ store, out, force = false, json }: BackupFlags) => {
      const { file, bytes, events, episodes } = backupStore(store, out, { overwrite: force });
      if (json) printJson({ file, bytes, events, episodes });
      else {
        process.stdout.write(
          `${episodes} conversations (${events} events, ${(bytes / 1e6).toFixed(1)} MB) are in ${file}\n`,
        );
      }
    });
};
