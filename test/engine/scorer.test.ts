import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ScoreSequence } from '../../src/core/backend.ts';
import { causalLimit } from '../../src/core/plan/trie.ts';
import { createLane } from '../../src/engine/lane.ts';
import type { LoadedModel } from '../../src/engine/load-model.ts';
import { createScorer, type Scorer } from '../../src/engine/scorer.ts';
import { compareProbe, selfTest } from '../../src/engine/self-test.ts';
import { batchSizes, openTrack, SMALLEST_BATCH, type Track } from '../../src/engine/track.ts';
import { compareExactly, shifted } from './compare.ts';
import { idsOf, inventPlan, loadToy, naiveScore } from './model.ts';

let loaded: LoadedModel;
let track: Track;
let scorer: Scorer;

beforeAll(async () => {
  loaded = await loadToy();
  track = await openTrack(loaded, 2048);
  scorer = createScorer(track, createLane());
});
afterAll(() => loaded.dispose());

const naive = (sequences: readonly ScoreSequence[]): Promise<number[][]> =>
  sequences.reduce<Promise<number[][]>>(
    async (done, sequence) => [...(await done), await naiveScore(loaded, sequence)],
    Promise.resolve([]),
  );

test('no batch is smaller than three tokens, unless there are not even three', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 6, max: 600 }), (count, batch) => {
      const sizes = batchSizes(count, batch);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(count);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(batch);
      if (count >= SMALLEST_BATCH) expect(Math.min(...sizes)).toBeGreaterThanOrEqual(SMALLEST_BATCH);
    }),
  );
});

describe('against naive evaluation in a fresh context per sequence', () => {
  test('a plan scored by rollback is the same to the last bit, at the causal limit', async () => {
    await track.rollBack(0);
    const plan = inventPlan(loaded, 3);
    const scored = await scorer.score(plan);
    const expected = await naive(plan);
    expect(compareExactly(expected, scored.logprobs)).toEqual([]);
    expect(scored.evaluated).toBe(causalLimit(plan));
    expect(scored.limit).toBe(causalLimit(plan));
    expect(compareExactly(expected.map(shifted), scored.logprobs)).not.toEqual([]);
  });

  test('masks of one token, and ones longer than the reply, change nothing about that', async () => {
    for (const mask of [(): number[] => [300], (): number[] => [300, 301, 302, 303, 304, 305, 306, 307, 308, 309]]) {
      const plan = inventPlan(loaded, 2, mask);
      expect(compareExactly(await naive(plan), (await scorer.score(plan)).logprobs)).toEqual([]);
    }
  });

  test('short stretches are filled up to a batch, counted, and still exact', async () => {
    await track.rollBack(0);
    const stem = idsOf(loaded, 'Average a list of numbers, newest first.');
    const plan = [stem, [...stem, 5, 6], [...stem, 7, 6], [...stem, 8, 9, 6], [8, 9, 10], [11, 12], [11]].map(
      (ids): ScoreSequence => ({ ids, from: 1, to: ids.length }),
    );
    const scored = await scorer.score(plan);
    const long = plan.filter(({ ids }) => ids.length > SMALLEST_BATCH);
    expect(compareExactly(await naive(long), scored.logprobs.slice(0, long.length))).toEqual([]);
    expect(scored.evaluated).toBeGreaterThan(scored.limit);
    expect(scored.evaluated).toBeLessThanOrEqual(scored.limit + plan.length * (SMALLEST_BATCH - 1));
    expect(scored.logprobs.map((row) => row.length)).toEqual(plan.map(({ ids }) => ids.length - 1));
  });

  test('a beginning of one token reads off what a long batch says about it', async () => {
    const ids = idsOf(loaded, 'Average a list of numbers.');
    const long = await scorer.score([{ ids, from: 1, to: 3 }]);
    await track.rollBack(0);
    const [first] = (await scorer.score([{ ids: ids.slice(0, 2), from: 1, to: 2 }])).logprobs;
    expect(first).toEqual(long.logprobs[0]?.slice(0, 1));
  });

  test('texts longer than a batch are exact at every cut', async () => {
    await track.rollBack(0);
    const ids = idsOf(loaded, 'Average a list of prices, and skip what is None. '.repeat(120)).slice(0, 1027);
    expect(ids).toHaveLength(1027); // 512 + 512 + 2 evaluated tokens, cut by hand
    const sequence = { ids, from: 1, to: ids.length };
    expect(compareExactly(await naive([sequence]), (await scorer.score([sequence])).logprobs)).toEqual([]);
  });
});

