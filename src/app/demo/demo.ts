import type { Backend, ChatBackend, ScorerFacts } from '../../core/backend.ts';
import { creditBatch } from '../../core/credit/credit.ts';
import type { Ledger } from '../../core/credit/ledger.ts';
import { resolveCreditOptions } from '../../core/credit/options.ts';
import { exportedCredit, exportedOutcome } from '../../core/dataset/export-episode.ts';
import type { EpisodeState } from '../../core/episode-state.ts';
import type { ScoredEpisode } from '../../core/scored-episode.ts';
import { toTranscript } from '../../core/to-transcript.ts';
import type { Journal } from '../../store/journal.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { DEFAULT_SCORE_OPTIONS, scoreTranscripts } from '../score.ts';
import { drawTasks } from './draw.ts';
import { playEpisode } from './play.ts';
import type { TaskFile } from './tasks.ts';

/** What a demo runs on; whoever opened these closes them. */
export interface DemoPorts {
  readonly scorer: Backend;
  readonly chat: ChatBackend;
  readonly sandbox: Sandbox;
  readonly journal: Journal;
  readonly tasks: TaskFile;
}

export interface DemoRun {
  readonly seed: number;
  readonly episodes: number;
  readonly signal?: AbortSignal | undefined;
  /** Called as things get done, at least once per conversation. */
  readonly onProgress?: ((step: 'playing' | 'scoring', done: number, what: string) => void) | undefined;
}

/** Everything a demo found out, conversation by conversation in the order of play; the three lists are parallel. */
export interface DemoResult {
  readonly facts: ScorerFacts;
  readonly states: readonly EpisodeState[];
  readonly scored: readonly ScoredEpisode[];
  readonly ledgers: readonly Ledger[];
}

/**
 * Plays, scores and credits conversations between the model and a simulated developer. The same seed gives the same tasks,
 * the same sampling seeds and the same replies, so on the same engine the same text. Throws what playing and scoring throw;
 * what was played until then is in the journal.
 */
export async function runDemo(ports: DemoPorts, { seed, episodes, signal, onProgress }: DemoRun): Promise<DemoResult> {
  const { scorer, tasks, sandbox } = ports;
  // Python starts while the model talks; a failure to start is thrown by the first proposal.
  void sandbox.warm().catch(() => undefined);
  const facts = await scorer.facts(signal);
  const states: EpisodeState[] = [];
  for (const [at, task] of drawTasks(tasks.tasks, { seed, episodes }).entries()) {
    signal?.throwIfAborted();
    const play = { ...ports, signal, takesAgentPrompt: facts.takesAgentPrompt };
    states.push(await playEpisode(play, task, `${seed}/${at}`));
    onProgress?.('playing', states.length, `${states.reduce((sum, { turns }) => sum + turns.length, 0)} turns`);
  }
  const scored: ScoredEpisode[] = [];
  const transcripts = states.map((state) => ({ ...toTranscript(state), outcome: exportedOutcome(state).value }));
  const run = { backend: scorer, options: DEFAULT_SCORE_OPTIONS, signal };
  for await (const episode of scoreTranscripts(transcripts, run)) {
    scored.push(episode);
    onProgress?.('scoring', scored.length, `${sumOf(scored, ({ tokens_evaluated }) => tokens_evaluated) ?? 0} tokens`);
  }
  const options = resolveCreditOptions({}, scored[0]?.placebo ?? null);
  const batch = states.map((state, at) => {
    const scores = scored[at];
    if (scores === undefined) throw new Error(`Episode ${state.id} was not scored.`);
    return exportedCredit(state, scores);
  });
  return { facts, states, scored, ledgers: creditBatch(batch, options) };
}

/** Sum over a list, null as soon as one value is unknown. */
export function sumOf<T>(items: readonly T[], value: (item: T) => number | null): number | null {
  return items.reduce<number | null>((sum, item) => {
    const one = value(item);
    return sum === null || one === null ? null : sum + one;
  }, 0);
}
