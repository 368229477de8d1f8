import { expect, test } from 'vitest';
import { divergenceScorer } from '../../../src/app/doctor/probe-divergences.ts';
import type { Backend, Capabilities, DistributionsWanted, NextTokens } from '../../../src/core/backend.ts';
import { TurnwiseError } from '../../../src/core/error.ts';
import { letterBackend, letterFacts } from '../letter-backend.ts';

const SIZE = 60;

/** A distribution over `SIZE` tokens, the likeliest first; another seed, another one. */
function distribution(seed: number): NextTokens {
  const weights = Array.from({ length: SIZE }, (_, id) => ({ id, weight: Math.exp(3 * Math.cos(seed * (id + 1))) }));
  const sum = weights.reduce((total, { weight }) => total + weight, 0);
  const ordered = weights.sort((a, b) => b.weight - a.weight);
  return { ids: ordered.map(({ id }) => id), logprobs: ordered.map(({ weight }) => Math.log(weight / sum)) };
}

/** A factual and a masked sequence of so many scored tokens, told whole where that is asked for and the backend does not refuse. */
function scorerWith(told: Capabilities['distributions'], { tokens = 1, refuses = false, wholeWanted = true } = {}) {
  const asked: (DistributionsWanted | undefined)[] = [];
  const ids = Array.from({ length: tokens }, () => 1);
  const rows = [distribution(1), distribution(2)];
  const score: Backend['score'] = (_, { distributions: wanted } = {}) => {
    asked.push(wanted);
    if (wanted === 'full' && refuses) {
      return Promise.reject(new TurnwiseError('input', 'distributions_too_large', 'Too many numbers.'));
    }
    const cut = wanted === 'full' ? SIZE : (wanted?.top ?? 0);
    const distributions = rows.map((row) => {
      const seen = { ids: row.ids.slice(0, cut), logprobs: row.logprobs.slice(0, cut) };
      return ids.map(() => seen);
    });
    return Promise.resolve({
      logprobs: rows.map((row) => ids.map((id) => row.logprobs[row.ids.indexOf(id)] ?? NaN)),
      ...(wanted === undefined ? {} : { distributions }),
      tokensEvaluated: null,
      tokensReused: null,
    });
  };
  const facts = {
    ...letterFacts,
    capabilities: { ...letterFacts.capabilities, ...(told === undefined ? {} : { distributions: told }) },
  };
  const scorer = divergenceScorer(letterBackend({ score }), facts, wholeWanted);
  const ask = () => scorer.score([{ ids: [0, ...ids], from: 1, to: ids.length + 1 }], {});
  const gains = async () => {
    const result = await ask();
    const [factual, masked] = [result.logprobs[0] ?? [], result.logprobs[1] ?? []];
    return scorer.of({ ids, factual, masked, d: [], result, at: [0, 1] });
  };
  return { asked, ask, gains, allWhole: scorer.allWhole };
}

test('a scorer that tells all: the whole divergence, and the one of the likeliest tokens as who asks for those gets it', async () => {
  const all = scorerWith('full');
  const some = scorerWith('top');
  const [whole, likeliest] = [await all.gains(), await some.gains()];
  expect([all.asked, some.asked]).toEqual([['full'], [{ top: 20 }]]);
  expect(likeliest).toEqual({ topK: whole.topK, full: null });
  expect(whole.full).toBeGreaterThan(whole.topK ?? NaN);
  expect([all.allWhole(), some.allWhole()]).toEqual([true, false]);
});

test('an answer refused for its size is asked for smaller, and no other so large', async () => {
  const { asked, gains, allWhole } = scorerWith('full', { refuses: true });
  const first = await gains();
  expect(await gains()).toEqual(first);
  expect(first.topK).toBeGreaterThan(0);
  expect(first.full).toBeNull();
  expect(asked).toEqual(['full', { top: 20 }, { top: 20 }]);
  expect(allWhole()).toBe(false);
});

test('where whole answers would take minutes over all probes, the first is the last', async () => {
  const { asked, ask, allWhole } = scorerWith('full', { tokens: 40_000 });
  await ask();
  await ask();
  expect(asked).toEqual(['full', { top: 20 }]);
  expect(allWhole()).toBe(false);
});

test('whole distributions that nobody wants are not asked for, and none is claimed', async () => {
  const { asked, gains, allWhole } = scorerWith('full', { wholeWanted: false });
  expect(await gains()).toMatchObject({ full: null });
  expect(asked).toEqual([{ top: 20 }]);
  expect(allWhole()).toBe(false);
});

test('a scorer that tells nothing of them is asked for nothing', async () => {
  const { asked, gains } = scorerWith(undefined);
  expect(await gains()).toEqual({ topK: null, full: null });
  expect(asked).toEqual([undefined]);
});
