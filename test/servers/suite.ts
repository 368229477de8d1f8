import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_SCORE_OPTIONS, planTranscripts, scoreTranscripts } from '../../src/app/score.ts';
import type { RemoteServer } from '../../src/backends/remote-server.ts';
import type { Backend } from '../../src/core/backend.ts';
import { sequencesOf, type PlannedSequence } from '../../src/core/plan/plan.ts';
import type { ScoredEpisode } from '../../src/core/scored-episode.ts';
import { contractSuite } from '../backends/contract/suite.ts';
import { worstDifference } from './compare.ts';
import { writeConversations, writeLongConversation } from './conversations.ts';
import { computedTokens } from './counters.ts';
import { openFigures } from './figures.ts';
import { readPrepared } from './prepared.ts';
import { reasonMissing, startServer, type RunningServer } from './process.ts';
import { RECIPES, SERVED_MODEL, WRONG_MODEL, type ServerName } from './recipes.ts';
import { collect, CONVERSATIONS, readReference, type Reference } from './reference.ts';

/** What is expected of one kind of server. */
export interface Expectations {
  readonly name: ServerName;
  readonly open: (server: RemoteServer) => Backend;
  /** Largest difference of a log-prob and of a gain, in nats. */
  readonly tolerance: number;
  /** Most tokens it may compute, as a multiple of the causal limit; null where that is printed and no more. */
  readonly limit: number | null;
}

/** A running server as the suites beside this one use it. */
export interface Subject {
  readonly server: () => RunningServer;
  readonly backend: () => Backend;
  readonly remote: () => RemoteServer;
  readonly reference: () => Reference;
  readonly figures: ReturnType<typeof openFigures>;
}

const GAIN_TOLERANCE = 2e-3;
const LONG = [4, 8, 16];

/**
 * Starts the real server and holds its numbers against two other implementations, and its work against the causal limit.
 * `more` adds what is to be shown of this server alone. Where the server cannot be had there is one test, skipped with the
 * reason, or failed where SERVERS=required.
 */
