import { InvalidArgumentError, type Command } from 'commander';
import { BASELINES } from '../core/credit/baselines.ts';
import { GATE_FORMS, GATE_SOURCES } from '../core/credit/gate.ts';
import { NORMS, POOL_MEMBERS, POOLS } from '../core/credit/information.ts';
import type { CreditOptions } from '../core/credit/ledger.ts';
import { describePresets, type CreditChoices } from '../core/credit/options.ts';
import { SINGLETONS } from '../core/credit/outcome-advantage.ts';
import { choiceOption, choicesHelp } from './choices.ts';
import { positive } from './numbers.ts';

/** What a person may say about credit on a command line; what is left out comes from the preset. */
export interface CreditFlags {
  readonly preset?: CreditChoices['preset'];
  readonly beta?: number;
  readonly gateTemperature?: number;
  readonly gateForm?: CreditOptions['gate_form'];
  readonly gateOn?: CreditOptions['gate_on'];
  readonly norm?: CreditOptions['norm'];
  readonly pool?: CreditOptions['pool'];
  readonly poolBy?: CreditOptions['pool_by'];
  readonly minBatch?: number;
  readonly singleton?: CreditOptions['singleton'];
  readonly sigmaFloor?: number;
  readonly placeboMean?: number;
  readonly placeboSd?: number;
}

const PRESET_WORDS = describePresets();

/** The flags of credit; shared by every command that fuses. */
export function creditFlags(command: Command): Command {
  return command
    .addOption(choiceOption('--preset <name>', 'defaults of one setting of the paper', PRESET_WORDS))
    .option('--beta <x>', 'weight of information beside the outcome', real)
    .option('--gate-temperature <x>', 'T of the gate, in units of the outcome', real)
    .addOption(choiceOption('--gate-form <form>', 'shape of the gate', GATE_FORMS))
    .addOption(choiceOption('--gate-on <what>', 'whose spread closes the gate', GATE_SOURCES))
    .addOption(choiceOption('--norm <norm>', 'one sample per turn, per token, or gains as they are', NORMS))
    .addOption(choiceOption('--pool <pool>', 'whom a gain is compared with', POOLS))
    .addOption(choiceOption('--pool-by <what>', 'all turns, or only turns of the same index', POOL_MEMBERS))
    .option('--min-batch <n>', 'turns with a gain that a batch needs to be compared with', positive)
    .addOption(choiceOption('--singleton <policy>', 'an outcome alone in its group', SINGLETONS))
    .option('--sigma-floor <nats>', 'least spread of a pool; default: that of the placebo gains, else 0', real)
    .option('--placebo-mean <nats>', "mean of the scorer's placebo gains; default: as scored", real)
    .option('--placebo-sd <nats>', "standard deviation of the scorer's placebo gains; default: as scored", real)
    .addHelpText(
      'after',
      choicesHelp({
        '--preset': PRESET_WORDS,
        '--gate-form': GATE_FORMS,
        '--gate-on': GATE_SOURCES,
        '--norm': NORMS,
        '--pool': POOLS,
        '--pool-by': POOL_MEMBERS,
        '--singleton': SINGLETONS,
        'Baselines, a column each': BASELINES,
      }),
    );
}

export function creditChoices(flags: CreditFlags): CreditChoices {
  return {
    preset: flags.preset,
    beta: flags.beta,
    gate_temperature: flags.gateTemperature,
    gate_form: flags.gateForm,
    gate_on: flags.gateOn,
    norm: flags.norm,
    pool: flags.pool,
    pool_by: flags.poolBy,
    min_batch: flags.minBatch,
    singleton: flags.singleton,
    sigma_floor: flags.sigmaFloor,
    placebo_mean: flags.placeboMean,
    placebo_sd: flags.placeboSd,
  };
}

function real(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!Number.isFinite(value)) throw new InvalidArgumentError('Give a finite number.');
  return value;
}
