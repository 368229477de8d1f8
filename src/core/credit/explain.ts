import type { GroupRule } from '../group.ts';
import { explainBaselines } from './explain-baselines.ts';
import type { InfoPool } from './information.ts';
import type { Ledger, LedgerTurn } from './ledger.ts';

/**
 * The arithmetic behind one episode's advantages, a line a step: `name = formula = numbers = value` in full precision, so that
 * every line can be evaluated again (with exp, min and max) and compared with the ledger. What is unknown has a line in words.
 */
export function explainLedger(ledger: Ledger): string[] {
  const { episode, turns } = explainParts(ledger);
  return [...episode, ...turns.flat(), ...explainBaselines(ledger)];
}

/** The same lines, those of the episode and those of each turn apart, without the baselines. */
export function explainParts(ledger: Ledger): { readonly episode: string[]; readonly turns: string[][] } {
  return {
    episode: [
      `Episode ${ledger.episode_id} of group ${ledger.group_id}${groupWords(ledger)}, in a batch of ${ledger.batch_n} (preset ${ledger.options.preset}).`,
      ...explainOutcome(ledger),
      ...explainGate(ledger),
      ...explainScale(ledger),
    ],
    turns: ledger.turns.map((turn) => [
      ...explainInformation(turn, ledger),
      ...explainObservations(turn),
      explainAdvantage(turn, ledger),
    ]),
  };
}

function groupWords({ group_rule }: Ledger): string {
  return group_rule === null ? '' : ` (${GROUP_WORDS[group_rule]})`;
}

const GROUP_WORDS: Readonly<Record<GroupRule, string>> = {
  task: 'an explicit task',
  branch: 'branches of one conversation',
  request: 'the same request',
  alone: 'nothing like it',
};

/** S3. */
function explainOutcome({ outcome, z, outcome_level, outcome_mean, outcome_sd, group_n, batch_n }: Ledger): string[] {
  if (outcome === null) return ['z is null: the outcome is unknown.'];
  if (z === null) return [`R = ${outcome}`, 'z is null: no other outcome is known that it could be compared with.'];
  const against = {
    group: `the ${group_n} known outcomes of the group`,
    batch: `the other known outcomes of the batch of ${batch_n}, sd over all of them`,
    reference: 'the fixed reference of mean 0 and sd 1',
    none: 'nothing',
  }[outcome_level];
  return [
    `R = ${outcome}`,
    `Compared with ${against}:`,
    `z = (R - mean) / (sd + 1e-6) = (${outcome} - ${outcome_mean}) / (${outcome_sd} + 1e-6) = ${z}`,
  ];
}

/** S5. */
function explainGate({ options, gate_sd, gate }: Ledger): string[] {
  const { gate_form, gate_on, gate_temperature } = options;
  const source = gate_on === 'info' ? 'pooled information' : 'raw outcomes';
  switch (gate_form) {
    case 'sigmoid':
      return [
        `Gate on the spread of ${source}:`,
        `gate = 1 / (1 + exp(sd / T)) = 1 / (1 + exp(${gate_sd} / ${gate_temperature})) = ${gate}`,
      ];
    case 'exp':
      return [
        `Gate on the spread of ${source}:`,
        `gate = exp(-sd / T) = exp(-${gate_sd} / ${gate_temperature}) = ${gate}`,
      ];
    case 'none':
      return [`gate = ${gate}`];
    default:
      return gate_form satisfies never;
  }
}

/** S6. */
function explainScale({ sd_out, sd_int, scale }: Ledger): string[] {
  return [
    'Cap from the spread of both terms over the loss tokens of the batch:',
    `s = min(1, max(sd_out + 1e-6, 1) / (sd_int + 1e-6)) = min(1, max(${sd_out} + 1e-6, 1) / (${sd_int} + 1e-6)) = ${scale}`,
  ];
}

/** S4. */
function explainInformation(turn: LedgerTurn, { options, ...ledger }: Ledger): string[] {
  const { index, gain, tokens, a_int } = turn;
  const reason = (turn.null_reason ?? 'not_scored_yet').replaceAll('_', ' ');
  if (gain === null) return [`gain[${index}] is null: ${reason}.`];
  const known = `gain[${index}] = ${gain}`;
  if (a_int === null) return [known, `a_int[${index}] is null: ${reason}.`];
  if (options.norm === 'none') return [known, `a_int[${index}] = gain = ${gain} = ${a_int}`];
  if (options.drop_zero_gains && gain === 0) {
    return [known, 'Exact zeros stay out of the statistics and get 0:', `a_int[${index}] = ${a_int}`];
  }
  const pool = poolOf(turn, ledger);
  const x = options.norm === 'token' ? `${gain} / ${tokens}` : String(gain);
  const name = options.norm === 'token' ? 'gain / tokens' : 'gain';
  return [
    known,
    `${turn.pooled ? 'Compared' : 'Kept out of the pool, compared'} with ${poolWords(pool)}:`,
    `a_int[${index}] = (${name} - mean) / (max(sd, floor) + 1e-6) = (${x} - ${pool.mean ?? 0}) / (max(${pool.sd ?? 0}, ${options.sigma_floor}) + 1e-6) = ${a_int}`,
  ];
}

/** S1, each observation of several alone; `support` is the mean size of S behind a KL. */
function explainObservations({ index, obs_gains = [], kl_support }: LedgerTurn): string[] {
  return [
    ...(kl_support == null ? [] : [`support[${index}] = ${kl_support}`]),
    ...(obs_gains.length < 2 ? [] : obs_gains).map(({ gain, null_reason }, k) =>
      gain === null
        ? `gain[${index}] of observation ${k} alone is null: ${(null_reason ?? 'not_scored_yet').replaceAll('_', ' ')}.`
        : `gain[${index}] of observation ${k} alone = ${gain}`,
    ),
  ];
}

/** S7; a null term counts as 0. */
function explainAdvantage({ index, a_int, advantage }: LedgerTurn, { z, gate, scale, options }: Ledger): string {
  if (advantage === null) return `A[${index}] is null: neither z nor a_int is known, and the turn is not trained on.`;
  const formula = `${z === null ? '0' : 'z'} + beta * gate * s * ${a_int === null ? '0' : 'a_int'}`;
  return `A[${index}] = ${formula} = ${z ?? 0} + ${options.beta} * ${gate} * ${scale} * ${a_int ?? 0} = ${advantage}`;
}

function poolOf(turn: LedgerTurn, ledger: Omit<Ledger, 'options'>): InfoPool {
  return {
    level: turn.info_level ?? ledger.info_level ?? 'none',
    n: turn.info_n ?? ledger.info_n,
    mean: turn.info_mean ?? ledger.info_mean,
    sd: turn.info_sd ?? ledger.info_sd,
  };
}

function poolWords({ level, n }: InfoPool): string {
  switch (level) {
    case 'group':
    case 'batch':
      return `${n ?? 0} samples of the ${level}`;
    case 'calibrated':
      return "the scorer's placebo gains";
    case 'none':
      return 'nothing';
    default:
      return level satisfies never;
  }
}
