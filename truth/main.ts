import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundledModel, packageRoot } from '../src/app/engine-process.ts';
import { openSandbox } from '../src/app/sandbox/sandbox.ts';
import { DEFAULT_PLACEHOLDER } from '../src/core/calibration.ts';
import { lastLine, tableOf } from './report.ts';
import { autoPlaceholder, fitnessOf, glance, measure, play, type Section, type Sizes, type Study } from './study.ts';
import { openSubject } from './subject.ts';
import { loadTruthTasks } from './tasks.ts';

// Does the signal mean what it says? Eight claims about two models: one that has met the placeholder, one that never has.
const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: bundledModel() },
    'second-model': {
      type: 'string',
      default: join(packageRoot(), 'truth', 'models', 'turnwise-toy-without-placeholder.gguf'),
    },
    only: { type: 'string' },
    episodes: { type: 'string', default: '420' },
    others: { type: 'string', default: '120' },
    json: { type: 'boolean', default: false },
  },
});
const [episodes, others] = [Number(flags.episodes), Number(flags.others)];
const sizes: Sizes = {
  ranking: episodes,
  moments: Math.min(episodes, 2 * others),
  twins: others,
  others,
  stability: others,
  probes: 64,
};

const began = performance.now();
const tasks = await loadTruthTasks();
const sandbox = openSandbox();
const sections: Section[] = [];
try {
  if (flags.only !== 'second') sections.push(...(await first(flags.model)));
  if (flags.only !== 'first') sections.push(...(await second(flags['second-model'])));
} finally {
  await sandbox.close();
}
if (flags.json) process.stdout.write(`${JSON.stringify(sections)}\n`);
else process.stdout.write(`${[...tableOf(sections), lastLine(sections)].join('\n')}\n`);

/** The model whose data had the placeholder: the default is fit. */
async function first(path: string): Promise<Section[]> {
  return await withModel(path, async (study, model) => {
    const fitness = await fitnessOf(study);
    const played = await play(study);
    const figures = await measure(study, played, DEFAULT_PLACEHOLDER, fitness);
    return [{ model, placeholder: DEFAULT_PLACEHOLDER, why: 'the default', counts: true, figures }];
  });
}

/** The model that never met it: what the default does to the signal, and what `auto` mends. */
async function second(path: string): Promise<Section[]> {
  return await withModel(path, async (study, model) => {
    const fitness = await fitnessOf(study);
    const auto = autoPlaceholder(fitness);
    const played = await play(study);
    const broken = await glance(study, played, DEFAULT_PLACEHOLDER);
    const figures = await measure(study, played, auto, fitness);
    return [
      {
        model,
        placeholder: DEFAULT_PLACEHOLDER,
        why: 'the default, which it never met',
        counts: false,
        figures: broken,
      },
      { model, placeholder: auto, why: 'what auto takes', counts: true, figures },
    ];
  });
}

async function withModel(path: string, work: (study: Study, name: string) => Promise<Section[]>): Promise<Section[]> {
  const subject = await openSubject(path);
  const name = basename(path, '.gguf');
  try {
    return await work({ subject, sandbox, tasks, sizes, onProgress: progress(name) }, name);
  } finally {
    await subject.close();
  }
}

/** One line per step on stderr, with the time it began. */
function progress(model: string): Study['onProgress'] {
  let last = '';
  return (what, _done, total) => {
    if (what === last) return;
    last = what;
    const seconds = Math.round((performance.now() - began) / 1000);
    process.stderr.write(`truth: ${model}, ${total} ${what}, after ${seconds} s\n`);
  };
}
