import { TurnwiseError } from '../core/error.ts';
import { inspect } from '../store/inspect.ts';
import { printJson, type Register } from './command.ts';
import { openStore } from './open-store.ts';
import { tell } from './output.ts';

interface CheckFlags {
  readonly store: string;
  readonly rebuild?: boolean;
  readonly json?: boolean;
}

/** `turnwise check`: reads all of a store; with `--rebuild` what is derived from the events is made anew. */
export const registerCheck: Register = (program) => {
  program
    .command('check')
    .description("Read all of a store: the file's integrity, every event's checksum, every conversation")
    .requiredOption('--store <file>', 'the store')
    .option('--rebuild', 'make what is derived from the events anew: the search index')
    .option('--json', 'print one object on stdout')
    .action(({ store, rebuild, json }: CheckFlags) => {
      let indexed: number | null = null;
      if (rebuild) {
        const journal = openStore(store);
        try {
          indexed = journal.search.rebuild();
        } finally {
          journal.close();
        }
      }
      const { version, events, episodes, wrong } = inspect(store);
      if (json) printJson({ version, events, episodes, indexed, wrong });
      else {
        for (const sentence of wrong) tell(sentence);
        const index = indexed === null ? '' : `, ${indexed} events in a new search index`;
        process.stdout.write(
          `${episodes} conversations, ${events} events${index}: ${wrong.length === 0 ? 'whole' : `${wrong.length} things wrong`}\n`,
        );
      }
      if (wrong.length === 0) return;
      throw new TurnwiseError(
        'corrupt',
        'damaged_store',
        `The store ${store} is damaged; restore a backup (turnwise restore), or save what is intact (turnwise salvage).`,
      );
    });
};
