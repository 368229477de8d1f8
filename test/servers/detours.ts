import { expect, test } from 'vitest';
import { z } from 'zod';
import { pick, seededRandom, type Random } from '../../src/app/demo/random.ts';
import { DEFAULT_SCORE_OPTIONS, planTranscripts } from '../../src/app/score.ts';
import type { RemoteServer } from '../../src/backends/remote-server.ts';
import type { Backend, ScoreSequence } from '../../src/core/backend.ts';
import { TurnwiseError } from '../../src/core/error.ts';
import { inParallel } from '../../src/core/in-parallel.ts';
import type { PlannedSequence } from '../../src/core/plan/plan.ts';
import { worstDifference } from './compare.ts';
import { writeConversations } from './conversations.ts';
import { startMeddler, type Meddling } from './meddler.ts';
import { SERVED_MODEL } from './recipes.ts';
import { collect, CONVERSATIONS } from './reference.ts';
import type { Subject } from './suite.ts';

const DETOURS = 2000;
/** Of the detours, those whose mask is the reply itself: the same sequence twice in one run. */
const SAME = 0.15;
/** Of the runs, those that repeat the run before under the same session. */
const REPEATED = 0.2;
/** Of the answers to detours, those that are lost or turned into a refusal. */
const LOST = 0.05;
const REFUSED = 0.1;
/** Batches of other sizes add in another order; a stale row differs by whole nats. */
const TOLERANCE = 1e-4;
const VOCABULARY = 1536;
const AT_ONCE = 8;
const ATTEMPTS = 12;

/** One scoring run: what an episode's turns ask for, in the order of a plan. */
interface Run {
  readonly session: string;
  readonly sequences: readonly ScoreSequence[];
}

/**
 * Scores detours through a connection that loses answers, so that requests are repeated over a cache that already holds their
 * rows, and compares every number with a pass that reads no cache.
 */
export function detourSuite(open: (server: RemoteServer) => Backend, subject: Subject): void {
  test(`${DETOURS} detours with retries forced at random: every number is that of a fresh full pass`, async () => {
    const random = seededRandom('detours');
    const meddler = await startMeddler(subject.server().url, (path, body) => meddle(random, path, body));
    const backend = open({ ...subject.remote(), url: meddler.url });
    try {
      const runs = await drawRuns(backend, random);
      let wrong = 0;
      let detours = 0;
      let again = 0;
      await inParallel(runs, { width: 3 }, async ({ session, sequences }, signal) => {
        let logprobs: readonly (readonly number[])[] = [];
        for (let attempt = 1; ; attempt += 1) {
          try {
            ({ logprobs } = await backend.score(sequences, { session, signal }));
            break;
          } catch (thrown) {
            // What the queue does: the same job, under the same session, once more.
            if (!(thrown instanceof TurnwiseError) || attempt === ATTEMPTS || signal.aborted) throw thrown;
            again += 1;
          }
        }
        expect(logprobs).toHaveLength(sequences.length);
        await inParallel(sequences.entries(), { width: AT_ONCE, signal }, async ([at, sequence]) => {
          if (at % 2 === 0) return;
          detours += 1;
          const truth = await freshPass(subject.remote(), sequence);
          if (worstDifference([truth], [logprobs[at] ?? []]) > TOLERANCE) wrong += 1;
        });
      });
      const { pass, lose, nan } = meddler.counts;
      subject.figures.add(`wrong numbers in ${detours} detours`, wrong, '', '0');
      subject.figures.add(
        'their requests',
        `${pass + lose + nan}, of which ${lose} answers lost, ${nan} refused on the way back, ${meddler.refused.length} refused by vLLM itself; ${again} runs repeated`,
      );
      expect(wrong).toBe(0);
      expect(detours).toBeGreaterThanOrEqual(DETOURS);
      expect(lose).toBeGreaterThan(0);
      expect(nan).toBeGreaterThan(0);
      const { advice } = await backend.facts();
      expect(advice).toEqual([expect.stringContaining('MALLOC_PERTURB_=255')]);
      subject.figures.add('advice, as a stranger starts it', advice.join(' '));
    } finally {
      await backend.close();
      await meddler.close();
    }
  });
}

function meddle(random: Random, path: string, body: string): Meddling {
  if (!path.startsWith('/inference/') || !body.includes('"skip_reading_prefix_cache":false')) return 'pass';
  const drawn = random();
  return drawn < LOST ? 'lose' : drawn < LOST + REFUSED ? 'nan' : 'pass';
}

/** Runs over the conversations with masks drawn anew each time, until there are enough detours. */
async function drawRuns(backend: Backend, random: Random): Promise<Run[]> {
  const transcripts = await writeConversations(CONVERSATIONS);
  const planned = await collect(planTranscripts(transcripts, { backend, options: DEFAULT_SCORE_OPTIONS }));
  const turns = planned.map(({ plan }) =>
    plan.turns.flatMap((turn) => (turn.nullReason === null ? [turn.factual] : [])),
  );
  const runs: Run[] = [];
  for (let detours = 0; detours < DETOURS;) {
    const last = runs.at(-1);
    const run: Run =
      last && random() < REPEATED
        ? last
        : {
            session: `run-${runs.length}`,
            sequences: pick(random, turns).flatMap((factual) => [factual, mask(factual, random)]),
          };
    runs.push(run);
    detours += run.sequences.length / 2;
  }
  return runs;
}

function mask({ ids, from, to, obsStart, obsEnd }: PlannedSequence, random: Random): ScoreSequence {
  if (random() < SAME) return { ids, from, to };
  const drawn = Array.from({ length: obsEnd - obsStart }, () => 3 + Math.floor(random() * (VOCABULARY - 3)));
  return { ids: [...ids.slice(0, obsStart), ...drawn, ...ids.slice(obsEnd)], from, to };
}

const passSchema = z.object({
  prompt_logprobs: z.array(z.record(z.string(), z.object({ logprob: z.number() })).nullable()),
});

/** Asks vLLM without the product's client, under a salt of its own and without reading its cache. */
async function freshPass({ url, apiKey }: RemoteServer, { ids, from, to }: ScoreSequence): Promise<number[]> {
  const response = await fetch(`${url}/inference/v1/generate`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey ?? ''}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: SERVED_MODEL,
      token_ids: ids,
      cache_salt: crypto.randomUUID(),
      sampling_params: { max_tokens: 1, temperature: 0, detokenize: false, prompt_logprobs: 0 },
    }),
  });
  const rows = passSchema.parse(await response.json()).prompt_logprobs;
  return ids.slice(from, to).map((id, k) => rows[from + k]?.[String(id)]?.logprob ?? Number.NaN);
}
