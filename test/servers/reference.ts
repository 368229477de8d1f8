import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { startEngine } from '../../src/app/engine-process.ts';
import { DEFAULT_SCORE_OPTIONS, planTranscripts, scoreTranscripts } from '../../src/app/score.ts';
import { openEngineBackend } from '../../src/backends/engine.ts';
import type { Backend, ScoreSequence } from '../../src/core/backend.ts';
import { sequencesOf } from '../../src/core/plan/plan.ts';
import { scoredEpisodeSchema } from '../../src/core/scored-episode.ts';
import { renderChat } from '../../src/core/render-chat.ts';
import type { Transcript } from '../../src/core/transcript.ts';
import { writeConversations } from './conversations.ts';
import { RESULTS } from './prepared.ts';

const run = promisify(execFile);

export const CONVERSATIONS = 50;
const FILE = join(RESULTS, 'reference.json');
const ENGINE_ENTRY = resolve(import.meta.dirname, '../../src/engine.ts');
const TRANSFORMERS = join(import.meta.dirname, 'python/reference.py');
const TRANSFORMERS_TIMEOUT_MS = 300_000;

const rowsSchema = z.array(z.array(z.number()));
const referenceSchema = z.object({
  /** Versions that computed `transformers`; null where it could not be had. */
  by: z.string().nullable(),
  /** The rendered conversations, token by token. */
  conversations: z.array(z.array(z.int())),
  /** Per conversation: log-probs of its tokens from the second on, in nats. */
  wholes: z.object({ engine: rowsSchema, transformers: rowsSchema.nullable() }),
  /** The engine's scores of the conversations, with its gains. */
  scored: z.array(scoredEpisodeSchema),
  /** Factual and masked score of every scored turn, conversation by conversation, in the order of the plan. */
  actions: z.object({ engine: rowsSchema, transformers: rowsSchema.nullable() }),
});
/** What two other implementations say about the same tokens. */
export type Reference = z.infer<typeof referenceSchema>;

export function readReference(): Reference {
  return referenceSchema.parse(JSON.parse(readFileSync(FILE, 'utf8')));
}

/** Scores the conversations by the engine and, where there is one, by transformers, and keeps the result for the suites. */
export async function writeReference(
  torch: { readonly python: string; readonly folder: string } | null,
  say: (line: string) => void,
): Promise<void> {
  const transcripts = await writeConversations(CONVERSATIONS);
  const engine = await startEngine({ entry: ENGINE_ENTRY, threads: 1 });
  try {
    const backend = openEngineBackend(engine);
    const wholes = await wholeConversations(backend, transcripts);
    const scored = await collect(scoreTranscripts(transcripts, { backend, options: DEFAULT_SCORE_OPTIONS }));
    const actions = await plannedSequences(backend, transcripts);
    const { logprobs } = await backend.score(wholes);
    const all = [...wholes, ...actions];
    const other = torch === null ? null : await scoreByTransformers(torch, all);
    const reference: Reference = {
      by: other?.by ?? null,
      conversations: wholes.map(({ ids }) => [...ids]),
      wholes: {
        engine: logprobs.map((row) => [...row]),
        transformers: other?.rows.slice(0, wholes.length) ?? null,
      },
      scored,
      actions: {
        engine: scored.flatMap(({ turns }) =>
          turns.flatMap(({ logp_factual, logp_masked }) =>
            logp_factual && logp_masked ? [logp_factual, logp_masked] : [],
          ),
        ),
        transformers: other?.rows.slice(wholes.length) ?? null,
      },
    };
    writeFileSync(FILE, JSON.stringify(reference));
    const tokens = wholes.reduce((sum, { ids }) => sum + ids.length, 0);
    say(
      `${transcripts.length} conversations of ${tokens} tokens scored by the engine${other ? ` and by ${other.by}` : ''}`,
    );
  } finally {
    await engine.close();
  }
}

async function wholeConversations(backend: Backend, transcripts: readonly Transcript[]): Promise<ScoreSequence[]> {
  const { template } = await backend.facts();
  const texts = transcripts.map(({ messages }) => renderChat(template, messages, { addGenerationPrompt: false }));
  return (await backend.tokenize(texts)).map((ids) => ({ ids, from: 1, to: ids.length }));
}

async function plannedSequences(backend: Backend, transcripts: readonly Transcript[]): Promise<ScoreSequence[]> {
  const planned = await collect(planTranscripts(transcripts, { backend, options: DEFAULT_SCORE_OPTIONS }));
  return planned.flatMap(({ plan }) => sequencesOf(plan.turns));
}

/** All that a generator gives, in order. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Rows parallel to the scored positions of each sequence, in the distribution sampled at `temperature`. */
export async function scoreByTransformers(
  { python, folder }: { readonly python: string; readonly folder: string },
  sequences: readonly ScoreSequence[],
  temperature = 1,
): Promise<{ by: string; rows: number[][] }> {
  const asked = join(RESULTS, 'sequences.json');
  const answer = join(RESULTS, 'transformers.json');
  writeFileSync(asked, JSON.stringify(sequences.map(({ ids }) => ids)));
  const args = [TRANSFORMERS, folder, asked, answer, String(temperature)];
  await run(python, args, { timeout: TRANSFORMERS_TIMEOUT_MS, env: { ...process.env, PYTHONDONTWRITEBYTECODE: '' } });
  const { by, logprobs } = z
    .object({ by: z.string(), logprobs: rowsSchema })
    .parse(JSON.parse(readFileSync(answer, 'utf8')));
  return { by, rows: sequences.map(({ from, to }, at) => logprobs[at]?.slice(from - 1, to - 1) ?? []) };
}
