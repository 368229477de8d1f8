import { expect, test } from 'vitest';
import { inParallel } from '../../src/core/in-parallel.ts';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Ends when it is told to, as a request does, and a moment later, as its socket does. */
function untilAborted(signal: AbortSignal, ended: () => void): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      void tick().then(() => {
        ended();
        reject(new Error('aborted, and that is no news'));
      });
    });
  });
}

test.each([0, 1, 2, 3, 7])(
  'never more than asked for (%i) at once, and results in the order of the items',
  async (width) => {
    let running = 0;
    let most = 0;
    const results = await inParallel([3, 1, 2, 5], { width }, async (value, _, index) => {
      running += 1;
      most = Math.max(most, running);
      // Later items end sooner.
      for (let wait = 0; wait < 5 - index; wait += 1) await tick();
      running -= 1;
      return [index, value * 2];
    });
    expect(results).toEqual([
      [0, 6],
      [1, 2],
      [2, 4],
      [3, 10],
    ]);
    expect(most).toBe(Math.min(4, Math.max(1, width)));
  },
);

test('the first failure ends what runs, is waited for, and is what is thrown', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const failing = inParallel([0, 1, 2, 3, 4], { width: 3 }, async (value, signal) => {
    begun.push(value);
    if (value !== 1) return untilAborted(signal, () => ended.push(value));
    await tick();
    throw new Error('one');
  });
  await expect(failing).rejects.toThrow(/^one$/);
  // The others would have run for ever; the last two were never begun.
  expect(begun).toEqual([0, 1, 2]);
  expect(ended).toEqual([0, 2]);
});

test('a failure that comes at once begins nothing behind it', async () => {
  const begun: number[] = [];
  const failing = inParallel([0, 1, 2], { width: 1 }, (value) => {
    begun.push(value);
    return value === 1 ? Promise.reject(new Error('one')) : Promise.resolve(value);
  });
  await expect(failing).rejects.toThrow('one');
  expect(begun).toEqual([0, 1]);
  const thrown = inParallel([0], { width: 2 }, () => {
    throw new Error('not even a promise');
  });
  await expect(thrown).rejects.toThrow('not even a promise');
  await expect(
    inParallel([0], { width: 1 }, () => Promise.reject(undefined as unknown as Error)),
  ).rejects.toBeInstanceOf(Error);
});

test("the caller's own abort reaches what runs, and is thrown", async () => {
  const stop = new AbortController();
  let ended = 0;
  const running = inParallel([0, 1, 2], { width: 2, signal: stop.signal }, (_, signal) =>
    untilAborted(signal, () => (ended += 1)),
  );
  const reason = new Error('stopped by hand');
  stop.abort(reason);
  await expect(running).rejects.toThrow();
  expect(ended).toBe(2);
  const never: number[] = [];
  const late = inParallel([0], { width: 1, signal: stop.signal }, (value) => Promise.resolve(never.push(value)));
  await expect(late).rejects.toBe(reason);
  expect(never).toEqual([]);
});

test('what the items themselves throw is a failure like any other', async () => {
  function* items(): Generator<number> {
    yield 0;
    throw new Error('no more');
  }
  await expect(inParallel(items(), { width: 2 }, (value) => Promise.resolve(value))).rejects.toThrow('no more');
});
