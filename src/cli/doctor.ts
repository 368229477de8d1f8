import { Option } from 'commander';
import { chooseProbes, PROBE_CHOICES, type ProbeChoice } from '../app/doctor/bundled-probes.ts';
import { DEFAULT_PROBES, examine, PLACEHOLDERS, type DoctorReport } from '../app/doctor/doctor.ts';
import { keepCalibration } from '../app/doctor/keep-calibration.ts';
import { RANDOM_REPLY } from '../app/score.ts';
import { AUTO_PLACEHOLDER, CALIBRATION_SCHEMA, type CalibrationFile } from '../core/calibration.ts';
import { TurnwiseError } from '../core/error.ts';
import { maskModeSchema, type ScoreOptions } from '../core/scored-episode.ts';
import { openJournal } from '../store/journal.ts';
import { interruptSignal, printJson, type Register, type ServerChoice, type Servers } from './command.ts';
import { doctorTable } from './doctor-table.ts';
import { writeAtomically } from './files.ts';
import { positive } from './numbers.ts';
import { startProgress, type Progress } from './progress.ts';
import { serverOptions } from './score.ts';
import { readTranscripts } from './transcripts.ts';

interface DoctorFlags extends ServerChoice {
  readonly in?: string;
  readonly probes: ProbeChoice;
  readonly replies: number;
  readonly placeholder?: readonly string[];
  readonly maskMode: ScoreOptions['mask_mode'];
  readonly out?: string;
  readonly store?: string;
  readonly json?: boolean;
}

const NARROWEST = 72;
const WIDEST = 120;

/** `turnwise doctor`: whether a scorer can be trusted, what its placebo gains are, and what to change. */
export const registerDoctor: Register = (program, servers) => {
  serverOptions(program.command('doctor'))
    .description('Check a scorer: exactness, noise, placebo gains, fit placeholders, speed, and what to change')
    .option('--in <file>', 'probe with your own conversations, one JSON object a line (turnwise schema transcript)')
    .addOption(
      new Option('--probes <set>', "bundled conversations to probe with; auto: as the model's card says")
        .choices(PROBE_CHOICES)
        .default('auto'),
    )
    .option('--replies <n>', 'how many replies to probe with; placebo figures need 50', positive, DEFAULT_PROBES)
    .option('--placeholder <text...>', 'placeholders to try besides the usual ones')
    .addOption(
      new Option('--mask-mode <mode>', 'the way of masking that is measured')
        .choices(maskModeSchema.options)
        .default('length_matched'),
    )
    .option('--store <file>', 'keep what was measured in this store, for every score and credit made there')
    .option('--out <file>', 'write what was measured to a file, for turnwise score --calibration')
    .option('--json', 'print the report as one JSON object on stdout')
    .action((flags: DoctorFlags) => doctor(flags, servers));
};

async function doctor(flags: DoctorFlags, servers: Servers): Promise<void> {
  const placeholders = placeholdersOf(flags);
  const own = flags.in === undefined ? null : await readTranscripts(flags.in);
  const journal = flags.store === undefined ? null : openJournal(flags.store);
  const interrupt = interruptSignal();
  const progress = showSteps();
  try {
    if (journal?.readOnly) throw new TurnwiseError('environment', 'store_read_only', journal.readOnly);
    const model = await servers.openModel(flags);
    let report: DoctorReport;
    try {
      report = await examine({
        backend: model.scorer,
        chat: model.chat,
        choose: (facts) => chooseProbes(flags.probes, own, facts),
        probes: flags.replies,
        placeholders,
        maskMode: flags.maskMode,
        signal: interrupt.signal,
        onProgress: progress.update,
      });
    } finally {
      progress.stop();
      await model.close();
    }
    if (journal !== null) keepCalibration(journal, report);
    if (flags.out !== undefined && report.scorer !== null) await writeAtomically(flags.out, fileOf(report));
    print(report, flags);
    refuseFailures(report);
  } finally {
    progress.stop();
    interrupt.dispose();
    journal?.close();
  }
}

function placeholdersOf({ placeholder = [] }: DoctorFlags): string[] {
  const wrong = placeholder.find((text) => text === RANDOM_REPLY || text === AUTO_PLACEHOLDER || text.trim() === '');
  if (wrong === undefined) return [...new Set([...PLACEHOLDERS, ...placeholder])];
  throw new TurnwiseError(
    'usage',
    'bad_option',
    `--placeholder ${JSON.stringify(wrong)} is no text that could stand for a reply; give words.`,
  );
}

function* fileOf({ scorer, calibration }: DoctorReport): Generator<string> {
  if (scorer === null) return;
  const file: CalibrationFile = { schema: CALIBRATION_SCHEMA, scorer, ...calibration };
  yield `${JSON.stringify(file, null, 1)}\n`;
}

function print(report: DoctorReport, { json = false, store, out }: DoctorFlags): void {
  if (json) {
    const { scorer, probes, maskMode, checks, calibration } = report;
    printJson({ scorer, probes, mask_mode: maskMode, checks, ...calibration });
    return;
  }
  const width = Math.min(Math.max(process.stdout.columns || 100, NARROWEST), WIDEST);
  const measured = report.calibration.placebo.length + report.calibration.fitness.length > 0;
  const kept = [store, out].filter((path) => path !== undefined);
  const last =
    report.scorer === null || !measured
      ? []
      : kept.length > 0
        ? ['', `kept in ${kept.join(' and ')}`]
        : ['', 'nothing was kept; --store FILE or --out FILE lets scoring use these figures'];
  process.stdout.write(`${[...doctorTable(report, width), ...last].join('\n')}\n`);
}

function refuseFailures({ checks }: DoctorReport): void {
  const failed = checks.filter(({ state }) => state === 'fail');
  const [first] = failed;
  if (first === undefined) return;
  const more = failed.length > 1 ? `${failed.length} checks failed, first of all ${first.id}` : `${first.id} failed`;
  throw new TurnwiseError('backend', 'doctor_failed', `${more}: ${first.sentence}`);
}

/** One bar a step; most steps are short. */
function showSteps(): {
  readonly update: (what: string, done: number, total: number) => void;
  readonly stop: () => void;
} {
  let current: string | null = null;
  let bar: Progress | null = null;
  const stop = (): void => {
    bar?.stop();
    bar = null;
  };
  return {
    update: (what, done, total) => {
      if (what !== current || bar === null) {
        stop();
        bar = startProgress(what.padEnd('connecting'.length), total);
        current = what;
      }
      bar.update(done);
    },
    stop,
  };
}
