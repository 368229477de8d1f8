import { admission } from '../app/dataset/admission.ts';
import { exportDataset, type ExportSummary, type Refused } from '../app/export.ts';
import { RANDOM_REPLY } from '../app/score.ts';
import { scoreStore } from '../app/score-store.ts';
import { knownValues } from '../app/secret-values.ts';
import type { RefusalReason } from '../core/dataset/manifest.ts';
import type { EpisodeState } from '../core/episode-state.ts';
import { inputError, TurnwiseError } from '../core/error.ts';
import { reduce } from '../core/reduce.ts';
import { OUTCOMES, type OutcomeKind } from '../core/credit/outcome.ts';
import { scoredEpisodeSchema, type ScoredEpisode, type ScoreOptions } from '../core/scored-episode.ts';
import { openJournal, type Journal } from '../store/journal.ts';
import { interruptSignal, printJson, type Register, type ServerChoice, type Servers } from './command.ts';
import { choiceOption, choicesHelp } from './choices.ts';
import { creditChoices, creditFlags, type CreditFlags } from './credit-flags.ts';
import { readJsonl } from './files.ts';
import { positive } from './numbers.ts';
import { tell } from './output.ts';
import { startProgress } from './progress.ts';
import { saysHowToScore, scoreOptionsOf, scoringFlags, type ScoringFlags } from './score-flags.ts';
import { serverOptions } from './score.ts';

interface ExportFlags extends ServerChoice, CreditFlags, ScoringFlags {
  readonly store: string;
  readonly out: string;
  readonly episode?: readonly string[];
  readonly scores?: string;
  /** False with `--no-score`. */
  readonly score: boolean;
  readonly outcome?: OutcomeKind;
  readonly release?: boolean;
  readonly salt?: string;
  /** Folders whose `.env` values must not leave. */
  readonly workspace: readonly string[];
  readonly concurrency: number;
  readonly json?: boolean;
}

/** `turnwise export`: the episodes of a store as a dataset folder, scored and credited. */
export const registerExport: Register = (program, servers) => {
  creditFlags(scoringFlags(serverOptions(program.command('export'))))
    .description('Write the conversations of a store as a dataset: Parquet, JSONL, manifest and card')
    .requiredOption('--store <file>', 'the store')
    .requiredOption('--out <dir>', 'folder of the dataset; an earlier dataset there is replaced')
    .option('--episode <id...>', 'these conversations and no others')
    .option('--scores <file>', 'take the scores from this file of turnwise score, and score nothing')
    .option('--no-score', 'score nothing; episodes go without credit')
    .addOption(choiceOption('--outcome <kind>', 'what decides an outcome (default: combined)', OUTCOMES))
    .addHelpText('after', choicesHelp({ '--outcome': OUTCOMES }))
    .option('--release', 'the developers agreed: record that every local-only conversation may be exported')
    .option('--salt <text>', 'salt of the hashed person; default: one that belongs to the store')
    .option('--workspace <dir...>', 'no value of an .env file in these folders leaves', [process.cwd()])
    .option('--concurrency <n>', 'episodes scored at once', positive, 1)
    .option('--json', 'print one summary object on stdout')
    .action((flags: ExportFlags) => exportStore(flags, servers));
};

async function exportStore(flags: ExportFlags, servers: Servers): Promise<void> {
  const interrupt = interruptSignal();
  const { signal } = interrupt;
  let journal: Journal | null = null;
  try {
    const options = scoreOptionsOf(flags);
    refuseIdle(flags, options);
    const given = flags.scores === undefined ? null : await readScores(flags.scores);
    // Reading needs a store that exists; a mistyped path must not leave an empty one behind.
    openJournal(flags.store, { readOnly: true }).close();
    journal = openJournal(flags.store);
    refuseUnknown(journal, flags.episode ?? []);
    if (flags.release) release(journal, flags);
    const { scoredOf, notice } = await scoresFor(journal, given, options, flags, servers, signal);
    const progress = startProgress('export ', 2 * journal.episodes().length);
    try {
      const summary = await exportDataset({
        journal,
        scoredOf,
        notice,
        signal,
        choices: creditChoices(flags),
        outcome: flags.outcome,
        episodes: flags.episode,
        out: flags.out,
        salt: flags.salt,
        known: knownValues(flags.workspace),
        onProgress: (done) => {
          progress.update(done);
        },
      });
      progress.stop();
      report(summary, flags.json ?? false);
    } finally {
      progress.stop();
    }
  } finally {
    interrupt.dispose();
    journal?.close();
  }
}

interface Scores {
  readonly scoredOf: (state: EpisodeState) => ScoredEpisode | null;
  readonly notice: string | null;
}

