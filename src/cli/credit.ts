import { creditBatch } from '../core/credit/credit.ts';
import { explainLedger } from '../core/credit/explain.ts';
import { baselineNames } from '../core/credit/baselines.ts';
import { creditEpisodeOf, type CreditSource } from '../core/credit/from-score.ts';
import type { Baseline, Ledger } from '../core/credit/ledger.ts';
import { resolveCreditOptions } from '../core/credit/options.ts';
import { TurnwiseError } from '../core/error.ts';
import { SCORE_SCHEMA } from '../core/scored-episode.ts';
import { printJson, type Register } from './command.ts';
import { creditChoices, creditFlags, type CreditFlags } from './credit-flags.ts';
import { readCreditInput, type CreditRow } from './credit-rows.ts';
import { baselineTable, creditTable } from './credit-table.ts';
import { writeAtomically } from './files.ts';

interface BatchFlags extends CreditFlags {
  readonly in: string;
  readonly out: string;
  readonly explain?: string;
  readonly baselines?: boolean;
  readonly json?: boolean;
}

/** `turnwise credit`: the gains and outcomes of one batch, fused into an advantage per turn. */
export const registerCredit: Register = (program) => {
  creditFlags(
    program
      .command('credit')
      .description('Fuse gains and outcomes into an advantage per turn; one file is one batch')
      .requiredOption(
        '--in <file>',
        'what turnwise score wrote, or numbers only: {episode_id, turns: [{tokens, gain}]}',
      )
      .requiredOption('--out <file>', 'where the ledgers go, one JSON object a line (turnwise schema credit)'),
  )
    .option('--explain <episode>', 'print the arithmetic behind each advantage of one episode')
    .option('--baselines', 'show the baselines of every turn as well; the file and --json always have them')
    .option('--json', 'print one summary object on stdout')
    .action(runCredit);
};

async function runCredit(flags: BatchFlags): Promise<void> {
  const { members, placebo } = await readCreditInput(flags.in);
  const options = resolveCreditOptions(creditChoices(flags), placebo);
  const ledgers = creditBatch(
    members.map(({ source }) => creditEpisodeOf(source)),
    options,
  );
  const explained = flags.explain === undefined ? null : explanation(ledgers, flags.explain, flags.in);
  const lines = ledgers.flatMap((ledger, at) => {
    const row = members[at]?.row;
    return row === undefined ? [] : [`${JSON.stringify(outputRow(row, ledger))}\n`];
  });
  await writeAtomically(flags.out, lines);
  if (flags.json) {
    printJson({
      ...summaryOf(ledgers),
      baselines: Object.fromEntries(baselineNames.map((name) => [name, defined(ledgers, name)])),
      options,
      ...(explained === null ? {} : { explain: explained }),
      out: flags.out,
    });
    return;
  }
  const columns = flags.baselines === true ? ['', ...baselineTable(ledgers)] : [];
  const marks = unfitNotice(members.map(({ source }) => source));
  const text = explained ?? [...creditTable(ledgers), ...columns, ...marks, '', `written to ${flags.out}`];
  process.stdout.write(`${text.join('\n')}\n`);
}

/** Token arrays belong to the scores: a ledger line keeps all else that its input line had. */
const TOKEN_ARRAYS: ReadonlySet<string> = new Set([
  'contexts',
  'action_ids',
  'mask_ids',
  'logp_factual',
  'logp_masked',
]);

/** A ledger, with what the input line knew besides; where both have a key, the ledger's counts. */
function outputRow(row: CreditRow, ledger: Ledger): Readonly<Record<string, unknown>> {
  const scored = row.schema === SCORE_SCHEMA;
  const turns = new Map(row.turns.map((turn, t) => [turn.index ?? t, turn]));
  return {
    ...over(ledger, rest(row, scored)),
    // The ledger's `options` are credit's, so those of the score move aside.
    ...(scored ? { score_options: row.options } : {}),
    turns: ledger.turns.map((turn) => over(turn, rest(turns.get(turn.index) ?? {}, scored))),
  };
}

function rest(input: object, scored: boolean): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(input).filter(([key]) => !(scored && TOKEN_ARRAYS.has(key))));
}

/** The keys of `ledger` first and with its values, then those that only `input` has. */
function over(ledger: object, input: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return { ...ledger, ...input, ...ledger };
}

function explanation(ledgers: readonly Ledger[], episodeId: string, file: string): string[] {
  const ledger = ledgers.find(({ episode_id }) => episode_id === episodeId);
  if (ledger) return explainLedger(ledger);
  throw new TurnwiseError(
    'usage',
    'unknown_episode',
    `--explain ${episodeId}: ${file} has no episode of that id; use one of its episode_id values.`,
  );
}

/** Turns that a baseline has a number for. */
function defined(ledgers: readonly Ledger[], name: Baseline): number {
  return ledgers.flatMap(({ turns }) => turns).filter(({ baselines }) => baselines[name] !== null).length;
}

/** A gain under a mask that does not act like silence is not to be read like others (spec S1). */
function unfitNotice(sources: readonly CreditSource[]): string[] {
  const turns = sources.flatMap((source) => source.turns.filter(({ gain }) => gain !== null));
  const unfit = turns.filter(({ flags = [] }) => flags.includes('placeholder_unfit')).length;
  if (unfit === 0) return [];
  return [
    '',
    `${unfit} of ${turns.length} gains were measured under a placeholder that is unfit for their scorer: they may stand on their head; score again with --placeholder auto`,
  ];
}

function summaryOf(ledgers: readonly Ledger[]): Readonly<Record<string, unknown>> {
  const turns = ledgers.flatMap((ledger) => ledger.turns);
  return {
    episodes: ledgers.length,
    turns: turns.length,
    gains_defined: turns.filter(({ gain }) => gain !== null).length,
    outcomes_known: ledgers.filter(({ outcome }) => outcome !== null).length,
    advantages_defined: turns.filter(({ advantage }) => advantage !== null).length,
    batch_id: ledgers[0]?.batch_id ?? null,
    scale: ledgers[0]?.scale ?? null,
  };
}
