import { join } from 'node:path';
import type { Token } from 'node-llama-cpp';
import type { ScoreSequence } from '../../src/core/backend.ts';
import { bundledModel, startEngine, type RunningEngine } from '../../src/app/engine-process.ts';
import { loadModel, type LoadedModel } from '../../src/engine/load-model.ts';

/** The engine from its sources, so that a test never meets yesterday's bundle. */
export const ENGINE_ENTRY = join(import.meta.dirname, '../../src/engine.ts');

/** One thread: several suites run at once, and threads that wait for each other suffer most. */
const THREADS = 1;

export function loadToy(): Promise<LoadedModel> {
  return loadModel({ modelPath: bundledModel(), threads: THREADS });
}

export function startToy(options: { readonly contextSize?: number } = {}): Promise<RunningEngine> {
  return startEngine({ ...options, entry: ENGINE_ENTRY, threads: THREADS });
}

/** Ids of a text, special tokens recognised. */
export function idsOf({ model }: LoadedModel, text: string): number[] {
  return model.tokenize(text, true);
}

/**
 * The slow, plain way to score: a context of its own for the sequence, one pass, no cache, nothing shared with the engine's
 * code. For sequences that fit into one batch.
 */
export async function naiveScore({ model, threads }: LoadedModel, { ids, from, to }: ScoreSequence): Promise<number[]> {
  const context = await model.createContext({
    contextSize: 2048,
    batchSize: 2048,
    flashAttention: false,
    threads,
    experimentalKvCacheKeyType: 'F32',
    experimentalKvCacheValueType: 'F32',
  });
  try {
    const out = await context.getSequence().controlledEvaluate(
      ids.slice(0, -1).map((id, at) => [
        id as Token,
        {
          generateNext: {
            logits: { filter: { tokens: [ids[at + 1] as Token], includeSelected: true } },
            totalLogitWeight: true,
          },
        },
      ]),
    );
    return Array.from({ length: to - from }, (_, k) => {
      const next = out[from + k - 1]?.next;
      const logits = next?.logits ?? new Map<Token, number>();
      const asked = logits.get(ids[from + k] as Token) ?? Number.NaN;
      // The same order of additions as in the engine; another one differs by 1e-15.
      return asked - (Math.max(...logits.values()) + Math.log(next?.totalLogitWeight ?? Number.NaN));
    });
  } finally {
    await context.dispose();
  }
}

/** Factual and masked sequences of an invented conversation with `turns` replies, as a planner lays them out. */
export function inventPlan(
  loaded: LoadedModel,
  turns: number,
  mask: (reply: readonly number[]) => readonly number[] = (reply) => reply.map((_, k) => 200 + (k % 7)),
): ScoreSequence[] {
  const ids = (text: string): number[] => idsOf(loaded, text);
  const replies = ['skip them', 'use two digits, please', 'raise a ValueError', 'call it total', 'newest first', 'yes'];
  const context = ids('<|im_start|>user\nSum up a list of prices.<|im_end|>\n<|im_start|>assistant\nHow?<|im_end|>\n');
  const sequences: ScoreSequence[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const reply = ids(replies[turn % replies.length] ?? '');
    const tail = ids('<|im_end|>\n<|im_start|>assistant\n');
    const action = ids(`Noted: ${replies[turn % replies.length] ?? ''}. What about case ${turn}?<|im_end|>`);
    context.push(...ids('<|im_start|>user\n'));
    for (const shown of [reply, mask(reply)]) {
      const before = [...context, ...shown, ...tail];
      sequences.push({ ids: [...before, ...action], from: before.length, to: before.length + action.length });
    }
    context.push(...reply, ...tail, ...action, ...ids('\n'));
  }
  return sequences;
}
