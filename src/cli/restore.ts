import { restoreStore } from '../store/backup.ts';
import { printJson, type Register } from './command.ts';

interface RestoreFlags {
  readonly from: string;
  readonly store: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `turnwise restore`: a copy in the place of a store; what was there is kept beside it. */
export const registerRestore: Register = (program) => {
  program
    .command('restore')
    .description('Put a copy in the place of a store; what was there is kept beside it')
    .requiredOption('--from <file>', 'the copy (turnwise backup, or one from backups beside the store)')
    .requiredOption('--store <file>', 'the store')
    .option('--yes', 'replace the store that is there')
    .option('--json', 'print one object on stdout')
    .action(({ from, store, yes = false, json }: RestoreFlags) => {
      const { replaced, events, episodes } = restoreStore(from, store, { replace: yes });
      if (json) printJson({ store, events, episodes, replaced });
      else {
        const before = replaced === null ? '' : `; what was there is ${replaced}`;
        process.stdout.write(`${episodes} conversations (${events} events) are in ${store}${before}\n`);
      }
    });
};
