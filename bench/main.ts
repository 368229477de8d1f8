import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundledModel } from '../src/app/engine-process.ts';
import type { MaskMode } from '../src/core/plan/mask.ts';
import { createLane } from '../src/engine/lane.ts';
import { loadModel, type LoadedModel } from '../src/engine/load-model.ts';
import { createScorer } from '../src/engine/scorer.ts';
import { openTrack, type Track } from '../src/engine/track.ts';
import { inventWorkload, type ConversationShape, type Workload } from './conversation.ts';
import { printTable, type Case } from './table.ts';
import { writeRandomGguf, type ModelShape } from './random-gguf.ts';

const CONVERSATION = { request: 60, reply: 48, action: 32, header: 4, tail: 5, placeholder: 6 };
const TURNS = [4, 8, 16];
const MODES: readonly MaskMode[] = ['length_matched', 'natural'];
// Large enough that arithmetic dominates, small enough that the naive way ends within minutes on one core.
const RANDOM: ModelShape = {
  width: 256,
  layers: 6,
  feedForward: 768,
  heads: 8,
  kvHeads: 4,
  vocabulary: 4096,
  context: 4096,
};

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    runs: { type: 'string', default: '5' },
    threads: { type: 'string' },
    toy: { type: 'boolean', default: false },
  },
});
const folder = await mkdtemp(join(tmpdir(), 'turnwise-bench-'));
try {
  const cases = await benchmark();
  if (flags.json) for (const one of cases) process.stdout.write(`${JSON.stringify(one)}\n`);
  else printTable(cases);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function benchmark(): Promise<Case[]> {
  const modelPath = flags.toy ? bundledModel() : join(folder, 'random.gguf');
  const parameters = flags.toy ? null : await writeRandomGguf(modelPath, RANDOM, 1);
  const loaded = await loadModel({
    modelPath,
    threads: flags.threads === undefined ? undefined : Number(flags.threads),
  });
  const model =
    parameters === null
      ? 'bundled toy'
      : `random weights, ${(parameters / 1e6).toFixed(0)}M parameters, F16 computed in float32`;
  try {
    const cases: Case[] = [];
    for (const mode of MODES) {
      for (const turns of TURNS) cases.push(...(await measure(loaded, model, { turns, ...CONVERSATION }, mode)));
    }
    return cases;
  } finally {
    await loaded.dispose();
  }
}

/** One conversation: tokens in one go and turn by turn, then wall clock against the naive way, interleaved. */
async function measure(
  loaded: LoadedModel,
  model: string,
  conversation: ConversationShape,
  maskMode: MaskMode,
): Promise<Case[]> {
  const work = inventWorkload(conversation, maskMode, loaded.vocabularySize);
  const longest = Math.max(...work.naive.map(({ ids }) => ids.length));
  const track = await openTrack(loaded, longest + 8);
  const runs = Number(flags.runs);
  const ours: number[] = [];
  const naive: number[] = [];
  await scoreNaively(track, { ...work, naive: work.naive.slice(0, 1) }); // warm-up: page in the weights
  for (let run = 0; run < runs; run += 1) {
    process.stderr.write(`bench: ${maskMode}, ${conversation.turns} turns, run ${run + 1} of ${runs}\n`);
    ours.push(await timed(() => scoreAtOnce(track, work)));
    naive.push(await timed(() => scoreNaively(track, work)));
  }
  const evaluated = await scoreAtOnce(track, work);
  const live = await scoreLive(track, work);
  const bound = work.naiveTokens / work.limit;
  const ratio = median(naive) / median(ours);
  const shape = { model, threads: loaded.threads, mask_mode: maskMode, ...conversation };
  const name = `${maskMode}, ${conversation.turns} turns`;
  await track.dispose();
  return [
    {
      name: `tokens evaluated, ${name}`,
      value: evaluated,
      unit: 'tokens',
      baseline: work.limit,
      ratio: evaluated / work.limit,
      runs: 1,
      shape: { ...shape, baseline_is: 'causal limit', goal: 1 },
    },
    {
      name: `tokens evaluated live, ${name}`,
      value: live,
      unit: 'tokens',
      baseline: work.limit,
      ratio: live / work.limit,
      runs: 1,
      shape: { ...shape, baseline_is: 'causal limit', goal: 1.1 },
    },
    {
      name: `wall clock, ${name}`,
      value: median(ours),
      unit: 'ms',
      baseline: median(naive),
      ratio,
      runs,
      shape: {
        ...shape,
        baseline_is: `${conversation.turns + 1} full passes, ${work.naiveTokens} tokens`,
        token_bound: bound,
        share_of_bound: ratio / bound,
        goal: 0.85,
      },
    },
  ];
}

async function scoreAtOnce(track: Track, { plan }: Workload): Promise<number> {
  await track.rollBack(0);
  return (await createScorer(track, createLane()).score(plan)).evaluated;
}

/** Turn by turn, as a conversation goes on. */
async function scoreLive(track: Track, { plan }: Workload): Promise<number> {
  await track.rollBack(0);
  const scorer = createScorer(track, createLane());
  let evaluated = 0;
  for (let at = 0; at < plan.length; at += 2) evaluated += (await scorer.score(plan.slice(at, at + 2))).evaluated;
  return evaluated;
}

/** Every transcript whole and from the start, through the same batches and the same reading of log-probs. */
async function scoreNaively(track: Track, { naive }: Workload): Promise<void> {
  for (const { ids, scored } of naive) {
    await track.rollBack(0);
    const asked = new Set(scored.flatMap(([from, to]) => Array.from({ length: to - from }, (_, k) => from + k)));
    await track.append(0, ids.slice(0, -1), (offset) => (asked.has(offset + 1) ? [ids[offset + 1] ?? 0] : []));
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}
