import { InvalidArgumentError, type Command } from 'commander';
import { DEFAULT_SCORE_OPTIONS, PLACEHOLDERS } from '../app/score.ts';
import { DEFAULT_TOP_K } from '../app/turn-gains.ts';
import { ESTIMATORS } from '../core/credit/gain.ts';
import { KL_ESTIMATORS } from '../core/credit/kl.ts';
import { TurnwiseError } from '../core/error.ts';
import { MASK_MODES } from '../core/plan/mask.ts';
import { scoreOptionsSchema, type ScoreOptions } from '../core/scored-episode.ts';
import { choiceOption, choicesHelp } from './choices.ts';
import { integer, positive } from './numbers.ts';

/** What a person may say about scoring on a command line; what is left out is the default. */
export interface ScoringFlags {
  readonly estimator?: ScoreOptions['estimator'];
  readonly clip?: number;
  readonly topK?: number;
  readonly placeholder?: string;
  readonly maskMode?: ScoreOptions['mask_mode'];
  readonly seed?: number;
}

const ALL_ESTIMATORS = { ...ESTIMATORS, ...KL_ESTIMATORS };

/** The flags of scoring; shared by every command that scores. */
export function scoringFlags(command: Command): Command {
  const { estimator, placeholder, mask_mode, seed } = DEFAULT_SCORE_OPTIONS;
  return command
    .addOption(
      choiceOption('--estimator <name>', `how two passes become one gain (default: ${estimator})`, ALL_ESTIMATORS),
    )
    .option('--clip <nats>', 'bound c of shift_clip (default: 1)', bound)
    .option('--top-k <n>', `K of kl_topk (default: ${DEFAULT_TOP_K})`, positive)
    .option('--placeholder <text>', `what stands in for a reply: any text, or see below (default: "${placeholder}")`)
    .addOption(choiceOption('--mask-mode <mode>', `how it is put in its place (default: ${mask_mode})`, MASK_MODES))
    .option('--seed <n>', `seed of random_reply (default: ${seed})`, integer)
    .addHelpText(
      'after',
      choicesHelp({ '--estimator': ALL_ESTIMATORS, '--mask-mode': MASK_MODES, '--placeholder': PLACEHOLDERS }),
    );
}

/** The options that the flags say. Throws `usage` for a flag that does nothing under the chosen estimator. */
export function scoreOptionsOf(flags: ScoringFlags, noise = 0): ScoreOptions {
  const { estimator = DEFAULT_SCORE_OPTIONS.estimator, clip, topK, placeholder, maskMode, seed } = flags;
  refuseIdle('--clip', clip, 'shift_clip', estimator);
  refuseIdle('--top-k', topK, 'kl_topk', estimator);
  const parsed = scoreOptionsSchema.safeParse({
    ...DEFAULT_SCORE_OPTIONS,
    estimator,
    clip: estimator === 'shift_clip' ? (clip ?? 1) : null,
    ...(estimator === 'kl_topk' ? { top_k: topK ?? DEFAULT_TOP_K } : {}),
    placeholder: placeholder ?? DEFAULT_SCORE_OPTIONS.placeholder,
    mask_mode: maskMode ?? DEFAULT_SCORE_OPTIONS.mask_mode,
    seed: seed ?? DEFAULT_SCORE_OPTIONS.seed,
    noise,
  });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new TurnwiseError(
    'usage',
    'bad_option',
    `--${issue?.path.join('.') ?? 'option'}: ${issue?.message ?? 'invalid'}; see --help.`,
  );
}

/** Whether any of these flags was given. */
export function saysHowToScore(flags: ScoringFlags): boolean {
  const { estimator, clip, topK, placeholder, maskMode, seed } = flags;
  return [estimator, clip, topK, placeholder, maskMode, seed].some((value) => value !== undefined);
}

function refuseIdle(flag: string, value: number | undefined, needs: string, estimator: string): void {
  if (value === undefined || estimator === needs) return;
  throw new TurnwiseError(
    'usage',
    `${flag.slice(2).replaceAll('-', '_')}_without_${needs}`,
    `${flag} belongs to --estimator ${needs}; leave it out or choose that estimator.`,
  );
}

function bound(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Give a number of nats above 0.');
}
