import { CALIBRATION_MIN } from '../core/calibration.ts';
import { creditBatch } from '../core/credit/credit.ts';
import type { CreditEpisode, CreditOptions, Ledger } from '../core/credit/ledger.ts';
import type { OutcomeKind } from '../core/credit/outcome.ts';
import { resolveCreditOptions, type CreditChoices } from '../core/credit/options.ts';
import { withExclusions } from '../core/dataset/exclusions.ts';
import { exportedCredit, fittingScores, type ExportEpisode } from '../core/dataset/export-episode.ts';
import { MANIFEST_SCHEMA, type Manifest, type RefusalReason } from '../core/dataset/manifest.ts';
import { datasetRow, REDACTION_RULESET } from '../core/dataset/row.ts';
import { DATASET_SCHEMA, type DatasetRow } from '../core/dataset/schema.ts';
import type { EpisodeState } from '../core/episode-state.ts';
import { TurnwiseError } from '../core/error.ts';
import { reduce } from '../core/reduce.ts';
import type { ScoredEpisode } from '../core/scored-episode.ts';
import { sha256Text } from '../core/sha.ts';
import { VERSION } from '../core/version.ts';
import type { Journal } from '../store/journal.ts';
import { writeDataset } from './dataset/dataset-folder.ts';
import { refuseWrittenSecrets, rowStrings } from './dataset/written-secrets.ts';
import { admission } from './dataset/admission.ts';
import { redactEpisode, redactScored, type RedactedEpisode } from './dataset/redact-episode.ts';
import { findSecrets, ruleNames } from './secret-scan.ts';
import type { KnownValue } from '../core/secrets/find.ts';
import { createRedactor, type Redactor } from '../core/secrets/redactor.ts';

/** An episode that is left out, and why; `detail` names rules, never what they found. */
export interface Refused {
  readonly episode_id: string;
  readonly reason: RefusalReason;
  readonly detail: string | null;
}

export interface ExportRequest {
  readonly journal: Journal;
  /** The scores to ship with an episode; null: it goes without credit. All must be by one scorer under one set of options. */
  readonly scoredOf: (state: EpisodeState) => ScoredEpisode | null;
  readonly choices?: CreditChoices | undefined;
  /** Which facts may decide an outcome that no import gave; default: any (`combined`). */
  readonly outcome?: OutcomeKind | undefined;
  /** These episodes and no others; default: all of the store. */
  readonly episodes?: readonly string[] | undefined;
  /** Folder of the dataset: absent, empty, or an earlier dataset, which is replaced. */
  readonly out: string;
  /** Salt of `person`; default: derived from the store, so that one store always gives the same bytes. */
  readonly salt?: string | undefined;
  /** Values of this place that must not leave (the `.env` of a workspace, the user, ...), besides what the rules find. */
  readonly known?: readonly KnownValue[] | undefined;
  /** A sentence that belongs to every number of this scorer. */
  readonly notice?: string | null | undefined;
  readonly groupWeight?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onRefused?: ((refused: Refused) => void) | undefined;
  /** Called with episodes done; every episode is read twice, once for its numbers and once for its row. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface ExportSummary {
  readonly out: string;
  readonly rows: number;
  readonly turns: number;
  readonly unscored: number;
  /** Rows in which secrets were replaced: they go as text, without tokens and credit. */
  readonly redacted: number;
  readonly batch_id: string | null;
  readonly batch_n: number;
  readonly refused: readonly Refused[];
  readonly manifest: Manifest;
}

/**
 * Writes the episodes of a store as a dataset folder, whole or not at all. Rows are read, built and written one at a time;
 * what stays in memory are the numbers that credit needs. Episodes without consent are left out and
 * reported; a secret in a conversation is replaced, and the row goes as text. Throws `nothing_to_export` where no episode is left.
 */
