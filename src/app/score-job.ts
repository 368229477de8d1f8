import type { Backend, ScorerFacts } from '../core/backend.ts';
import { fittingScores } from '../core/dataset/export-episode.ts';
import { TurnwiseError } from '../core/error.ts';
import type { EpisodeState } from '../core/episode-state.ts';
import { reduce } from '../core/reduce.ts';
import type { ScoredEpisode, ScoreOptions } from '../core/scored-episode.ts';
import { toScorable } from '../core/to-transcript.ts';
import type { Journal } from '../store/journal.ts';
import { cachedScorer } from './cached-scorer.ts';
import { calibratedScorer } from './calibrated-scorer.ts';
import { scoreKeys } from './score-store.ts';
import { scoreTranscripts } from './score.ts';

/** How one episode of a store is scored. */
export interface JobRun {
  readonly journal: Journal;
  readonly connect: (signal: AbortSignal) => Promise<Backend>;
  /** The scorer is on another machine: only what may leave this one is sent there. */
  readonly remote: boolean;
  readonly options: ScoreOptions;
  readonly signal: AbortSignal;
  /** Called once the scorer is connected, before anything is asked of it. */
  readonly onConnected: (facts: ScorerFacts) => void;
}

/** Scores one episode with what is in the cache already. Throws the scorer's own error where a turn could not be scored. */
export async function scoreJob(episodeId: string, run: JobRun): Promise<ScoredEpisode> {
  const { journal, options, signal } = run;
  const state = reduce(journal.read(episodeId));
  if (state.skippedEvents > 0) throw newer();
  if (run.remote && !mayLeave(state)) throw forbidden();
  const failures: Error[] = [];
  const backend = calibratedScorer(
    cachedScorer(witnessed(await run.connect(signal), failures), journal),
    journal.calibrations,
  );
  const facts = await backend.facts(signal);
  run.onConnected(facts);
  // An export may have scored it meanwhile.
  const { scorerKey, optionsKey } = scoreKeys(facts.identity, options);
  const known = fittingScores(state, journal.getScored(episodeId, scorerKey, optionsKey));
  if (known !== null) return known;
  for await (const scored of scoreTranscripts([toScorable(state)], { backend, options, signal })) {
    const failed = scored.turns.find((turn) => turn.null_reason === 'backend_failed');
    if (failed === undefined) return scored;
    throw failures.at(-1) ?? new TurnwiseError('backend', 'backend_failed', failed.null_detail ?? 'The scorer failed.');
  }
  throw new Error('One conversation was given and none was scored.');
}

/** Whether an episode may be sent to another machine (design, privacy): `local-only` forbids that for a scorer as well. */
export function mayLeave({ consent, source }: Pick<EpisodeState, 'consent' | 'source'>): boolean {
  return consent.scope === 'exportable' || (source === 'simulated' && consent.scope !== 'excluded');
}

function forbidden(): TurnwiseError {
  return new TurnwiseError(
    'usage',
    'consent_forbids',
    'This conversation may not leave this machine, and the scorer is on another; mark it exportable, or choose the local engine as scorer.',
  );
}

/** Passing: another worker on the same store may be newer. */
function newer(): TurnwiseError {
  return new TurnwiseError(
    'environment',
    'newer_events',
    'A newer Turnwise went on with this conversation, so it is not scored here; update Turnwise.',
  );
}

/** The scorer, with its failures kept: a scored episode has only their words, and what to do next depends on the reason. */
function witnessed(backend: Backend, failures: Error[]): Backend {
  return {
    name: backend.name,
    facts: (signal) => backend.facts(signal),
    tokenize: (texts, signal) => backend.tokenize(texts, signal),
    detokenize: (ids, signal) => backend.detokenize(ids, signal),
    close: () => backend.close(),
    score: async (sequences, request) => {
      try {
        return await backend.score(sequences, request);
      } catch (thrown) {
        if (thrown instanceof Error) failures.push(thrown);
        throw thrown;
      }
    },
  };
}
