import { salvage } from '../store/salvage.ts';
import { printJson, type Register } from './command.ts';
import { tell } from './output.ts';

interface SalvageFlags {
  readonly store: string;
  readonly out: string;
  readonly json?: boolean;
}

/** `turnwise salvage`: every intact event of a damaged store, in a new one. */
export const registerSalvage: Register = (program) => {
  program
    .command('salvage')
    .description('Save every intact event of a damaged store into a new one; the damaged file is only read')
    .requiredOption('--store <file>', 'the damaged store')
    .requiredOption('--out <file>', 'the new store')
    .option('--json', 'print one object on stdout')
    .action(({ store, out, json }: SalvageFlags) => {
      const { pages, events, whole, torn } = salvage(store, out);
      if (json) printJson({ out, pages, events, whole: whole.length, torn });
      else {
        for (const { episodeId, missing } of torn) tell(`${episodeId}: ${missing} events are lost in between`);
        process.stdout.write(
          `${events} events from ${pages} pages are in ${out}: ${whole.length} conversations without a gap, ${torn.length} with one\n`,
        );
      }
    });
};
