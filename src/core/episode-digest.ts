import { z } from 'zod';
import { exportedOutcome } from './dataset/export-episode.ts';
import type { EpisodeState, TurnState } from './episode-state.ts';
import { wordsOf } from './gist.ts';
import { MARK_IDS, type MarkId } from './marks/mark.ts';
import { markEpisode, marksOf } from './marks/marks.ts';
import { nullReasonSchema, type NullReason } from './observation.ts';
import { isReviewed, reviewLabelSchema, wentOnSince } from './override.ts';
import { oneLine } from './review.ts';
import type { ScoredEpisode } from './scored-episode.ts';

/** Raised when a digest says something else than before: kept ones are then made anew. */
export const DIGEST_VERSION = 4;

const turnDigestSchema = z.object({
  kind: z.enum(['question', 'answer', 'tool_call']),
  inherited: z.boolean(),
  /** Words that the developer typed or chose in reply; null where nothing came back. */
  words: z.int().nullable(),
  thumb: z.union([z.literal(0), z.literal(1)]).nullable(),
  label: reviewLabelSchema.nullable(),
  excluded: z.boolean(),
});

/** What lists, groups and trends read of an episode instead of its events; no words of it but the title. */
export const episodeDigestSchema = z.object({
  id: z.string(),
  /** What it is called, else its request in one line; null before that. */
  title: z.string().nullable(),
  /** The developer named it. */
  named: z.boolean(),
  startedAt: z.int(),
  source: z.string(),
  groupId: z.string(),
  parent: z.object({ episode_id: z.string(), turn: z.int() }).nullable(),
  /** Models that spoke, each once. */
  models: z.array(z.string()),
  outcome: z.number().nullable(),
  /** It may be exported as it stands. */
  exportable: z.boolean(),
  reviewed: z.boolean(),
  /** It was reviewed, and went on since. */
  changed: z.boolean(),
  excluded: z.boolean(),
  turns: z.array(turnDigestSchema),
});
export type EpisodeDigest = z.infer<typeof episodeDigestSchema>;
export type TurnDigest = EpisodeDigest['turns'][number];

/** What lists and trends read of one scoring; turns by index, gains in nats, null where unknown. */
export const scoreDigestSchema = z.object({
  gains: z.array(
    z.object({
      mean: z.number().nullable(),
      total: z.number().nullable(),
      unfit: z.boolean(),
      reason: nullReasonSchema.nullable(),
    }),
  ),
  /** Marks of each turn that has any. */
  marks: z.array(z.object({ turn: z.int(), ids: z.array(z.enum(MARK_IDS)) })),
});
export type ScoreDigest = z.infer<typeof scoreDigestSchema>;

/** The digest of an episode; `exportable` is the admission's word. */
export function digestOf(state: EpisodeState, exportable: boolean): EpisodeDigest {
  const models = state.turns.flatMap(({ generation }) => generation?.model ?? []);
  return {
    id: state.id,
    title: state.title ?? (state.request === null ? null : oneLine(wordsOf(state.request), 80)),
    named: state.title !== null,
    startedAt: state.createdAt,
    source: state.source,
    groupId: state.groupId,
    parent: state.parent,
    models: [...new Set(models)],
    outcome: exportedOutcome(state).value,
    exportable,
    reviewed: isReviewed(state),
    changed: !isReviewed(state) && wentOnSince(state.overrides, state.messages.length),
    excluded: state.override.excluded,
    turns: state.turns.map((turn) => ({
      kind: turn.kind,
      inherited: turn.state === 'inherited',
      words: wordsTyped(turn),
      thumb: turn.thumb,
      label: turn.override.label,
      excluded: turn.override.excluded,
    })),
  };
}

/** The digest of an episode's score, with its marks by what is known of outcome and scorer today. */
export function scoreDigestOf(
  state: Pick<EpisodeState, 'turns'>,
  outcome: number | null,
  scored: Pick<ScoredEpisode, 'placebo' | 'turns'>,
): ScoreDigest {
  const marks = marksOf(markEpisode(state.turns, outcome, scored));
  return {
    gains: scored.turns.map(({ gain, gain_sum, flags, null_reason }) => ({
      mean: gain,
      total: gain_sum,
      unfit: flags?.includes('placeholder_unfit') === true,
      reason: null_reason,
    })),
    marks: [...marks].sort(([a], [b]) => a - b).map(([turn, ids]) => ({ turn, ids: [...ids] })),
  };
}

/** Sum of the gains that are known, in nats; null while none is. */
export function totalGain({ gains }: ScoreDigest): number | null {
  const known = gains.flatMap(({ total }) => total ?? []);
  return known.length === 0 ? null : known.reduce((sum, total) => sum + total, 0);
}

/** Why an episode has no gain at all: the first reason that is more than "there is nothing behind it yet". */
export function missingReason({ gains }: ScoreDigest): NullReason | null {
  const reasons = gains.flatMap(({ reason }) => reason ?? []);
  return reasons.find((reason) => reason !== 'no_next_action' && reason !== 'inherited') ?? reasons[0] ?? null;
}

/** Marks of an episode, each once, in the order of the table. */
export function markIds({ marks }: ScoreDigest): MarkId[] {
  return MARK_IDS.filter((id) => marks.some(({ ids }) => ids.includes(id)));
}

function wordsTyped({ observations }: TurnState): number | null {
  if (observations.length === 0) return null;
  return observations.flatMap(({ kind, text }) =>
    kind === 'tool' || kind === 'test' ? [] : text.split(/\s+/u).filter((word) => word !== ''),
  ).length;
}
