import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_SCORE_OPTIONS, scoreTranscripts } from '../../../src/app/score.ts';
import type { Backend, ScoreSequence } from '../../../src/core/backend.ts';
import { TurnwiseError } from '../../../src/core/error.ts';
import { causalLimit } from '../../../src/core/plan/trie.ts';
import type { ScoredEpisode } from '../../../src/core/scored-episode.ts';
import { mean, planTalk, sequencesOfTalk, whole, worst, writeTalk } from './talks.ts';

/** A backend that the suite may use as it likes, and how to open others on the same server. */
export interface Subject {
  readonly backend: Backend;
  /** Opens the same server again, with something changed. */
  reopen(changes: { readonly apiKey?: string; readonly model?: string }): Backend;
  /** Tokens that the server itself has run since its start, where it can be asked. */
  readonly computed?: () => Promise<number>;
  /** Requests that the server has seen, where it can be asked. */
  readonly asked?: () => number;
  readonly close: () => Promise<void>;
}

/** What the suite may expect of a server, as data. */
export interface Expectations {
  /** Whether it gives the same bits each time; else three times its own A/A noise is allowed, and `tolerance`. */
  readonly exact: boolean;
  /** Largest difference between two scorings of one thing in different company, nats. */
  readonly tolerance: number;
  /** Tokens evaluated over the causal limit, at most: an episode at once, and turn by turn. Null: not promised. */
  readonly overLimit: number | null;
  readonly liveOverLimit: number | null;
  /** The true log-probs, where somebody else can say them. */
  readonly truth?: (sequence: ScoreSequence) => number[];
  /** Whether a key is asked for. */
  readonly locked: boolean;
  /** Whether it goes by the name of its model. */
  readonly named: boolean;
}

/** Repeats from which A/A noise is measured. */
const REPEATS = 4;
/** Of a log-prob in float32, nats: a server may be as quiet as that by luck. */
const ROUNDING = 1e-6;
const TURNS = 5;

/**
 * What every backend must do, whatever is behind it. `name` heads the report, and says so where the server is not a real one.
 */