export async function exportDataset(request: ExportRequest): Promise<ExportSummary> {
  const redactor = createRedactor(request.known);
  const { members, refused, batch } = await select(request, redactor);
  if (members.length === 0) throw nothingToExport(refused);
  const options = batch === null ? null : batch.options;
  const ledgers = new Map<string, Ledger>(
    batch === null ? [] : creditBatch(batch.episodes, batch.options).map((ledger) => [ledger.episode_id, ledger]),
  );
  const [firstLedger] = ledgers.values();
  const turns = members.reduce((sum, member) => sum + member.turns, 0);
  const plan = {
    schema: MANIFEST_SCHEMA,
    row_schema: DATASET_SCHEMA,
    made_by: `turnwise ${VERSION}`,
    splits: [
      {
        split: 'train',
        rows: members.length,
        turns,
        batch_id: firstLedger?.batch_id ?? null,
        batch_n: firstLedger?.batch_n ?? 0,
      },
    ],
    unscored: members.length - ledgers.size,
    refused: countReasons(refused),
    credit_options: options,
    score_options: batch?.first.options ?? null,
    scorer: batch?.first.scorer ?? null,
  } as const satisfies Omit<Manifest, 'files'>;
  const manifest = await writeDataset(
    request.out,
    {
      manifest: plan,
      rows: () => rowsOf(members, ledgers, request, redactor),
      redaction: {
        ruleset: REDACTION_RULESET,
        rules: ruleNames(),
        rows: members.filter(({ replacements }) => replacements > 0).length,
        replacements: members.reduce((sum, member) => sum + member.replacements, 0),
        by_rule: Object.fromEntries([...redactor.replaced].sort(([a], [b]) => (a < b ? -1 : 1))),
        refused: refused.filter(({ reason }) => reason === 'secret_found').length,
      },
      notice: request.notice,
      groupWeight: request.groupWeight,
    },
    (folder, written) => refuseWrittenSecrets(folder, written, request.known),
  );
  return {
    out: request.out,
    rows: members.length,
    turns,
    unscored: plan.unscored,
    redacted: members.filter(({ replacements }) => replacements > 0).length,
    batch_id: plan.splits[0].batch_id,
    batch_n: plan.splits[0].batch_n,
    refused,
    manifest,
  };
}

/** An episode that goes into the dataset: how to find it again as it stood, no text and no tokens. */
interface Member {
  readonly id: string;
  /** Newest event that was there when its numbers were taken; later ones are not read. */
  readonly lastSeq: number;
  readonly consent: DatasetRow['consent'];
  readonly person: string | null;
  readonly scored: boolean;
  /** Places of its conversation in which a secret was replaced; with any it goes as text. */
  readonly replacements: number;
  readonly turns: number;
}

interface Batch {
  readonly first: Pick<ScoredEpisode, 'scorer' | 'options' | 'placebo'>;
  readonly episodes: CreditEpisode[];
  readonly options: CreditOptions;
}

/** First reading: who is in, and the numbers of the batch. */
async function select(
  request: ExportRequest,
  redactor: Redactor,
): Promise<{
  readonly members: readonly Member[];
  readonly refused: readonly Refused[];
  readonly batch: Batch | null;
}> {
  const { journal, choices, outcome, salt, signal, onRefused, onProgress, known } = request;
  const ids = journal
    .episodes()
    .map(({ id }) => id)
    .filter((id) => request.episodes?.includes(id) ?? true)
    .sort();
  const people = salt ?? saltOf(journal);
  const members: Member[] = [];
  const refused: Refused[] = [];
  let batch: Batch | null = null;
  for (const [done, id] of ids.entries()) {
    signal?.throwIfAborted();
    onProgress?.(done, 2 * ids.length);
    const original = withExclusions(reduce(journal.read(id)));
    const admitted = admission(original);
    const refuse = (reason: RefusalReason, detail: string | null): void => {
      const why: Refused = { episode_id: id, reason, detail };
      refused.push(why);
      onRefused?.(why);
    };
    if (admitted.consent === null) {
      refuse(admitted.reason, null);
      continue;
    }
    const { state, replacements } = await redactEpisode(original, redactor);
    const scored = scoresOf(original, replacements, request, redactor);
    const left = await secretsIn(state, scored, admitted.consent, known);
    if (left.length > 0) {
      refuse('secret_found', left.join(', '));
      continue;
    }
    if (scored !== null) {
      batch ??= { first: scored, episodes: [], options: resolveCreditOptions(choices, placeboOf(scored)) };
      refuseMixture(batch.first, scored);
      batch.episodes.push(exportedCredit(state, scored, outcome));
    }
    members.push({
      id,
      lastSeq: state.lastSeq,
      consent: admitted.consent,
      person: personOf(state, people),
      scored: scored !== null,
      replacements,
      turns: state.turns.filter((turn) => turn.state !== 'inherited').length,
    });
  }
  return { members, refused, batch };
}

