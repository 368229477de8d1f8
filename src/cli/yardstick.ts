import { yardstick, YARDSTICK_MIN, type Agreement, type RatedTurn, type Yardstick } from '../app/yardstick.ts';
import { applyCalibration } from '../core/calibration.ts';
import { fittingScores } from '../core/dataset/export-episode.ts';
import { TurnwiseError } from '../core/error.ts';
import { reduce } from '../core/reduce.ts';
import { oneLine, signed } from '../core/review.ts';
import { openJournal } from '../store/journal.ts';
import { printJson, type Register } from './command.ts';
import { readCreditInput } from './credit-rows.ts';
import { aligned } from './table.ts';

interface YardstickFlags {
  readonly in?: string;
  readonly store?: string;
  readonly json?: boolean;
}

/** `turnwise yardstick`: do the gains agree with what people thought of the turns? */
export const registerYardstick: Register = (program) => {
  program
    .command('yardstick')
    .description('Hold gains against the thumbs that people gave the same turns: rank agreement and its interval')
    .option('--in <file>', 'scores of conversations with ratings, as turnwise score wrote them')
    .option('--store <file>', 'instead: the newest scoring in a store, and its ratings of today')
    .option('--json', 'print one object on stdout')
    .action(async (flags: YardstickFlags) => {
      const { by, turns } = await ratedTurns(flags);
      const measured = yardstick(turns);
      if (flags.json) printJson({ scorer: by, ...objectOf(measured) });
      else process.stdout.write(`${linesOf(measured, by).join('\n')}\n`);
    });
};

interface Rated {
  /** Who scored, in words; null where nobody says. */
  readonly by: string | null;
  readonly turns: readonly RatedTurn[];
}

async function ratedTurns({ in: file, store }: YardstickFlags): Promise<Rated> {
  if (file !== undefined && store !== undefined) throw usage('one_source', 'Give --in or --store, not both.');
  if (file !== undefined) return fromFile(file);
  if (store !== undefined) return fromStore(store);
  throw usage('missing_in', 'Say whose ratings: --in FILE with scores, or --store FILE of Turnwise itself.');
}

async function fromFile(file: string): Promise<Rated> {
  const { members } = await readCreditInput(file);
  return {
    by: null,
    turns: members.flatMap(({ row: { episode_id, turns } }) =>
      turns.flatMap((turn, at): RatedTurn[] => {
        const { thumb, note, gain, flags = [], action_state } = turn;
        if (thumb == null || action_state === 'inherited') return [];
        const sum = turn['gain_sum'];
        const unfit = flags.includes('placeholder_unfit');
        const gainSum = typeof sum === 'number' ? sum : null;
        return [{ episodeId: episode_id, turn: turn.index ?? at, thumb, note: note ?? null, gain, gainSum, unfit }];
      }),
    ),
  };
}

/** Thumbs change after a turn is scored, so those of the store count, not those of the score. */
function fromStore(path: string): Rated {
  const journal = openJournal(path, { readOnly: true });
  try {
    const [newest] = journal.scorings();
    const rows = newest === undefined ? [] : journal.listScored(newest.scorerKey, newest.optionsKey);
    const scoredOf = new Map(rows.map((row) => [row.episode_id, row]));
    const [first] = rows;
    const turns = journal.episodes().flatMap(({ id }) => {
      const state = reduce(journal.read(id));
      const row = fittingScores(state, scoredOf.get(id) ?? null);
      const scored = row && applyCalibration(row, journal.calibrations.get(row.scorer));
      return state.turns.flatMap(({ index, thumb, note, state: made }): RatedTurn[] => {
        if (thumb === null || made === 'inherited') return [];
        const turn = scored?.turns[index];
        const unfit = turn?.flags?.includes('placeholder_unfit') ?? false;
        return [
          { episodeId: id, turn: index, thumb, note, gain: turn?.gain ?? null, gainSum: turn?.gain_sum ?? null, unfit },
        ];
      });
    });
    return { by: first === undefined ? null : `${first.scorer.id} on ${first.scorer.backend}`, turns };
  } finally {
    journal.close();
  }
}

function linesOf(measured: Yardstick, by: string | null): string[] {
  const { n, up, without, notes, unfit, mean, total, apart } = measured;
  const counted = [
    `${n} rated turns with a gain: ${up} up, ${n - up} down`,
    without === 0 ? null : `${without} more rated without a gain`,
    notes === 0 ? null : `${notes} with a note`,
  ].filter((words) => words !== null);
  const lines = [counted.join('; '), ...(by === null ? [] : [`scorer ${by}`])];
  if (n < YARDSTICK_MIN) return [...lines, `not enough ratings (${n} of ${YARDSTICK_MIN})`];
  const warned = unfit === 0 ? [] : [`${unfit} of the gains were measured under a placeholder unfit for their scorer`];
  if (mean === null && total === null) {
    return [...lines, ...warned, 'all thumbs, or all gains, are alike: there is nothing to agree on'];
  }
  return [
    ...lines,
    ...warned,
    '',
    ...aligned([
      ['thumb against', 'Spearman', '95 % interval', 'n'],
      ['gain', ...cells(mean), String(n)],
      ...(total === null ? [] : [['total gain', ...cells(total), String(n)]]),
    ]),
    ...(apart.length === 0 ? [] : ['', 'furthest apart:', ...apart.map(sentence)]),
  ];
}

function cells(agreement: Agreement | null): string[] {
  if (agreement === null) return ['unknown', ''];
  const { rho, low, high } = agreement;
  return [signed(rho, 2), `${signed(low, 2)} to ${signed(high, 2)}`];
}

function sentence({ episodeId, turn, thumb, gain, note }: RatedTurn): string {
  const words = note === null ? '' : `: ${oneLine(note, 80)}`;
  return `  ${episodeId}, turn ${turn}: thumb ${thumb === 1 ? 'up' : 'down'}, gain ${signed(gain ?? 0, 3)}${words}`;
}

function objectOf({ apart, ...figures }: Yardstick): object {
  return {
    ...figures,
    needed: YARDSTICK_MIN,
    apart: apart.map(({ episodeId, gainSum, ...turn }) => ({ episode_id: episodeId, gain_sum: gainSum, ...turn })),
  };
}

function usage(reason: string, message: string): TurnwiseError {
  return new TurnwiseError('usage', reason, message);
}