describe('what stays in the cache', () => {
  test('an episode scored turn by turn costs no more than 1.1 of its limit, and scores the same', async () => {
    await track.rollBack(0);
    const plan = inventPlan(loaded, 5, () => [300, 301, 302, 303, 304, 305, 306, 307]);
    let evaluated = 0;
    const live: number[][] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      const scored = await scorer.score(plan.slice(2 * turn, 2 * turn + 2));
      evaluated += scored.evaluated;
      live.push(...scored.logprobs);
    }
    expect(evaluated).toBeLessThanOrEqual(1.1 * causalLimit(plan));
    expect(evaluated).toBeGreaterThanOrEqual(causalLimit(plan));
    await track.rollBack(0);
    expect(compareExactly((await scorer.score(plan)).logprobs, live)).toEqual([]);
  });

  test('another session starts anew, so that no cost depends on what was scored before', async () => {
    const plan = inventPlan(loaded, 3);
    const alone = await scorer.score(plan, { session: 'a' });
    expect(alone.evaluated).toBe(causalLimit(plan));
    const beside = await scorer.score(plan, { session: 'b' });
    expect(beside).toEqual(alone);
    const again = await scorer.score(plan, { session: 'b' });
    expect(again.evaluated).toBeLessThan(alone.evaluated);
    expect(compareExactly(alone.logprobs, again.logprobs)).toEqual([]);
  });

  test('the same request twice gives the same bits', async () => {
    const plan = inventPlan(loaded, 2);
    const once = await scorer.score(plan);
    expect(compareExactly(once.logprobs, (await scorer.score(plan)).logprobs)).toEqual([]);
  });

  test('an abandoned request stops at a batch boundary, and the next one is right', async () => {
    const ids = idsOf(loaded, 'Average a list of prices, and skip what is None. '.repeat(150));
    const sequence = { ids: ids.slice(0, 1600), from: 1, to: 1600 };
    await track.rollBack(0);
    const leaving = new AbortController();
    let done = 0;
    const abandoned = scorer.score([sequence], {
      signal: leaving.signal,
      onProgress: (tokens) => {
        done = tokens;
        leaving.abort(new Error('gone'));
      },
    });
    await expect(abandoned).rejects.toThrow('gone');
    expect(done).toBe(track.batchSize);
    const plan = inventPlan(loaded, 1);
    expect(compareExactly(await naive(plan), (await scorer.score(plan)).logprobs)).toEqual([]);
  });

  test('batches that are bounded in time are short, and the scores the same to the last bit', async () => {
    const plan = inventPlan(loaded, 4);
    await track.rollBack(0);
    const whole = await scorer.score(plan);
    await track.rollBack(0);
    const seen: number[] = [];
    const bounded = createScorer(track, createLane(), 0.01);
    const cut = await bounded.score(plan, { onProgress: (tokens) => seen.push(tokens) });
    expect(compareExactly(whole.logprobs, cut.logprobs)).toEqual([]);
    expect(cut.evaluated).toBe(whole.evaluated);
    const sizes = seen.map((tokens, at) => tokens - (seen[at - 1] ?? 0));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(4 * SMALLEST_BATCH);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(SMALLEST_BATCH);
    expect(sizes.length).toBeGreaterThan(10);
  });

  test('scoring lets chat go first at every batch', async () => {
    const chat = createLane();
    const polite = createScorer(track, chat);
    let chatting = true;
    let finish = (): void => undefined;
    const talk = chat.run(
      () =>
        new Promise<void>((resolve) => {
          finish = () => {
            chatting = false;
            resolve();
          };
        }),
    );
    const during: boolean[] = [];
    const scoring = polite.score(inventPlan(loaded, 1), { onProgress: () => during.push(chatting) });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(during).toEqual([]);
    finish();
    await talk;
    await scoring;
    expect(during.length).toBeGreaterThan(0);
    expect(during).not.toContain(true);
  });
});

test('the self-test passes on this model, and notices log-probs that are one token late', async () => {
  await expect(selfTest(loaded, track)).resolves.toBeUndefined();
  const values = [-1, -2.5, -0.25, -7];
  expect(() => {
    compareProbe(values, values);
  }).not.toThrow();
  for (const wrong of [shifted(values), values.slice(1), [...values.slice(1), Number.NaN]]) {
    expect(() => {
      compareProbe(wrong, values);
    }).toThrow(expect.objectContaining({ reason: 'self_test_failed' }));
  }
});
