import { Option, type Command } from 'commander';
import { calibratedScorer } from '../app/calibrated-scorer.ts';
import { DEFAULT_SCORE_OPTIONS, planTranscripts, RANDOM_REPLY, scoreTranscripts, type ScoreRun } from '../app/score.ts';
import type { Backend } from '../core/backend.ts';
import { AUTO_PLACEHOLDER } from '../core/calibration.ts';
import { TurnwiseError } from '../core/error.ts';
import { SCORER_KINDS } from '../core/scorer-kind.ts';
import { estimatorSchema, scoreOptionsSchema, type ScoredEpisode, type ScoreOptions } from '../core/scored-episode.ts';
import type { Transcript } from '../core/transcript.ts';
import { readCalibration } from './calibration-file.ts';
import { interruptSignal, printJson, type Register, type ServerChoice } from './command.ts';
import { writeAtomically } from './files.ts';
import { integer, positive } from './numbers.ts';
import { startProgress } from './progress.ts';
import { scoreInStore } from './score-in-store.ts';
import { readTranscripts } from './transcripts.ts';

interface ScoreFlags extends ServerChoice {
  readonly in?: string;
  readonly store?: string;
  readonly watch?: boolean;
  readonly out?: string;
  readonly plan?: boolean;
  readonly concurrency?: number;
  readonly noise: number;
  readonly estimator: ScoreOptions['estimator'];
  readonly clip?: number;
  readonly placeholder: string;
  readonly maskMode: ScoreOptions['mask_mode'];
  readonly calibration?: string;
  readonly seed: number;
  readonly json?: boolean;
}

/** `turnwise score`: the information gain of every turn of every conversation in a file or a store. */
export const registerScore: Register = (program, servers) => {
  serverOptions(program.command('score'))
    .description('Score how much each reply changed what the agent did next')
    .option('--in <file>', 'conversations, one JSON object a line (turnwise schema transcript)')
    .option('--store <file>', 'instead: score what has no scores yet in a store, and keep them there')
    .option('--watch', 'with --store: go on with what is said next, until Ctrl-C')
    .option('--out <file>', 'where the scores go, one JSON object a line (turnwise schema score)')
    .option('--plan', 'print the token sequences that would be scored and their cost; ask no server for a score')
    .option('--concurrency <n>', 'at most this many episodes at once (default: as many as the server takes)', positive)
    .option('--noise <n>', 'score each pair n more times and report the largest difference', integer, 0)
    .addOption(
      new Option('--estimator <name>', 'how log-prob shifts become one gain')
        .choices(estimatorSchema.options)
        .default(DEFAULT_SCORE_OPTIONS.estimator),
    )
    .option('--clip <nats>', 'bound of shift_clip', Number)
    .option(
      '--placeholder <text>',
      `what stands in for the reply, ${RANDOM_REPLY}, or ${AUTO_PLACEHOLDER} for the fittest measured`,
      DEFAULT_SCORE_OPTIONS.placeholder,
    )
    .addOption(
      new Option('--mask-mode <mode>', 'length_matched moves no later token')
        .choices(['length_matched', 'natural'])
        .default(DEFAULT_SCORE_OPTIONS.mask_mode),
    )
    .option('--calibration <file>', 'what turnwise doctor --out measured of this scorer')
    .option('--seed <n>', `seed of ${RANDOM_REPLY}`, integer, DEFAULT_SCORE_OPTIONS.seed)
    .option('--json', 'print one summary object on stdout')
    .action(async (flags: ScoreFlags) => {
      const options = optionsOf(flags);
      if (flags.store !== undefined) {
        await scoreInStore(flags.store, options, flags, servers);
        return;
      }
      const input = flags.in;
      if (input === undefined) {
        const message = 'Say what to score: --in FILE with conversations, or --store FILE of Turnwise itself.';
        throw new TurnwiseError('usage', 'missing_in', message);
      }
      if (!flags.plan && flags.out === undefined) {
        throw new TurnwiseError(
          'usage',
          'missing_out',
          'Say where the scores go with --out FILE, or use --plan to see what would be scored.',
        );
      }
      const transcripts = await readTranscripts(input);
      const measured = flags.calibration === undefined ? null : await readCalibration(flags.calibration);
      const scorer = await servers.openScorer(flags);
      const backend = measured === null ? scorer : calibratedScorer(scorer, measured);
      const interrupt = interruptSignal();
      try {
        const run: ScoreRun = { backend, options, signal: interrupt.signal };
        await (flags.plan ? printPlan(transcripts, run) : scoreInto(flags.out ?? '', transcripts, run, flags));
      } finally {
        interrupt.dispose();
        await backend.close();
      }
    });
};

/** The flags that say which server scores; shared by every command that opens one. */
export function serverOptions(command: Command): Command {
  return command
    .option('--backend <kind>', `what scores: ${SCORER_KINDS.join(', ')}`, 'engine')
    .option('--url <url>', 'server to use; without it the local engine is started and ended')
    .option('--model <model>', 'a GGUF file for the engine, the name of a served model elsewhere')
    .option('--api-key-env <name>', 'environment variable that holds the key')
    .option(
      '--tokenizer <folder>',
      "the scorer's tokenizer: its folder, or hf:owner/name to fetch it once (default: the server's own)",
    );
}