/** Scores from a file, from nowhere, or from the store; what the store lacks is scored first. */
async function scoresFor(
  journal: Journal,
  given: ReadonlyMap<string, ScoredEpisode> | null,
  options: ScoreOptions,
  flags: ExportFlags,
  servers: Servers,
  signal: AbortSignal,
): Promise<Scores> {
  if (given !== null) return { scoredOf: ({ id }) => given.get(id) ?? null, notice: null };
  const wanted = (state: EpisodeState): boolean => asked(flags, state.id) && admission(state).consent !== null;
  const some = journal.episodes().some(({ id }) => wanted(reduce(journal.read(id))));
  // Without an episode to export no server is started; the export then says why there is none.
  if (!flags.score || !some) return { scoredOf: () => null, notice: null };
  const backend = await servers.openScorer(flags);
  const progress = startProgress('scoring', journal.episodes().length);
  try {
    const scoredOf = await scoreStore({
      journal,
      backend,
      options,
      wanted,
      concurrency: flags.concurrency,
      signal,
      onProgress: (done, total) => {
        progress.update(done, `of ${total} without scores`);
      },
    });
    return { scoredOf, notice: (await backend.facts(signal)).notice };
  } finally {
    progress.stop();
    await backend.close();
  }
}

/** Whether this episode is among those that were asked for. */
function asked({ episode }: ExportFlags, id: string): boolean {
  return episode?.includes(id) ?? true;
}

function refuseUnknown(journal: Journal, wanted: readonly string[]): void {
  const known = new Set(journal.episodes().map(({ id }) => id));
  const missing = wanted.find((id) => !known.has(id));
  if (missing === undefined) return;
  const message = `The store has no conversation ${missing}; leave it out, or look at the ids that turnwise check names.`;
  throw new TurnwiseError('usage', 'no_such_episode', message);
}

function refuseIdle(flags: ExportFlags, { placeholder }: ScoreOptions): void {
  if ((flags.scores !== undefined || !flags.score) && saysHowToScore(flags)) {
    const message =
      'Nothing is scored with --scores or --no-score, so flags of scoring have no effect; leave them out.';
    throw new TurnwiseError('usage', 'nothing_scored', message);
  }
  if (placeholder !== RANDOM_REPLY) return;
  // Which conversations have no scores yet would decide who lends a reply.
  const message = `--placeholder ${RANDOM_REPLY} needs all conversations at once; score a file of them with turnwise score --in, then give it with --scores.`;
  throw new TurnwiseError('usage', 'not_with_store', message);
}

async function readScores(file: string): Promise<ReadonlyMap<string, ScoredEpisode>> {
  const scores = new Map<string, ScoredEpisode>();
  for (const { line, value } of await readJsonl(file, scoredEpisodeSchema)) {
    if (scores.has(value.episode_id)) {
      const what = `episode_id ${value.episode_id} is scored twice; keep one of the lines.`;
      throw inputError('duplicate_episode', file, line, what);
    }
    scores.set(value.episode_id, value);
  }
  if (scores.size > 0) return scores;
  throw new TurnwiseError('input', 'empty_file', `${file} holds no scores; give what turnwise score wrote.`);
}

/** Records consent as the events that a chat would record, so that the answer is kept. */
function release(journal: Journal, flags: ExportFlags): void {
  for (const { id } of journal.episodes()) {
    if (!asked(flags, id)) continue;
    const admitted = admission(reduce(journal.read(id)));
    if (admitted.consent !== null || admitted.reason !== 'no_consent') continue;
    journal.append(id, [{ type: 'consent_set', scope: 'exportable' }]);
  }
}

const REASONS: Readonly<Record<RefusalReason, string>> = {
  excluded: 'is excluded from export',
  no_consent: 'was not released for export (--release records that the developer agreed)',
  no_action: 'holds no action of its own',
  action_running: 'has an action that runs or was cut off; continue it, then export again',
  newer_events: 'was gone on with by a newer Turnwise; update, then export again',
  secret_found: 'holds a secret where it cannot be replaced',
};

function report(summary: ExportSummary, json: boolean): void {
  const { refused, manifest, ...facts } = summary;
  for (const left of refused) tell(`turnwise: left out: ${sentence(left)}`);
  if (json) {
    printJson({ ...facts, refused: manifest.refused, files: manifest.files });
    return;
  }
  const { rows, turns, unscored, redacted, batch_n, out } = summary;
  const without = unscored === 0 ? '' : `, ${unscored} without scores`;
  const skipped = refused.length === 0 ? '' : `; ${refused.length} left out`;
  const secrets = `secrets were replaced in ${redacted} of them, which go as text, without tokens and credit`;
  process.stdout.write(
    [
      `${rows} episodes with ${turns} turns${without}${skipped}`,
      batch_n === 0 ? 'no credit: no episode has scores' : `credit against each other: ${batch_n} episodes`,
      ...(redacted === 0 ? [] : [secrets]),
      `written to ${out} (turnwise verify ${out} checks it)`,
      '',
    ].join('\n'),
  );
}

function sentence({ episode_id, reason, detail }: Refused): string {
  return `episode ${episode_id} ${REASONS[reason]}${detail === null ? '' : ` (${detail})`}`;
}