export function serverSuite({ name, open, tolerance, limit }: Expectations, more: (subject: Subject) => void): void {
  const { title, version } = RECIPES[name];
  const missing = reasonMissing(name);
  if (missing !== null) {
    test(`${title} ${version} can be had`, (context) => {
      if (process.env['SERVERS'] === 'required') throw new Error(missing);
      context.skip(missing);
    });
    return;
  }

  describe(`${title} ${version}`, () => {
    const figures = openFigures(name);
    let server: RunningServer;
    let backend: Backend;
    let reference: Reference;
    const remote = (): RemoteServer => ({
      url: server.url,
      model: SERVED_MODEL,
      apiKey: server.apiKey,
      tokenizer: remoteTokenizer(name),
    });

    beforeAll(async () => {
      reference = readReference();
      server = await startServer(name);
      figures.add('ready after', server.startSeconds, 's');
      backend = open(remote());
    });
    afterAll(async () => {
      await backend.close();
      await server.close();
    });

    test('says what it serves, and what would make it score better', async () => {
      const { identity, capabilities, advice, contextSize, template } = await backend.facts();
      expect(identity.id).toBe(SERVED_MODEL);
      expect(contextSize).toBeGreaterThan(4000);
      expect(template.endOfTurn).toContain('<|im_end|>');
      figures.add('reports itself as', `${identity.backend} ${identity.version ?? '(no version)'}`);
      figures.add('capabilities', JSON.stringify(capabilities));
      for (const sentence of advice) figures.add('advice', sentence);
    });

    if (remoteTokenizer(name) !== null) {
      test("the server's own tokenizer and template give the same ids", async () => {
        const own = open({ ...remote(), tokenizer: null });
        const transcripts = (await writeConversations(CONVERSATIONS)).slice(0, 5);
        const idsBy = async (by: Backend): Promise<unknown> => {
          const planned = await collect(planTranscripts(transcripts, { backend: by, options: DEFAULT_SCORE_OPTIONS }));
          return planned.map(({ plan }) => sequencesOf(plan.turns));
        };
        expect(await idsBy(own)).toEqual(await idsBy(backend));
      });
    }

    test(`every token of ${CONVERSATIONS} conversations: the engine and transformers say the same`, async () => {
      const { conversations, wholes, by } = reference;
      const { logprobs } = await backend.score(conversations.map((ids) => ({ ids, from: 1, to: ids.length })));
      const tokens = logprobs.flat().length;
      const engine = worstDifference(wholes.engine, logprobs);
      figures.add(`${tokens} tokens, worst difference from the engine`, engine, 'nats', `<= ${tolerance}`);
      expect(engine).toBeLessThanOrEqual(tolerance);
      if (wholes.transformers === null) return;
      const transformers = worstDifference(wholes.transformers, logprobs);
      figures.add(`the same from ${by ?? ''}`, transformers, 'nats', `<= ${tolerance}`);
      expect(transformers).toBeLessThanOrEqual(tolerance);
      // What this comparison would not forgive.
      const late = logprobs.map((row) => [...row.slice(1), ...row.slice(0, 1)]);
      expect(worstDifference(wholes.engine, late)).toBeGreaterThan(tolerance);
    });

    test(`gains of ${CONVERSATIONS} conversations, and the tokens behind them`, async () => {
      const { concurrency } = (await backend.facts()).capabilities;
      const transcripts = await writeConversations(CONVERSATIONS);
      const run = { backend, options: DEFAULT_SCORE_OPTIONS, concurrency };
      const before = await computedTokens(name, server);
      const scored = await collect(scoreTranscripts(transcripts, run));
      const computed = (await computedTokens(name, server)) - before;

      expect(scored.map(shasOf)).toEqual(reference.scored.map(shasOf));
      const rows = scored.flatMap(rowsOf);
      expect(rows.length).toBeGreaterThan(300);
      const engine = worstDifference(reference.actions.engine, rows);
      expect(engine).toBeLessThanOrEqual(tolerance);
      if (reference.actions.transformers !== null) {
        expect(worstDifference(reference.actions.transformers, rows)).toBeLessThanOrEqual(tolerance);
      }
      const gains = worstDifference(reference.scored.map(gainsOf), scored.map(gainsOf));
      figures.add(`${rows.length / 2} gains, worst difference from the engine`, gains, 'nats', `<= ${GAIN_TOLERANCE}`);
      expect(gains).toBeLessThanOrEqual(GAIN_TOLERANCE);
      const causal = scored.reduce((sum, { tokens_limit }) => sum + tokens_limit, 0);
      figures.add('tokens computed / causal limit, short conversations', computed / causal);
    });

    test.each(LONG)('%i turns: tokens computed over the causal limit, by its own counters', async (turns) => {
      const { plan, sequences } = await planLong(backend, turns);
      const before = await computedTokens(name, server);
      const started = performance.now();
      const { tokensEvaluated } = await backend.score(sequences, { session: `long-${turns}` });
      const seconds = (performance.now() - started) / 1000;
      const computed = (await computedTokens(name, server)) - before;
      const naive = await fullPasses(backend, sequences);

      const shape = `T = ${turns}`;
      const kept = limit === null ? undefined : `<= ${limit}`;
      const ratio = computed / plan.limit;
      figures.add(`${shape}: tokens computed / causal limit of ${plan.limit}`, ratio, '', kept);
      const fewer = (naive.tokens / plan.limit).toFixed(1);
      figures.add(
        `${shape}: wall clock of ${turns + 1} full passes over ours`,
        naive.seconds / seconds,
        'x',
        `${fewer} x by tokens`,
      );
      if (limit !== null) expect(ratio).toBeLessThanOrEqual(limit);
      // What the client says that the server did.
      if (tokensEvaluated !== null) expect(Math.abs(tokensEvaluated / computed - 1)).toBeLessThan(0.02);
    });

    test('a wrong key, and the name of another model, are named', async () => {
      const locked = open({ ...remote(), apiKey: 'not-the-key' });
      await expect(locked.facts()).rejects.toMatchObject({ reason: 'unauthorized' });
      const other = open({ ...remote(), model: WRONG_MODEL });
      await expect(other.facts()).rejects.toMatchObject({ reason: 'unknown_model' });
    });

    contractSuite(
      `${title} ${version}, the real one`,
      () =>
        Promise.resolve({
          backend: open(remote()),
          reopen: (changes) => open({ ...remote(), ...changes }),
          computed: () => computedTokens(name, server),
          close: () => Promise.resolve(),
        }),
      { exact: false, tolerance, overLimit: null, liveOverLimit: null, locked: true, named: true },
    );

    more({ server: () => server, backend: () => backend, remote, reference: () => reference, figures });

    test('killed while it scores, it is a named failure; started again, it is scored on', async () => {
      const { sequences } = await planLong(backend, 16);
      const scoring = backend.score(sequences, { session: 'killed' });
      const failed = expect(scoring).rejects.toMatchObject({
        reason: expect.stringMatching(/^(connection_lost|unreachable|cut_off)$/) as string,
      });
      await server.kill();
      await failed;
      await expect(backend.score(sequences.slice(0, 1))).rejects.toMatchObject({ reason: 'unreachable' });

      server = await startServer(name, server);
      const { conversations, wholes } = reference;
      const ids = conversations[0] ?? [];
      const { logprobs } = await backend.score([{ ids, from: 1, to: ids.length }]);
      expect(worstDifference(wholes.engine.slice(0, 1), logprobs)).toBeLessThanOrEqual(tolerance);
    });
  });
}

