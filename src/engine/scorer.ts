import type { NextTokens, ScoreRequest, ScoreSequence } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';
import { walkTrie, type Run } from '../core/plan/trie.ts';
import { createLane, type Lane } from './lane.ts';
import { createPace } from './pace.ts';
import type { Appended, Track } from './track.ts';

/** Scores as `/score` answers them. */
export interface EngineScores {
  /** Per sequence, parallel to [from, to): nats. */
  readonly logprobs: number[][];
  /** Where they were asked for, parallel to `logprobs`. */
  readonly distributions: NextTokens[][] | null;
  /** Tokens run through the model, those redone to fill a batch included. */
  readonly evaluated: number;
  /** Tokens of the sequences laid end to end, each without its last, that needed no evaluation of their own. */
  readonly reused: number;
  /** Causal limit of the request on an empty cache. */
  readonly limit: number;
}

export interface Scorer {
  readonly contextSize: number;
  score(sequences: readonly ScoreSequence[], request?: ScoreRequest): Promise<EngineScores>;
}

/**
 * Scores on a track of its own, one request at a time, in the order of the trie. The last path stays in the cache, so that a
 * request of the same session that extends it (the next turn of a live conversation) pays only for what is new. `yieldTo`: work that goes
 * first; no batch begins while it runs. It cannot stop a batch that has begun, so `batchMs` bounds how long one takes.
 */
export function createScorer(track: Track, yieldTo: Lane, batchMs = Infinity): Scorer {
  const lane = createLane();
  const pace = createPace(batchMs);
  let held: string | undefined;
  return {
    contextSize: track.contextSize,
    score: (sequences, { signal, session, onProgress, distributions: wanted } = {}) =>
      lane.run(async () => {
        if (!track.canRollBack) throw cannotRollBack();
        if (session !== held) await track.rollBack(0);
        held = session;
        const runs = walkTrie(sequences);
        const into: Slots = {
          logprobs: sequences.map(({ from, to }) => new Array<number>(to - from)),
          distributions:
            wanted === undefined ? null : sequences.map(({ from, to }) => new Array<NextTokens>(to - from)),
        };
        const limit = runs.reduce((sum, run) => sum + run.ids.length, 0);
        let evaluated = 0;
        let needed = 0;
        for (const run of runs) {
          const skip = alreadyCached(track, run);
          const ids = run.ids.slice(skip);
          if (ids.length === 0) continue;
          let began = 0;
          const appended = await track.append(
            run.start + skip,
            ids,
            (offset) => run.wants[skip + offset]?.map((want) => want.token) ?? [],
            {
              signal,
              distributions: wanted,
              beforeBatch: async () => {
                await yieldTo.idle(signal);
                began = performance.now();
              },
              mostTokens: () => pace.mostTokens(),
              onBatch: (tokens) => {
                pace.note(tokens, performance.now() - began);
                evaluated += tokens;
                onProgress?.(evaluated);
              },
            },
          );
          needed += ids.length;
          deliver(run, skip, appended, sequences, into);
        }
        const laid = sequences.reduce((sum, { ids }) => sum + ids.length - 1, 0);
        return { ...into, evaluated, reused: laid - needed, limit };
      }, signal),
  };
}

/**
 * How many ids of a run need no evaluation because an earlier request left them in the cache. Only the first run can profit:
 * every later one starts where the one before it forked. Ids whose next token is asked for are run again.
 */
function alreadyCached(track: Track, run: Run): number {
  const cached = track.cached();
  let skip = 0;
  while (skip < run.ids.length && cached[run.start + skip] === run.ids[skip] && (run.wants[skip]?.length ?? 0) === 0) {
    skip += 1;
  }
  return skip;
}

type Slots = Pick<EngineScores, 'logprobs' | 'distributions'>;

function deliver(run: Run, skip: number, appended: Appended, sequences: readonly ScoreSequence[], into: Slots): void {
  appended.logprobs.forEach((row, offset) => {
    run.wants[skip + offset]?.forEach((want, k) => {
      const value = row[k];
      const next = appended.distributions[offset];
      for (const index of want.sequences) {
        const at = want.position - (sequences[index]?.from ?? 0);
        const slots = into.logprobs[index];
        if (slots && value !== undefined) slots[at] = value;
        const tokens = into.distributions?.[index];
        if (tokens && next) tokens[at] = next;
      }
    });
  });
}

/** What is said of models without a cache that can be rolled back. */
export function cannotRollBack(): TurnwiseError {
  return new TurnwiseError(
    'unsupported',
    'cannot_roll_back',
    'This model keeps a recurrent state that cannot be rolled back, so it can chat but not score; choose a transformer as scorer.',
  );
}