/** Second reading: the rows, in the order of their ids. */
async function* rowsOf(
  members: readonly Member[],
  ledgers: ReadonlyMap<string, Ledger>,
  request: ExportRequest,
  redactor: Redactor,
): AsyncGenerator<DatasetRow, void, void> {
  const { journal, outcome, signal, onProgress } = request;
  for (const [index, { id, lastSeq, consent, person, scored }] of members.entries()) {
    signal?.throwIfAborted();
    onProgress?.(members.length + index, 2 * members.length);
    const original = withExclusions(reduce(journal.read(id).filter(({ seq }) => seq <= lastSeq)));
    const { state, replacements } = await redactEpisode(original, redactor);
    const which = { weight: 1, split: 'train', index, outcome, replacements } as const;
    const episode: ExportEpisode = { state, consent, person, ...which };
    const scores = scored ? scoresOf(original, replacements, request, redactor) : null;
    yield datasetRow(episode, scores, ledgers.get(id) ?? null);
  }
}

/** The scores that a row may ship; none where its conversation was redacted: they are of words that are no longer there. */
function scoresOf(
  state: EpisodeState,
  replacements: RedactedEpisode['replacements'],
  { scoredOf }: ExportRequest,
  redactor: Redactor,
): ScoredEpisode | null {
  const scored = replacements > 0 ? null : fittingScores(state, scoredOf(state));
  return scored === null ? null : redactScored(scored, redactor);
}

/** Rules that still find something in what would be written; what they find stands where it cannot be replaced. */
async function secretsIn(
  state: EpisodeState,
  scored: ScoredEpisode | null,
  consent: DatasetRow['consent'],
  known: readonly KnownValue[] | undefined,
): Promise<string[]> {
  const row = datasetRow({ state, consent, person: null, weight: 1, split: 'train', index: 0 }, scored, null);
  return findSecrets(rowStrings(row).join('\n'), known);
}

function placeboOf({ placebo }: ScoredEpisode): ScoredEpisode['placebo'] {
  return placebo !== null && placebo.n >= CALIBRATION_MIN ? placebo : null;
}

function refuseMixture(first: Batch['first'], scored: ScoredEpisode): void {
  for (const key of ['scorer', 'options', 'placebo'] as const) {
    if (JSON.stringify(first[key]) === JSON.stringify(scored[key])) continue;
    throw new TurnwiseError(
      'input',
      'mixed_scores',
      `Episode ${scored.episode_id} was scored with another ${key === 'scorer' ? 'scorer' : 'set of options'} than the first one; score all episodes alike, then export.`,
    );
  }
}

/**
 * The person behind an episode as a salted hash: the developer of this store, the simulated one, or whom an import names
 * (`person` in its row). Null where an import does not say.
 */
function personOf({ source, importedRow }: EpisodeState, salt: string): string | null {
  const named = importedRow?.['person'];
  const who = importedRow === null ? source : typeof named === 'string' ? `imported:${named}` : null;
  return who === null ? null : sha256Text(`${salt}\n${who}`).slice(0, 32);
}

/** The id of a store's first event is random and never exported, so its hash can be a salt that stays the same. */
function saltOf(journal: Journal): string {
  const first = journal.readAll(() => undefined).next();
  return sha256Text(`turnwise person ${first.done === true ? '' : first.value.id}`);
}

function countReasons(refused: readonly Refused[]): Manifest['refused'] {
  const counts = new Map<RefusalReason, number>();
  for (const { reason } of refused) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([reason, episodes]) => ({ reason, episodes }));
}

function nothingToExport(refused: readonly Refused[]): TurnwiseError {
  const reasons = countReasons(refused).map(({ reason, episodes }) => `${reason} ${episodes}`);
  return new TurnwiseError(
    'input',
    'nothing_to_export',
    reasons.length === 0
      ? 'The store holds no episode, so there is nothing to export; import or hold a conversation first.'
      : `No episode of the store may be exported (${reasons.join(', ')}); release episodes for export, then try again.`,
  );
}