export function contractSuite(name: string, open: () => Promise<Subject>, expected: Expectations): void {
  const { exact, tolerance, truth } = expected;

  describe(`contract: ${name}`, () => {
    let subject: Subject;
    let backend: Backend;
    let sequences: readonly (ScoreSequence & { readonly obsStart: number; readonly obsEnd: number })[];
    beforeAll(async () => {
      subject = await open();
      ({ backend } = subject);
      sequences = await sequencesOfTalk(backend, 'shared', TURNS);
    });
    afterAll(() => subject.close());

    test('says who it is, what it can do, and how long a sequence may be', async () => {
      const facts = await backend.facts();
      expect(facts.identity.id).not.toBe('');
      expect(facts.identity.backend).toBe(backend.name);
      expect(facts.contextSize).toBeGreaterThan(1000);
      expect(facts.capabilities.concurrency).toBeGreaterThanOrEqual(1);
      for (const sentence of facts.advice) expect(sentence).toMatch(/\w.*[.]$/);
      expect(await backend.facts()).toEqual(facts);
    });

    test('texts become ids and come back, special tokens and awkward letters included', async () => {
      const texts = ['<|im_start|>user\nhé 日本 👩‍💻<|im_end|>\n', '', 'x', ' \n two  spaces \r\n'];
      const ids = await backend.tokenize(texts);
      expect(ids.map((list) => list.length > 0)).toEqual(texts.map((text) => text !== ''));
      for (const [at, text] of texts.entries()) expect(await backend.detokenize(ids[at] ?? [])).toBe(text);
      // One token each, or a masked reply could forge the end of a message.
      const [end] = await backend.tokenize(['<|im_end|>']);
      expect(end).toHaveLength(1);
      expect(ids[0]?.filter((id) => id === end?.[0])).toHaveLength(1);
    });

    test('scores are parallel to the tokens asked for, and true', async () => {
      expect(sequences.length).toBeGreaterThanOrEqual(2 * (TURNS - 1));
      const { logprobs } = await backend.score(sequences, { session: 'parallel' });
      expect(logprobs.map(({ length }) => length)).toEqual(sequences.map(({ from, to }) => to - from));
      for (const value of logprobs.flat()) {
        expect(Number.isFinite(value)).toBe(true);
        expect(value).toBeLessThanOrEqual(1e-6);
      }
      if (truth) expect(worst(logprobs, sequences.map(truth))).toBeLessThanOrEqual(tolerance);
      // A span inside a span is that part of it.
      const [longest] = sequences.toSorted((a, b) => b.ids.length - a.ids.length);
      if (!longest) throw new Error('no sequence');
      const wide = await backend.score([whole(longest)]);
      const [from, to] = [longest.from + 2, longest.to - 3];
      const narrow = await backend.score([{ ids: longest.ids, from, to }]);
      expect(worst(narrow.logprobs, [wide.logprobs[0]?.slice(from - 1, to - 1) ?? []])).toBeLessThanOrEqual(tolerance);
      expect(await backend.score([])).toEqual({ logprobs: [], tokensEvaluated: 0, tokensReused: 0 });
    });

    test('a placeholder equal to the reply is worth nothing', async () => {
      const gains: number[] = [];
      const runs: (readonly (readonly number[])[])[] = [];
      const factual = sequences.filter((_, at) => at % 2 === 0);
      for (let repeat = 0; repeat < REPEATS; repeat += 1) {
        const { logprobs } = await backend.score(factual, { session: `noise-${repeat}` });
        runs.push(logprobs);
      }
      const noise = Math.max(...runs.slice(1).map((run) => worst(run, runs[0] ?? [])));
      // The same history twice: in one request, and again in the session that holds it already.
      const twice = factual.flatMap((sequence) => [sequence, sequence]);
      for (const session of ['twice', 'twice']) {
        const { logprobs } = await backend.score(twice, { session });
        for (let pair = 0; pair < logprobs.length; pair += 2) {
          gains.push(mean(logprobs[pair] ?? []) - mean(logprobs[pair + 1] ?? []));
        }
        expect(
          worst(
            logprobs.filter((_, at) => at % 2 === 0),
            runs[0] ?? [],
          ),
        ).toBeLessThanOrEqual(exact ? 0 : tolerance);
      }
      if ((await backend.facts()).capabilities.deterministic) expect(noise).toBe(0);
      expect(gains).toHaveLength(2 * factual.length);
      const largest = Math.max(...gains.map(Math.abs));
      if (exact) expect([largest, noise]).toEqual([0, 0]);
      else expect(largest).toBeLessThanOrEqual(3 * Math.max(noise, ROUNDING));
    });

    test('masking changes nothing before the span, and something behind it', async () => {
      const both = sequences.slice(2, 4);
      const [factual, masked] = both;
      if (!factual || !masked) throw new Error('no pair');
      const { logprobs } = await backend.score(both.map(whole), { session: 'before' });
      const before = logprobs.map((row) => row.slice(0, factual.obsStart - 1));
      expect(before[0]?.length).toBeGreaterThan(20);
      expect(worst(before.slice(0, 1), before.slice(1))).toBeLessThanOrEqual(exact ? 0 : tolerance);
      const behind = both.map(({ from, to }, at) => logprobs[at]?.slice(from - 1, to - 1) ?? []);
      expect(worst(behind.slice(0, 1), behind.slice(1))).toBeGreaterThan(0.01);
    });

    test('two requests side by side do not mix', async () => {
      const talks = await Promise.all(['left', 'right', 'third'].map((id) => sequencesOfTalk(backend, id, 3)));
      const apart: (readonly (readonly number[])[])[] = [];
      for (const [at, talk] of talks.entries())
        apart.push((await backend.score(talk, { session: `apart-${at}` })).logprobs);
      const together = await Promise.all(talks.map((talk, at) => backend.score(talk, { session: `together-${at}` })));
      const oneSession = await Promise.all(talks.map((talk) => backend.score(talk, { session: 'one' })));
      for (const run of [together, oneSession]) {
        for (const [at, { logprobs }] of run.entries()) {
          expect(worst(logprobs, apart[at] ?? [])).toBeLessThanOrEqual(exact ? 0 : tolerance);
        }
      }
      expect(worst(apart[0] ?? [], apart[1] ?? [])).toBeGreaterThan(0.01);
    });

    test('tokens evaluated, an episode at once, keep to the limit that it promises', async () => {
      const limit = causalLimit(sequences);
      const before = await subject.computed?.();
      const { tokensEvaluated, tokensReused } = await backend.score(sequences, { session: 'limit' });
      const computed = before === undefined ? tokensEvaluated : ((await subject.computed?.()) ?? 0) - before;
      const { capabilities } = await backend.facts();
      // Of an answer that it refused, a server that counts does not say what it cost.
      if (!capabilities.countsTokens) expect([tokensEvaluated, tokensReused]).toEqual([null, null]);
      else if (expected.overLimit !== null) expect([tokensEvaluated, tokensReused]).not.toContain(null);
      if (computed === null) return;
      expect(computed).toBeGreaterThanOrEqual(limit);
      if (expected.overLimit !== null) expect(computed / limit).toBeLessThanOrEqual(expected.overLimit);
      // Another session finds nothing: what an episode costs does not depend on who was there before.
      const again = await backend.score(sequences, { session: 'limit, again' });
      if (expected.overLimit !== null) expect(again.tokensEvaluated).toBe(tokensEvaluated);
      if (tokensEvaluated === null) return;
      expect(tokensEvaluated).toBeLessThanOrEqual(computed);
      if (expected.overLimit !== null) expect(tokensEvaluated / computed).toBeGreaterThan(0.98);
    });

    test('live, turn by turn, an episode costs little more than at once, and scores the same', async () => {
      const id = 'live';
      const all = await sequencesOfTalk(backend, id, TURNS);
      const atOnce = await backend.score(all, { session: 'not-live' });
      const before = await subject.computed?.();
      let told: number | null = 0;
      const rows: (readonly number[])[] = [];
      for (let at = 0; at < all.length; at += 2) {
        const { logprobs, tokensEvaluated } = await backend.score(all.slice(at, at + 2), { session: id });
        rows.push(...logprobs);
        told = tokensEvaluated === null || told === null ? null : told + tokensEvaluated;
      }
      expect(worst(rows, atOnce.logprobs)).toBeLessThanOrEqual(exact ? 0 : tolerance);
      const computed = before === undefined ? told : ((await subject.computed?.()) ?? 0) - before;
      if (computed === null || expected.liveOverLimit === null) return;
      expect(computed / causalLimit(all)).toBeLessThanOrEqual(expected.liveOverLimit);
    });

    test('what cannot be known is null, with a reason', async () => {
      const scored: ScoredEpisode[] = [];
      const run = { backend, options: DEFAULT_SCORE_OPTIONS };
      const { contextSize } = await backend.facts();
      const long = writeTalk('long', 2);
      long.messages[1] = { role: 'assistant', content: 'far too much to read '.repeat(Math.ceil(contextSize / 4)) };
      for await (const episode of scoreTranscripts([writeTalk('null', TURNS), long], run)) scored.push(episode);
      const [usual, tooLong] = scored.map(({ turns }) => turns);
      expect(usual?.map(({ null_reason: reason }) => reason)).toEqual([
        null,
        null,
        null,
        'empty_reply',
        null,
        'no_next_action',
      ]);
      for (const { gain, null_reason: reason } of usual ?? []) expect(gain === null).toBe(reason !== null);
      expect(tooLong?.map(({ gain, null_reason: reason }) => [gain, reason])).toEqual([
        [null, 'too_long'],
        [null, 'too_long'],
        [null, 'no_next_action'],
      ]);
    });

    test('a sequence that is too long, and an id outside the vocabulary, are named before any number', async () => {
      const { contextSize } = await backend.facts();
      const [letter = 0] = (await backend.tokenize(['x']))[0] ?? [];
      const long = Array.from({ length: contextSize + 1 }, () => letter);
      const asked = subject.asked?.();
      await expect(backend.score([{ ids: long, from: 5, to: contextSize + 1 }])).rejects.toMatchObject({
        reason: 'too_long',
      });
      expect(subject.asked?.()).toBe(asked);
      const strangely = (strange: number): Promise<unknown> =>
        backend.score([{ ids: [letter, letter, strange, letter], from: 1, to: 4 }]);
      await expect(strangely(99_999_999)).rejects.toMatchObject({ reason: 'bad_token' });
      for (const strange of [-1, 1.5]) await expect(strangely(strange)).rejects.toBeInstanceOf(TurnwiseError);
      // One less is not too long, and it goes on.
      const { logprobs } = await backend.score([{ ids: long.slice(1), from: contextSize - 3, to: contextSize }]);
      expect(logprobs.map(({ length }) => length)).toEqual([3]);
      expect((await backend.score(sequences.slice(0, 1))).logprobs).toHaveLength(1);
    });

    test('leaving is prompt, and the next request is answered', async () => {
      const stopped = AbortSignal.abort();
      await expect(backend.score(sequences, { signal: stopped })).rejects.toMatchObject({ reason: 'aborted' });
      const leaving = new AbortController();
      const scoring = backend.score(sequences, { signal: leaving.signal, session: 'left' });
      setImmediate(() => {
        leaving.abort();
      });
      await expect(scoring).rejects.toMatchObject({ reason: 'aborted' });
      const { logprobs } = await backend.score(sequences, { session: 'left' });
      const again = await backend.score(sequences, { session: 'not left' });
      expect(worst(logprobs, again.logprobs)).toBeLessThanOrEqual(exact ? 0 : tolerance);
    });

    if (expected.locked) {
      test('a wrong key is named', async () => {
        const locked = subject.reopen({ apiKey: 'not-the-key' });
        await expect(locked.facts()).rejects.toMatchObject({ reason: 'unauthorized' });
      });
    }

    if (expected.named) {
      test('another model than the one that is served is named', async () => {
        await expect(subject.reopen({ model: 'another' }).facts()).rejects.toMatchObject({ reason: 'unknown_model' });
      });
    }

    test('its plan and its limit are known before anything is scored', async () => {
      const { limit, tokens } = await planTalk(backend, writeTalk('planned', 3));
      expect(limit).toBeLessThan(tokens);
    });
  });
}
