import { creditBatch } from '../../src/core/credit/credit.ts';
import { creditEpisodeOf } from '../../src/core/credit/from-score.ts';
import { resolveCreditOptions } from '../../src/core/credit/options.ts';
import type { EventBody } from '../../src/core/event.ts';
import { reduce } from '../../src/core/reduce.ts';
import type { ReviewSources } from '../../src/core/review-view.ts';
import { scoredEpisodeSchema, type ScoredEpisode } from '../../src/core/scored-episode.ts';
import { generationOf, started, stored } from './event-arbitrary.ts';

/** Log-probs of one next action with the reply and with the placeholder. */
export type Pair = readonly [factual: readonly number[], masked: readonly number[]];

/** One question a turn, and what came back; null: nothing yet. */
export function exchanges(replies: readonly (string | null)[]): EventBody[] {
  return replies.flatMap((reply, turn): EventBody[] => [
    { type: 'action_started', turn, pid: 1 },
    { type: 'action_asked', turn, question: `Q${turn}?`, options: [], generation: generationOf(`Q${turn}?`) },
    ...(reply === null
      ? []
      : [
          {
            type: 'observed',
            turn,
            kind: 'typed',
            text: reply,
            options_shown: [],
            option: null,
            latency_ms: 1,
          } as const,
        ]),
  ]);
}

/** A conversation in which every turn got this reply, and one last question none. */
export function talk(id: string, replies: readonly string[], more: readonly EventBody[] = []): ReviewSources['state'] {
  const turns = exchanges([...replies, null]);
  const request: EventBody = { type: 'request_accepted', text: `Task of ${id}.` };
  return reduce(stored([{ ...started, max_turns: 999 }, request, ...turns, ...more], id));
}

/** That conversation as it was scored. */
export function scoredTalk(
  id: string,
  pairs: readonly (Pair | null)[],
  more: Partial<ScoredEpisode> = {},
): ScoredEpisode {
  const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
  const turns = [...pairs, null].map((pair, index) => {
    const total = pair === null ? null : sum(pair[0].map((value, j) => value - (pair[1][j] ?? 0)));
    const previous = pairs[index - 1];
    return {
      index,
      tokens: 4,
      gain: pair === null || total === null ? null : total / pair[0].length,
      gain_sum: total,
      null_reason: pair !== null ? null : index === pairs.length ? 'no_next_action' : 'straddle',
      action_ids: previous == null ? [1] : previous[0].map((_, j) => j),
      next_from: pair === null ? null : 3,
      mask_ids: pair === null ? null : [7, 8, 8],
      mask_truncated: false,
      factual_ids_sha: pair === null ? null : 'f',
      masked_ids_sha: pair === null ? null : 'm',
      logp_factual: pair?.[0] ?? null,
      logp_masked: pair?.[1] ?? null,
    };
  });
  return scoredEpisodeSchema.parse({
    schema: 'turnwise-score/1',
    episode_id: id,
    group_id: 'g',
    outcome: 1,
    scorer: { id: 's', revision: 'r', tokenizer_sha: 't', template_sha: null, backend: 'b', version: null },
    placebo: null,
    options: { estimator: 'shift_mean', clip: null, placeholder: 'x', mask_mode: 'length_matched', seed: 0, noise: 0 },
    tokens_evaluated: null,
    tokens_limit: 1,
    turns,
    ...more,
  });
}

/** What a review of the first of these is drawn from: all of them are its batch. */
export function sourcesOf(
  state: ReviewSources['state'],
  rows: readonly ScoredEpisode[],
  more: Partial<ReviewSources> = {},
): ReviewSources {
  const [scored = null] = rows;
  const placebo = scored?.placebo ?? null;
  const ledgers = creditBatch(rows.map(creditEpisodeOf), resolveCreditOptions({}, placebo));
  return {
    state,
    scored,
    ledger: ledgers.find(({ episode_id }) => episode_id === state.id) ?? null,
    progress: null,
    scoredBy: scored === null ? null : { name: 's on b', stale: false },
    scorings: scored === null ? [] : [scored],
    noise: null,
    company: null,
    ...more,
  };
}
