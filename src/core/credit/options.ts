import type { z } from 'zod';
import { TurnwiseError } from '../error.ts';
import { creditOptionsSchema, type CreditOptions, type presetSchema } from './ledger.ts';

type Preset = z.infer<typeof presetSchema>;

/** What a preset decides: all of the arithmetic but the facts about the scorer. */
type PresetValues = Omit<CreditOptions, 'preset' | 'sigma_floor' | 'placebo_mean' | 'placebo_sd'>;

const PAPER: PresetValues = {
  beta: 0.3,
  gate_temperature: 0.5,
  gate_form: 'sigmoid',
  gate_on: 'outcome',
  norm: 'turn',
  pool: 'ladder',
  pool_by: 'all',
  min_batch: 8,
  singleton: 'batch_loo',
  drop_zero_gains: false,
};

/** The presets (arXiv 2603.00656 gives beta and T per benchmark). */
export const PRESETS: Readonly<Record<Preset, PresetValues>> = {
  /** Code with a user who knows more than the request says: beta 0.3, T 0.5. The default. */
  colbench: PAPER,
  /** UserGym: beta 0.5, T 0.5. */
  usergym: { ...PAPER, beta: 0.5 },
  /** Tool use with a user: beta 0.1, T 0.05. */
  tau2: { ...PAPER, beta: 0.1, gate_temperature: 0.05 },
  /**
   * The arithmetic of the public reference implementation (kfq20/InfoPO at c26e93c): gains per token, group pools, exact
   * zeros out of the statistics, a lone outcome against mean 0 and sd 1.
   */
  infopo_repo: { ...PAPER, norm: 'token', pool: 'group', singleton: 'reference', drop_zero_gains: true },
};

/** The presets in words: beta and T, and what else each changes of the default one. */
export function describePresets(): Readonly<Record<Preset, { readonly equation: string }>> {
  const words = (values: PresetValues): { readonly equation: string } => {
    const { beta, gate_temperature, ...others } = values;
    const changed = Object.entries(others).filter(([name, value]) => PAPER[name as keyof PresetValues] !== value);
    const more = changed.map(([name, value]) => `, ${name.replaceAll('_', ' ')} ${String(value)}`);
    return { equation: `beta ${beta}, T ${gate_temperature}${more.join('')}` };
  };
  const { colbench, usergym, tau2, infopo_repo } = PRESETS;
  return {
    colbench: words(colbench),
    usergym: words(usergym),
    tau2: words(tau2),
    infopo_repo: words(infopo_repo),
  };
}

/** What a person may say; what is left out comes from the preset. `drop_zero_gains` is the reference preset's alone. */
export type CreditChoices = {
  readonly [K in keyof Omit<CreditOptions, 'drop_zero_gains' | 'preset'>]?: CreditOptions[K] | undefined;
} & { readonly preset?: Preset | undefined };

/** Mean and sd in nats of a scorer's placebo gains (spec S1), null where nobody measured them. */
export interface Placebo {
  readonly mean: number;
  readonly sd: number;
}

/**
 * The options behind a batch: the preset, then every explicit choice, which turns the recorded preset into `custom` where it
 * changes a value. Placebo figures come from the choices, else from `measured`; sigma_floor defaults to their sd, else 0
 * (spec S4). Throws `usage` for values out of range and for choices that contradict each other.
 */
export function resolveCreditOptions(choices: CreditChoices = {}, measured: Placebo | null = null): CreditOptions {
  const { preset = 'colbench', placebo_mean, placebo_sd, sigma_floor, ...explicit } = choices;
  const placebo = { mean: placebo_mean ?? measured?.mean ?? null, sd: placebo_sd ?? measured?.sd ?? null };
  if ((placebo.mean === null) !== (placebo.sd === null)) {
    throw usage('half_placebo', 'Give --placebo-mean and --placebo-sd together, or neither.');
  }
  const parity = preset === 'infopo_repo';
  const standard = { ...PRESETS[preset], sigma_floor: parity ? 0 : (placebo.sd ?? 0) };
  const said = Object.entries({ ...explicit, sigma_floor }).filter(([, value]) => value !== undefined);
  const changed = said.filter(([name, value]) => standard[name as keyof typeof standard] !== value);
  const parsed = creditOptionsSchema.safeParse({
    ...standard,
    ...Object.fromEntries(changed),
    preset: changed.length === 0 ? preset : 'custom',
    placebo_mean: placebo.mean,
    placebo_sd: placebo.sd,
  });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw usage('bad_option', `${flag(issue?.path.join('.') ?? 'option')}: ${issue?.message ?? 'invalid'}.`);
  }
  const broken = parity ? changed.find(([name]) => !FREE_IN_REFERENCE.has(name)) : undefined;
  if (broken) {
    throw usage(
      'changes_reference',
      `${flag(broken[0])} changes the arithmetic of --preset infopo_repo; leave it out, or choose another preset.`,
    );
  }
  if (parsed.data.pool_by === 'index' && parsed.data.gate_on === 'info') {
    throw usage(
      'index_with_info_gate',
      '--pool-by index has a pool per turn and --gate-on info needs one per episode; drop one of the two.',
    );
  }
  return parsed.data;
}

/** beta and T belong to the run, and min_batch to a rung that group pools never reach. */
const FREE_IN_REFERENCE: ReadonlySet<string> = new Set(['beta', 'gate_temperature', 'min_batch']);

function flag(name: string): string {
  return `--${name.replaceAll('_', '-')}`;
}

function usage(reason: string, message: string): TurnwiseError {
  return new TurnwiseError('usage', reason, message);
}