function optionsOf(flags: ScoreFlags): ScoreOptions {
  const clip = flags.estimator === 'shift_clip' ? (flags.clip ?? 1) : null;
  if (flags.clip !== undefined && clip === null) {
    throw new TurnwiseError(
      'usage',
      'clip_without_shift_clip',
      '--clip belongs to --estimator shift_clip; leave it out or choose that estimator.',
    );
  }
  const { estimator, placeholder, maskMode, seed, noise } = flags;
  const parsed = scoreOptionsSchema.safeParse({ estimator, clip, placeholder, mask_mode: maskMode, seed, noise });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new TurnwiseError(
    'usage',
    'bad_option',
    `--${issue?.path.join('.') ?? 'option'}: ${issue?.message ?? 'invalid'}; see turnwise score --help.`,
  );
}

async function printPlan(transcripts: readonly Transcript[], run: ScoreRun): Promise<void> {
  const total = { sequences: 0, tokens: 0, limit: 0 };
  for await (const { transcript, plan } of planTranscripts(transcripts, run)) {
    total.tokens += plan.tokens;
    total.limit += plan.limit;
    for (const turn of plan.turns) {
      if (turn.nullReason !== null) continue;
      const own = [
        { kind: 'factual', sequence: turn.factual, more: {} },
        { kind: 'masked', sequence: turn.masked, more: { mask_ids: turn.maskIds } },
        ...turn.alone.flatMap(({ masked }, observation) =>
          masked === null ? [] : [{ kind: 'alone', sequence: masked, more: { observation } }],
        ),
      ];
      for (const { kind, sequence, more } of own) {
        const { ids, from, to, obsStart, obsEnd } = sequence;
        total.sequences += 1;
        const place = { episode_id: transcript.episode_id, turn: turn.index, kind };
        printJson({ ...place, ids, from, to, obs_start: obsStart, obs_end: obsEnd, ...more });
      }
    }
  }
  printJson(total);
}

/** Sums over a run; `tokens_evaluated` is null as soon as one episode's is unknown. */
interface ScoreSummary {
  episodes: number;
  turns: number;
  gains_defined: number;
  tokens_evaluated: number | null;
  tokens_limit: number;
}

async function scoreInto(
  out: string,
  transcripts: readonly Transcript[],
  run: ScoreRun,
  flags: ScoreFlags,
): Promise<void> {
  const progress = startProgress('scoring', transcripts.length);
  const summary: ScoreSummary = { episodes: 0, turns: 0, gains_defined: 0, tokens_evaluated: 0, tokens_limit: 0 };
  const reasons = new Map<string, number>();
  async function* lines(): AsyncGenerator<string> {
    const onEpisode = (done: number): void => {
      progress.update(done);
    };
    for await (const scored of scoreTranscripts(transcripts, {
      ...run,
      onEpisode,
      ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
    })) {
      addTo(summary, scored);
      for (const turn of scored.turns) {
        if (turn.null_reason !== null) reasons.set(turn.null_reason, (reasons.get(turn.null_reason) ?? 0) + 1);
      }
      yield `${JSON.stringify(scored)}\n`;
    }
  }
  try {
    await writeAtomically(out, lines());
  } finally {
    progress.stop();
  }
  if (flags.json) printJson({ ...summary, null_reasons: Object.fromEntries(reasons), out });
  else await printSummary(summary, reasons, out, run.backend);
  if (summary.gains_defined === 0) {
    const why = [...reasons].map(([reason, count]) => `${reason} ${count}x`).join(', ');
    throw new TurnwiseError(
      'input',
      'no_gain_defined',
      `No turn has a defined gain (${why === '' ? 'the file has no agent turn' : why}); ${out} says why for each turn.`,
    );
  }
}

function addTo(summary: ScoreSummary, scored: ScoredEpisode): void {
  summary.episodes += 1;
  summary.turns += scored.turns.length;
  summary.gains_defined += scored.turns.filter((turn) => turn.gain !== null).length;
  summary.tokens_limit += scored.tokens_limit;
  const evaluated = scored.tokens_evaluated;
  summary.tokens_evaluated =
    summary.tokens_evaluated === null || evaluated === null ? null : summary.tokens_evaluated + evaluated;
}

async function printSummary(
  summary: ScoreSummary,
  reasons: ReadonlyMap<string, number>,
  out: string,
  backend: Backend,
): Promise<void> {
  const { episodes, turns, gains_defined, tokens_evaluated, tokens_limit } = summary;
  const { identity, notice, advice } = await backend.facts();
  const unknown = [...reasons].map(([reason, count]) => `${reason} ${count}`).join(', ');
  const cost =
    tokens_evaluated === null
      ? `the server does not report tokens evaluated; the causal limit is ${tokens_limit}`
      : `${tokens_evaluated} tokens evaluated, ${(tokens_evaluated / Math.max(1, tokens_limit)).toFixed(2)} of the causal limit`;
  const lines = [
    `${gains_defined} of ${turns} turns in ${episodes} episodes have a gain${unknown === '' ? '' : ` (without: ${unknown})`}`,
    cost,
    `scorer ${identity.id} on ${identity.backend}${notice === null ? '' : `. ${notice}`}`,
    ...advice,
    `written to ${out}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
