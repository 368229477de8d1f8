import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writeGguf, type GgufLayout } from '../../bench/write-gguf.ts';
import { causalLimit } from '../../src/core/plan/trie.ts';
import { createLane } from '../../src/engine/lane.ts';
import { loadModel, type LoadedModel } from '../../src/engine/load-model.ts';
import { createScorer, type Scorer } from '../../src/engine/scorer.ts';
import { openTrack } from '../../src/engine/track.ts';
import { compareExactly } from './compare.ts';
import { naiveScore } from './model.ts';
import { recurrent, slidingWindow } from './random-models.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwise-architectures-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function withModel<T>(
  layout: GgufLayout,
  work: (opened: { loaded: LoadedModel; scorer: Scorer }) => Promise<T>,
): Promise<T> {
  const modelPath = join(folder, `${layout.architecture}.gguf`);
  await writeGguf(modelPath, layout, 3);
  const loaded = await loadModel({ modelPath, threads: 1 });
  try {
    return await work({ loaded, scorer: createScorer(await openTrack(loaded, 2048), createLane()) });
  } finally {
    await loaded.dispose();
  }
}

/** A trunk of 300 tokens, and detours that leave it at several depths, each many windows from the start. */
function plan(): { ids: number[]; from: number; to: number }[] {
  const id = (at: number): number => 33 + ((at * at + 7 * at) % 200);
  const trunk = Array.from({ length: 300 }, (_, at) => id(at));
  const detours = [60, 140, 220].map((fork) => [
    ...trunk.slice(0, fork),
    ...Array.from({ length: 50 }, (_, at) => id(at + fork + 5)),
  ]);
  return [trunk, ...detours].map((ids) => ({ ids, from: ids.length - 30, to: ids.length }));
}

test('a model with a sliding window is scored by rollback as in a fresh context, at the causal limit', async () => {
  const narrow = await withModel(slidingWindow(16), async ({ loaded, scorer }) => {
    const { logprobs, evaluated } = await scorer.score(plan());
    const fresh: number[][] = [];
    for (const sequence of plan()) fresh.push(await naiveScore(loaded, sequence));
    expect(compareExactly(fresh, logprobs)).toEqual([]);
    expect(evaluated).toBe(causalLimit(plan()));
    return logprobs;
  });
  // The window is really there: with a wide one the same weights say something else.
  const wide = await withModel(slidingWindow(1024), ({ scorer }) => scorer.score(plan()));
  expect(compareExactly(narrow, wide.logprobs)).not.toEqual([]);
});

test('a model with a recurrent state is refused before anything is computed, and told what to take instead', async () => {
  await withModel(recurrent(), async ({ scorer }) => {
    const refused = scorer.score(plan());
    await expect(refused).rejects.toMatchObject({ fault: 'unsupported', reason: 'cannot_roll_back' });
    await expect(refused).rejects.toThrow('choose a transformer');
  });
});
