import { baselineNames } from '../credit/baselines.ts';
import { creditBatch } from '../credit/credit.ts';
import { creditEpisodeOf } from '../credit/from-score.ts';
import type { CreditEpisode, CreditOptions, CreditTurn, Ledger } from '../credit/ledger.ts';
import type { DatasetRow, DatasetTurn, Fusion } from './schema.ts';
import { newFindings, type Breach, type Findings } from './violation.ts';

/** What stays in memory of a row until its whole batch is read: numbers, no tokens and no text. */
export interface BatchRow {
  readonly row: number;
  readonly file: string;
  readonly credit: CreditEpisode;
  readonly fusion: Fusion;
  readonly turns: readonly TurnNumbers[];
}

type TurnNumbers = Pick<
  DatasetTurn,
  | 'info_gain'
  | 'null_reason'
  | 'outcome_adv'
  | 'intrinsic_adv'
  | 'fused_adv'
  | 'baselines'
  | 'info_level'
  | 'info_n'
  | 'info_mean'
  | 'info_sd'
>;

/** The batch's view of a row; null for one without scores, which is in no batch. */
export function batchRow(row: DatasetRow, file: string, position: number): BatchRow | null {
  if (row.fusion === null) return null;
  return {
    row: position,
    file,
    credit: creditEpisodeOf({
      episode_id: row.episode_id,
      group_id: row.group_id,
      group_rule: row.group_rule,
      outcome: row.outcome_reward,
      turns: row.turns.map((turn) => ({
        index: turn.turn_index,
        tokens: turn.action_tokens ?? 0,
        gain: turn.info_gain,
        null_reason: turn.null_reason,
        flags: turn.flags,
        action_state: turn.action_state,
        reward: turn.turn_reward,
        reference: referenceOf(turn),
      })),
    }),
    fusion: row.fusion,
    turns: row.turns.map(
      ({ info_gain, null_reason, outcome_adv, intrinsic_adv, fused_adv, baselines, ...pool }): TurnNumbers => ({
        info_gain,
        null_reason,
        outcome_adv,
        intrinsic_adv,
        fused_adv,
        baselines,
        info_level: pool.info_level,
        info_n: pool.info_n,
        info_mean: pool.info_mean,
        info_sd: pool.info_sd,
      }),
    ),
  };
}

/** The options of a batch as its rows state them: what computes its advantages again. */
export function creditOptionsOf(fusion: Fusion): CreditOptions {
  return {
    preset: fusion.preset,
    beta: fusion.beta,
    gate_temperature: fusion.T,
    gate_form: fusion.gate_form,
    gate_on: fusion.gate_on,
    norm: fusion.norm,
    pool: fusion.pool,
    pool_by: fusion.pool_by,
    min_batch: fusion.min_batch,
    singleton: fusion.singleton,
    sigma_floor: fusion.sigma_floor,
    placebo_mean: fusion.mu0,
    placebo_sd: fusion.sd0,
    drop_zero_gains: fusion.drop_zero_gains,
  };
}

/** Choices that all rows of a batch share; two rows that differ in one are not comparable. */
function referenceOf({ reference_before: before, reference_after: after }: DatasetTurn): CreditTurn['reference'] {
  return before === null || after === null ? null : { before, after };
}

const SHARED = [
  'preset',
  'estimator',
  'clip',
  'top_k',
  'beta',
  'T',
  'gate_form',
  'gate_on',
  'norm',
  'pool',
  'pool_by',
  'min_batch',
  'singleton',
  'sigma_floor',
  'drop_zero_gains',
  'mu0',
  'sd0',
  'placeholder',
  'mask_mode',
  'seed',
  'scorer_model',
  'scorer_revision',
  'scorer_backend',
  'scorer_version',
  'scorer_tokenizer_sha',
  'scorer_template_sha',
] as const satisfies readonly (keyof Fusion)[];

/** A row's breaches, with its place. */
export type PlacedBreach = Breach & Pick<BatchRow, 'file' | 'row'>;

