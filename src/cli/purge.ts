import { purgeEpisode, purgePlan, type Purge } from '../store/purge.ts';
import { printJson, type Register } from './command.ts';
import { tell } from './output.ts';

interface PurgeFlags {
  readonly store: string;
  readonly episode: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `turnwise purge`: a conversation out of a store and of every copy beside it, for good. */
export const registerPurge: Register = (program) => {
  program
    .command('purge')
    .description('Take a conversation and its branches out of a store and of every copy beside it, for good')
    .requiredOption('--store <file>', 'the store')
    .requiredOption('--episode <id>', 'the conversation')
    .option('--yes', 'do it; without it, only say what would go')
    .option('--json', 'print one object on stdout')
    .action(({ store, episode, yes = false, json }: PurgeFlags) => {
      const purge = yes ? purgeEpisode(store, episode) : purgePlan(store, episode);
      if (json) printJson({ purged: yes, ...purge });
      else process.stdout.write(`${sentence(purge, yes)}\n`);
      for (const { file, why } of purge.left) tell(`${file}: ${why}`);
      if (yes && purge.left.length > 0) process.exitCode = 1;
    });
};

function sentence({ episodes, events, files }: Purge, done: boolean): string {
  const branches = episodes.length - 1;
  const what = `${episodes[0] ?? ''}${branches === 0 ? '' : ` and ${branches} ${branches === 1 ? 'branch' : 'branches'} of it`}`;
  const where = `${events} events, in ${files.length} ${files.length === 1 ? 'file' : 'files'}`;
  return done
    ? `${what} (${where}): purged. Copies made elsewhere keep theirs.`
    : `${what} (${where}) would be purged, and cannot be brought back; say --yes to do it.`;
}
