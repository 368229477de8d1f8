import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { bundledModel, packageRoot } from '../src/app/engine-process.ts';
import { openSandbox, type Sandbox } from '../src/app/sandbox/sandbox.ts';
import { DEFAULT_PLACEHOLDER } from '../src/core/calibration.ts';
import { errorText, TurnwiseError } from '../src/core/error.ts';
import { lastLine, markdownOf, tableOf } from './report.ts';
import { autoPlaceholder, fitnessOf, glance, measure, play, type Section, type Sizes, type Study } from './study.ts';
import { openSubject } from './subject.ts';
import { loadTruthTasks, type TruthTasks } from './tasks.ts';

const USAGE = `npm run truth -- [--only first|second] [--model FILE] [--second-model FILE] [--episodes N] [--others N] [--json] [--markdown]

Whether the signal means what it says, measured on held-out conversations: eight claims, one table with 95 % intervals, and a last
line that says which goals are met. The first model is the bundled one, under the default placeholder; the second was trained on
data without that placeholder, and is measured under it and under what "--placeholder auto" takes. Seeds are fixed.

  --episodes N   episodes of claim (1), 1 to 480; 420 unless told
  --others N     conversations of every other claim, 1 to 120; 120 unless told
  --json         the figures for programs
  --markdown     the table as Markdown, as it stands in truth/README.md

Exit code 0 whatever the goals say, since a missed goal is a finding; 1 where something could not be run, 2 for bad usage.
`;

const flagsSchema = z.object({
  model: z.string().min(1),
  'second-model': z.string().min(1),
  only: z.enum(['first', 'second']).optional(),
  episodes: z.coerce.number().int().min(1).max(480),
  others: z.coerce.number().int().min(1).max(120),
  json: z.boolean(),
  markdown: z.boolean(),
  help: z.boolean(),
});
type Flags = z.infer<typeof flagsSchema>;

const flags = readFlags();
if (flags === null) process.exitCode = 2;
else if (flags.help) process.stdout.write(USAGE);
else {
  try {
    await run(flags);
  } catch (thrown) {
    if (!(thrown instanceof TurnwiseError)) throw thrown;
    process.stderr.write(`${thrown.message}\n`);
    process.exitCode = 1;
  }
}

/** Null, with a sentence on stderr, where they make no sense. */
function readFlags(): Flags | null {
  const text = { type: 'string' } as const;
  const off = { type: 'boolean', default: false } as const;
  try {
    const { values } = parseArgs({
      options: {
        model: { ...text, default: bundledModel() },
        'second-model': { ...text, default: secondModel() },
        only: text,
        episodes: { ...text, default: '420' },
        others: { ...text, default: '120' },
        json: off,
        markdown: off,
        help: off,
      },
    });
    const parsed = flagsSchema.safeParse(values);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    process.stderr.write(`--${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}; see --help.\n`);
  } catch (thrown) {
    process.stderr.write(`${errorText(thrown)}; see --help.\n`);
  }
  return null;
}

/** The model that comes with the suite, not with the package. */
function secondModel(): string {
  return join(packageRoot(), 'truth', 'models', 'turnwise-toy-without-placeholder.gguf');
}

async function run({ only, model, 'second-model': second, episodes, others, json, markdown }: Flags): Promise<void> {
  const sizes: Sizes = {
    ranking: episodes,
    moments: Math.min(episodes, 2 * others),
    twins: others,
    others,
    stability: others,
    probes: 64,
  };
  const given = { tasks: await loadTruthTasks(), sandbox: openSandbox(), sizes, since: performance.now() };
  const sections: Section[] = [];
  try {
    if (only !== 'second') sections.push(...(await withModel(model, given, acquainted)));
    if (only !== 'first') sections.push(...(await withModel(second, given, stranger)));
  } finally {
    await given.sandbox.close();
  }
  const table = markdown ? markdownOf(sections) : tableOf(sections);
  const lines = json ? [JSON.stringify(sections)] : [...table, lastLine(sections)];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** A model whose data had the placeholder: the default is fit, as its card says. */
async function acquainted(study: Study, model: ModelFile): Promise<Section[]> {
  const carded = study.subject.facts.calibration?.fitness ?? [];
  const fitness = carded.length > 0 ? carded : await fitnessOf(study);
  const figures = await measure(study, await play(study), DEFAULT_PLACEHOLDER, fitness);
  return [{ ...model, placeholder: DEFAULT_PLACEHOLDER, why: 'the default', counts: true, figures }];
}

/** A model that never met it: what the default does to the signal, and what `auto` mends. */
async function stranger(study: Study, model: ModelFile): Promise<Section[]> {
  const fitness = await fitnessOf(study);
  const auto = autoPlaceholder(fitness);
  const played = await play(study);
  const broken = await glance(study, played, DEFAULT_PLACEHOLDER);
  const figures = await measure(study, played, auto, fitness);
  const why = 'the default, which it never met';
  return [
    { ...model, placeholder: DEFAULT_PLACEHOLDER, why, counts: false, figures: broken },
    { ...model, placeholder: auto, why: 'what auto takes', counts: true, figures },
  ];
}

type ModelFile = Pick<Section, 'model' | 'sha256'>;

interface Given {
  readonly tasks: TruthTasks;
  readonly sandbox: Sandbox;
  readonly sizes: Sizes;
  /** When the run began, on the clock of `performance.now`. */
  readonly since: number;
}

async function withModel(
  path: string,
  { since, ...given }: Given,
  work: (study: Study, model: ModelFile) => Promise<Section[]>,
): Promise<Section[]> {
  const subject = await openSubject(path);
  const model = basename(path, '.gguf');
  try {
    const sha256 = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    return await work({ ...given, subject, onProgress: progress(model, since) }, { model, sha256 });
  } finally {
    await subject.close();
  }
}

/** One line per step on stderr, with the time it began. */
function progress(model: string, since: number): Study['onProgress'] {
  let last = '';
  return (what, _done, total) => {
    if (what === last) return;
    last = what;
    const seconds = Math.round((performance.now() - since) / 1000);
    process.stderr.write(`truth: ${model}, ${total} ${what}, after ${seconds} s\n`);
  };
}
