import type { Backend, ChatBackend, ScorerFacts } from '../../core/backend.ts';
import { creditBatch } from '../../core/credit/credit.ts';
import type { Ledger } from '../../core/credit/ledger.ts';
import { exportedCredit, exportedOutcome } from '../../core/dataset/export-episode.ts';
import type { EpisodeState } from '../../core/episode-state.ts';
import type { ScoredEpisode } from '../../core/scored-episode.ts';
import { toTranscript } from '../../core/to-transcript.ts';
import type { Journal } from '../../store/journal.ts';
import { exportDataset, type ExportSummary } from '../export.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { DEFAULT_SCORE_OPTIONS, scoreTranscripts } from '../score.ts';
import { verifyDataset, type VerifyReport } from '../verify.ts';
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

export type DemoStep = 'playing' | 'scoring' | 'exporting';

export interface DemoRun {
  readonly seed: number;
  readonly episodes: number;
  /** Folder for the dataset. */
  readonly dataset: string;
  readonly signal?: AbortSignal | undefined;
  /** Called as things get done, at least once per conversation. */
  readonly onProgress?: ((step: DemoStep, done: number, total: number, what: string) => void) | undefined;
}

/** Everything a demo found out, conversation by conversation in the order of play; the three lists are parallel. */
export interface DemoResult {
  readonly facts: ScorerFacts;
  readonly states: readonly EpisodeState[];
  readonly scored: readonly ScoredEpisode[];
  readonly ledgers: readonly Ledger[];
  readonly exported: ExportSummary;
  readonly verified: VerifyReport;
}

/**
 * Plays conversations between the model and a simulated developer, scores and credits them, exports them and verifies what
 * was exported. The same seed gives the same tasks, the same sampling seeds and the same replies, so on the same engine the
 * same text. Throws what the steps throw; what was played until then is in the journal.
 */
export async function runDemo(ports: DemoPorts, run: DemoRun): Promise<DemoResult> {
  const { scorer, sandbox, journal } = ports;
  // Python starts while the model talks; a failure to start is thrown by the first proposal.
  void sandbox.warm().catch(() => undefined);
  const facts = await scorer.facts(run.signal);
  const states = await play(ports, facts, run);
  const scored = await score(scorer, states, run);
  const rows = new Map(scored.map((row) => [row.episode_id, row]));
  const exported = await exportDataset({
    // A store may hold more than this demo; its dataset does not.
    journal: { ...journal, episodes: () => journal.episodes().filter(({ id }) => rows.has(id)) },
    scoredOf: ({ id }) => rows.get(id) ?? null,
    out: run.dataset,
    notice: facts.notice,
    signal: run.signal,
    onProgress: (done, total) => run.onProgress?.('exporting', done, total, ''),
  });
  const verified = await verifyDataset(run.dataset);
  const batch = states.flatMap((state) => {
    const row = rows.get(state.id);
    return row === undefined ? [] : [exportedCredit(state, row)];
  });
  const options = exported.manifest.credit_options;
  const ledgers = options === null ? [] : creditBatch(batch, options);
  return { facts, states, scored, ledgers, exported, verified };
}

async function play(ports: DemoPorts, { takesAgentPrompt }: ScorerFacts, run: DemoRun): Promise<EpisodeState[]> {
  const { seed, episodes, signal, onProgress } = run;
  const states: EpisodeState[] = [];
  let turns = 0;
  const tell = (): void => onProgress?.('playing', states.length, episodes, `${turns} turns`);
  const onTurn = (): void => {
    turns += 1;
    tell();
  };
  for (const [at, task] of drawTasks(ports.tasks.tasks, { seed, episodes }).entries()) {
    signal?.throwIfAborted();
    states.push(await playEpisode({ ...ports, signal, takesAgentPrompt, onTurn }, task, `${seed}/${at}`));
    tell();
  }
  return states;
}

async function score(
  backend: Backend,
  states: readonly EpisodeState[],
  { signal, onProgress }: DemoRun,
): Promise<ScoredEpisode[]> {
  const scored: ScoredEpisode[] = [];
  const transcripts = states.map((state) => ({ ...toTranscript(state), outcome: exportedOutcome(state).value }));
  for await (const episode of scoreTranscripts(transcripts, { backend, options: DEFAULT_SCORE_OPTIONS, signal })) {
    scored.push(episode);
    const tokens = sumOf(scored, ({ tokens_evaluated }) => tokens_evaluated);
    onProgress?.('scoring', scored.length, states.length, tokens === null ? '' : `${tokens} tokens`);
  }
  return scored;
}

/** Sum over a list, null as soon as one value is unknown. */
export function sumOf<T>(items: readonly T[], value: (item: T) => number | null): number | null {
  return items.reduce<number | null>((sum, item) => {
    const one = value(item);
    return sum === null || one === null ? null : sum + one;
  }, 0);
}