/**
 * Computes every statistic and every advantage of one batch again from its rows alone (spec S3 to S7) and reports each number
 * that differs. Call it with all rows of a split that have scores.
 */
export function checkBatch(rows: readonly BatchRow[]): PlacedBreach[] {
  const [first] = rows;
  if (first === undefined) return [];
  const placed = (at: BatchRow, breaches: readonly Breach[]): PlacedBreach[] =>
    breaches.map((breach) => ({ ...breach, file: at.file, row: at.row }));
  const mixed = rows.flatMap((at) => placed(at, sharedChoices(first.fusion, at.fusion)));
  const seen = new Set<string>();
  const unique = rows.filter(({ credit }) => !seen.has(credit.episode_id) && seen.add(credit.episode_id));
  const ledgers = creditBatch(
    unique.map(({ credit }) => credit),
    creditOptionsOf(first.fusion),
  );
  return [
    ...mixed,
    ...unique.flatMap((at, k) => {
      const ledger = ledgers[k];
      return ledger ? placed(at, compare(at, ledger)) : [];
    }),
  ];
}

function sharedChoices(expected: Fusion, found: Fusion): Breach[] {
  const findings = newFindings();
  for (const name of SHARED) {
    findings.same(`fusion.${name}`, expected[name], found[name], 'a batch has one scorer and one set of options');
  }
  return findings.breaches;
}

/** Room for a Math.exp that differs in its last bits between JavaScript engines. */
const TOLERANCE = 1e-9;

function compare({ fusion, turns }: BatchRow, ledger: Ledger): Breach[] {
  const findings = newFindings();
  const statistics = {
    batch_id: ledger.batch_id,
    batch_n: ledger.batch_n,
    z: ledger.z,
    outcome_level: ledger.outcome_level,
    outcome_mean: ledger.outcome_mean,
    outcome_sd: ledger.outcome_sd,
    group_size: ledger.group_n,
    group_mean: ledger.group_mean,
    group_sd: ledger.group_sd,
    gate_sd: ledger.gate_sd,
    gate: ledger.gate,
    scale: ledger.scale,
    sd_out: ledger.sd_out,
    sd_int: ledger.sd_int,
    info_level: ledger.info_level,
    info_n: ledger.info_n,
    info_mean: ledger.info_mean,
    info_sd: ledger.info_sd,
  } as const satisfies Partial<Fusion>;
  for (const [name, value] of Object.entries(statistics)) {
    const rule = 'statistics follow from the rows of the batch';
    findings.same(`fusion.${name}`, value, Reflect.get(fusion, name), rule, TOLERANCE);
  }
  turns.forEach((turn, index) => {
    compareTurn(turn, index, ledger, findings);
  });
  return findings.breaches;
}

function compareTurn(turn: TurnNumbers, index: number, ledger: Ledger, { same }: Findings): void {
  const credit = ledger.turns[index];
  if (credit === undefined) return;
  const at = `turns.${index}`;
  const rule = 'advantages follow from the rows of the batch';
  same(`${at}.outcome_adv`, ledger.z, turn.outcome_adv, rule, TOLERANCE);
  same(`${at}.intrinsic_adv`, credit.a_int, turn.intrinsic_adv, rule, TOLERANCE);
  same(`${at}.fused_adv`, credit.advantage, turn.fused_adv, rule, TOLERANCE);
  for (const name of baselineNames) {
    same(`${at}.baselines.${name}`, credit.baselines[name], turn.baselines[name], rule, TOLERANCE);
  }
  same(`${at}.null_reason`, credit.null_reason, turn.null_reason, 'null has its reason, a number has none');
  same(`${at}.info_level`, credit.info_level ?? null, turn.info_level, rule);
  same(`${at}.info_n`, credit.info_n ?? null, turn.info_n, rule);
  same(`${at}.info_mean`, credit.info_mean ?? null, turn.info_mean, rule, TOLERANCE);
  same(`${at}.info_sd`, credit.info_sd ?? null, turn.info_sd, rule, TOLERANCE);
}
