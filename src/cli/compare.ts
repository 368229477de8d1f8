import { compareScores, type Comparison, type TurnPair } from '../core/compare-scores.ts';
import { TurnwiseError } from '../core/error.ts';
import { oneLine, signed } from '../core/review.ts';
import { scoredEpisodeSchema, type ScoredEpisode } from '../core/scored-episode.ts';
import { openJournal } from '../store/journal.ts';
import { printJson, type Register } from './command.ts';
import { readJsonl } from './files.ts';
import { aligned } from './table.ts';

interface CompareFlags {
  readonly store?: string;
  readonly json?: boolean;
}

const MAX_ROWS = 20;

/** `turnwise compare`: two scorings of the same conversations, turn by turn. */
export const registerCompare: Register = (program) => {
  program
    .command('compare')
    .description('Compare two scorings of the same conversations: pairs, rank agreement, turns that change their sign')
    .argument('[scores-a]', 'what turnwise score wrote')
    .argument('[scores-b]', 'the same conversations, by another scorer or under other options')
    .option('--store <file>', 'instead: the two newest scorings in a store, the newest as a')
    .option('--json', 'print one object on stdout, with every pair')
    .action(async (fileA: string | undefined, fileB: string | undefined, { store, json }: CompareFlags) => {
      const [a, b] = store === undefined ? await fromFiles(fileA, fileB) : fromStore(store);
      const compared = compareScores(a, b);
      if (json) printJson({ a: nameOf(a), b: nameOf(b), ...objectOf(compared) });
      else process.stdout.write(`${table(nameOf(a), nameOf(b), compared).join('\n')}\n`);
      if (compared.pairs.length > 0) return;
      throw new TurnwiseError(
        'input',
        'nothing_in_common',
        'The two scorings have no turn in common that both gave a gain; compare scores of the same conversations.',
      );
    });
};

async function fromFiles(a: string | undefined, b: string | undefined): Promise<[ScoredEpisode[], ScoredEpisode[]]> {
  if (a === undefined || b === undefined) {
    const message = 'Name two files that turnwise score wrote, or a store with --store FILE.';
    throw new TurnwiseError('usage', 'missing_scores', message);
  }
  const read = async (file: string): Promise<ScoredEpisode[]> =>
    (await readJsonl(file, scoredEpisodeSchema)).map(({ value }) => value);
  return [await read(a), await read(b)];
}

function fromStore(path: string): [ScoredEpisode[], ScoredEpisode[]] {
  const journal = openJournal(path, { readOnly: true });
  try {
    const [a, b] = journal.scorings();
    if (a === undefined || b === undefined) {
      const message = `${path} holds ${a === undefined ? 'no scores' : 'the scores of one scorer alone'}; score it with another one, or under other options, then compare.`;
      throw new TurnwiseError('input', 'one_scoring', message);
    }
    return [journal.listScored(a.scorerKey, a.optionsKey), journal.listScored(b.scorerKey, b.optionsKey)];
  } finally {
    journal.close();
  }
}

/** Who scored, and how, by the first row; rows of one scoring share both. */
function nameOf([first]: readonly ScoredEpisode[]): string {
  if (first === undefined) return 'nothing';
  const { scorer, options } = first;
  const revision = scorer.revision === null ? '' : `@${scorer.revision.slice(0, 12)}`;
  return `${scorer.id}${revision} on ${scorer.backend}, ${options.estimator}, ${options.mask_mode}, "${oneLine(options.placeholder, 40)}"`;
}

function objectOf({ pairs, onlyA, onlyB, rankAgreement, meanDifference, flips }: Comparison): object {
  const plain = ({ episodeId: episode_id, ...pair }: TurnPair): object => ({ episode_id, ...pair });
  return {
    turns: pairs.length,
    only_a: onlyA,
    only_b: onlyB,
    spearman: rankAgreement,
    mean_difference: meanDifference,
    sign_flips: flips.length,
    pairs: pairs.map(plain),
    flips: flips.map(plain),
  };
}

function table(a: string, b: string, compared: Comparison): string[] {
  const { pairs, onlyA, onlyB, rankAgreement, meanDifference, flips } = compared;
  const alone = [onlyA > 0 ? `${onlyA} in a alone` : '', onlyB > 0 ? `${onlyB} in b alone` : ''].filter(Boolean);
  const widest = [...pairs].sort((x, y) => Math.abs(y.a - y.b) - Math.abs(x.a - x.b)).slice(0, MAX_ROWS);
  return [
    `a: ${a}`,
    `b: ${b}`,
    `${pairs.length} turns have a gain in both${alone.length === 0 ? '' : ` (${alone.join(', ')})`}`,
    ...(meanDifference === null ? [] : [`mean difference ${meanDifference.toFixed(4)} nats`]),
    `rank agreement (Spearman) ${rankAgreement === null ? 'unknown: fewer than 3 turns, or all gains alike' : rankAgreement.toFixed(3)}`,
    `${flips.length} turns change their sign`,
    ...(widest.length === 0
      ? []
      : ['', ...aligned([['episode', 'turn', 'a', 'b', 'b - a', ''], ...widest.map(cells)])]),
    ...(pairs.length > MAX_ROWS ? [`and ${pairs.length - MAX_ROWS} more, closer together`] : []),
  ];
}

function cells({ episodeId, turn, a, b }: TurnPair): string[] {
  return [episodeId, `${turn + 1}`, signed(a, 3), signed(b, 3), signed(b - a, 3), a * b < 0 ? 'sign' : ''];
}
