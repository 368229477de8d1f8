import type { Command } from 'commander';
import { calibratedScorer } from '../app/calibrated-scorer.ts';
import { planTranscripts, scoreTranscripts, type ScoreRun } from '../app/score.ts';
import type { Backend } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';
import { SCORER_KINDS } from '../core/scorer-kind.ts';
import type { ScoredEpisode } from '../core/scored-episode.ts';
import type { Transcript } from '../core/transcript.ts';
import { readCalibration } from './calibration-file.ts';
import { interruptSignal, printJson, type Register, type ServerChoice } from './command.ts';
import { writeAtomically } from './files.ts';
import { integer, positive } from './numbers.ts';
import { startProgress } from './progress.ts';
import { scoreOptionsOf, scoringFlags, type ScoringFlags } from './score-flags.ts';
import { scoreInStore } from './score-in-store.ts';
import { readTranscripts } from './transcripts.ts';

interface ScoreFlags extends ServerChoice, ScoringFlags {
  readonly in?: string;
  readonly store?: string;
  readonly watch?: boolean;
  readonly out?: string;
  readonly plan?: boolean;
  readonly concurrency?: number;
  readonly noise: number;
  readonly calibration?: string;
  readonly json?: boolean;
}

/** `turnwise score`: the information gain of every turn of every conversation in a file or a store. */
export const registerScore: Register = (program, servers) => {
  scoringFlags(serverOptions(program.command('score')))
    .description('Score how much each reply changed what the agent did next')
    .option('--in <file>', 'conversations, one JSON object a line (turnwise schema transcript)')
    .option('--store <file>', 'instead: score what has no scores yet in a store, and keep them there')
    .option('--watch', 'with --store: go on with what is said next, until Ctrl-C')
    .option('--out <file>', 'where the scores go, one JSON object a line (turnwise schema score)')
    .option('--plan', 'print the token sequences that would be scored and their cost; ask no server for a score')
    .option('--concurrency <n>', 'at most this many episodes at once (default: as many as the server takes)', positive)
    .option('--noise <n>', 'score each pair n more times and report the largest difference', integer, 0)
    .option('--calibration <file>', 'what turnwise doctor --out measured of this scorer')
    .option('--json', 'print one summary object on stdout')
    .action(async (flags: ScoreFlags) => {
      const options = scoreOptionsOf(flags, flags.noise);
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