/** The folder with the toy's tokenizer; llama.cpp's server has it in its one file and offers it itself. */
function remoteTokenizer(name: ServerName): string | null {
  return name === 'llama-server' ? null : readPrepared().weights.folder;
}

async function planLong(
  backend: Backend,
  turns: number,
): Promise<{ plan: { readonly limit: number }; sequences: PlannedSequence[] }> {
  const transcripts = [await writeLongConversation(turns)];
  for await (const { plan } of planTranscripts(transcripts, { backend, options: DEFAULT_SCORE_OPTIONS })) {
    const sequences = sequencesOf(plan.turns);
    expect(sequences).toHaveLength(2 * turns);
    return { plan, sequences };
  }
  throw new Error('Nothing was planned.');
}

/** The plain way: the whole conversation once, and once more for every masked reply, each from its first token. */
async function fullPasses(
  backend: Backend,
  sequences: readonly PlannedSequence[],
): Promise<{ seconds: number; tokens: number }> {
  const factual = sequences.filter((_, at) => at % 2 === 0);
  const masked = sequences.filter((_, at) => at % 2 === 1);
  const last = factual.at(-1);
  const passes = [...(last ? [{ ...last, from: factual[0]?.from ?? 1 }] : []), ...masked];
  const started = performance.now();
  for (const [at, sequence] of passes.entries()) {
    await backend.score([sequence], { session: `full-pass-${sequences.length}-${at}` });
  }
  return {
    seconds: (performance.now() - started) / 1000,
    tokens: passes.reduce((sum, { ids }) => sum + ids.length, 0),
  };
}

const shasOf = ({ episode_id, turns }: ScoredEpisode): unknown => [
  episode_id,
  turns.map(({ factual_ids_sha, masked_ids_sha, null_reason }) => [factual_ids_sha, masked_ids_sha, null_reason]),
];

const rowsOf = ({ turns }: ScoredEpisode): number[][] =>
  turns.flatMap(({ logp_factual, logp_masked }) => (logp_factual && logp_masked ? [logp_factual, logp_masked] : []));

/** Gains in nats, without those that are unknown. */
export const gainsOf = ({ turns }: ScoredEpisode): number[] =>
  turns.flatMap(({ gain }) => (gain === null ? [] : [gain]));
