import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  gateFormSchema,
  gateOnSchema,
  normSchema,
  poolBySchema,
  poolSchema,
  presetSchema,
  singletonSchema,
  type CreditOptions,
} from '../core/credit/ledger.ts';
import type { CreditChoices } from '../core/credit/options.ts';
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

/** The flags of credit; shared by every command that fuses. */
export function creditFlags(command: Command): Command {
  return command
    .addOption(choice('--preset <name>', 'defaults of one setting of the paper', presetSchema.options))
    .option('--beta <x>', 'weight of information beside the outcome', real)
    .option('--gate-temperature <x>', 'T of the gate, in units of the outcome', real)
    .addOption(choice('--gate-form <form>', 'shape of the gate', gateFormSchema.options))
    .addOption(choice('--gate-on <what>', 'whose spread closes the gate', gateOnSchema.options))
    .addOption(choice('--norm <norm>', 'one sample per turn, per token, or gains as they are', normSchema.options))
    .addOption(choice('--pool <pool>', 'whom a gain is compared with', poolSchema.options))
    .addOption(choice('--pool-by <what>', 'all turns, or only turns of the same index', poolBySchema.options))
    .option('--min-batch <n>', 'turns with a gain that a batch needs to be compared with', positive)
    .addOption(choice('--singleton <policy>', 'an outcome alone in its group', singletonSchema.options))
    .option('--sigma-floor <nats>', 'least spread of a pool; default: that of the placebo gains, else 0', real)
    .option('--placebo-mean <nats>', "mean of the scorer's placebo gains; default: as scored", real)
    .option('--placebo-sd <nats>', "standard deviation of the scorer's placebo gains; default: as scored", real);
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

function choice(flag: string, description: string, choices: readonly string[]): Option {
  return new Option(flag, description).choices(choices);
}

function real(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!Number.isFinite(value)) throw new InvalidArgumentError('Give a finite number.');
  return value;
}
