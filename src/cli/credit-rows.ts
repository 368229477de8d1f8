import { z } from 'zod';
import { inputError, TurnwiseError } from '../core/error.ts';
import type { Placebo } from '../core/credit/options.ts';
import type { CreditSource } from '../core/credit/from-score.ts';
import { groupRuleSchema } from '../core/group.ts';
import { actionStateSchema, nullReasonSchema, thumbSchema } from '../core/observation.ts';
import { SCORE_SCHEMA, scoreFlagSchema } from '../core/scored-episode.ts';
import { readJsonl, type Located } from './files.ts';

/** More than any reply can be worth in nats; beyond it the squares of S4 and S6 would no longer be finite. */
const MAX_GAIN = 1e9;

const gainMessage = 'must be a finite number of nats, or null where it is unknown';
const outcomeMessage = 'must be a number from 0 to 1, or null where it is unknown';

const turnSchema = z.looseObject({
  index: z.int().nonnegative().optional(),
  tokens: z.int({ error: 'must be a whole number of loss tokens, 0 or more' }).nonnegative(),
  gain: z.number({ error: gainMessage }).min(-MAX_GAIN, gainMessage).max(MAX_GAIN, gainMessage).nullable(),
  null_reason: nullReasonSchema.nullish(),
  flags: z.array(scoreFlagSchema).optional(),
  action_state: actionStateSchema.optional(),
  /** The turn's own reward, for the baselines; without any the last turn has the outcome and the others 0. */
  reward: z.number({ error: 'must be a finite number, or null where it is unknown' }).nullable().optional(),
  /** Mean log-prob in nats of a reference solution before and after the reply, for the baseline igpo. */
  reference: z
    .object({ before: z.number().max(1e-6), after: z.number().max(1e-6) })
    .nullable()
    .optional(),
  obs_gains: z
    .array(z.looseObject({ gain: z.number().nullable(), null_reason: nullReasonSchema.nullable() }))
    .optional(),
  kl_support: z.number().nullable().optional(),
  thumb: thumbSchema.nullable().optional(),
  note: z.string().nullable().optional(),
});

/**
 * A line of `turnwise credit`'s input: what `turnwise score` writes, or numbers only. Of a scored line only what credit needs
 * is checked. Keys that neither form knows are kept.
 */
export const creditRowSchema = z.looseObject({
  schema: z.string().optional(),
  episode_id: z.string().min(1),
  group_id: z.string().min(1).nullish(),
  group_rule: groupRuleSchema.nullish(),
  outcome: z.number({ error: outcomeMessage }).min(0, outcomeMessage).max(1, outcomeMessage).nullish(),
  /** Who scored, and how; only compared between lines. */
  scorer: z.unknown().optional(),
  options: z.unknown().optional(),
  placebo: z.looseObject({ mean: z.number(), sd: z.number().nonnegative(), n: z.int().optional() }).nullish(),
  turns: z.array(turnSchema),
});
export type CreditRow = z.infer<typeof creditRowSchema>;

/** An input line ready for the batch, and the line as it was. */
export interface BatchMember {
  readonly source: CreditSource;
  readonly row: CreditRow;
}

/** One file: one batch, with the placebo figures (nats) that its scores carry. */
export interface CreditInput {
  readonly members: readonly BatchMember[];
  readonly placebo: Placebo | null;
}

/** Reads a batch. Errors name file and line: a malformed row, an id that comes twice, scores that do not belong together. */
export async function readCreditInput(file: string): Promise<CreditInput> {
  const rows = await readJsonl(file, creditRowSchema);
  const [first] = rows;
  if (first === undefined) {
    throw new TurnwiseError('input', 'empty_file', `${file} holds no episode; give one JSON object a line.`);
  }
  const seen = new Map<string, number>();
  for (const located of rows) {
    checkRow(file, located, seen);
    checkSameScores(file, first, located);
  }
  const taken = new Set(rows.flatMap(({ value }) => value.group_id ?? []));
  return {
    members: rows.map(({ value }) => ({ source: sourceOf(value, taken), row: value })),
    placebo: placeboOf(file, rows),
  };
}

function checkRow(file: string, { line, value }: Located<CreditRow>, seen: Map<string, number>): void {
  const { schema, episode_id, turns } = value;
  if (schema?.startsWith('turnwise-') && schema !== SCORE_SCHEMA) {
    throw inputError(
      'other_format',
      file,
      line,
      `its format is ${schema}, not ${SCORE_SCHEMA}; give what this version's turnwise score writes, or numbers only.`,
    );
  }
  const before = seen.get(episode_id);
  if (before !== undefined) {
    throw inputError(
      'duplicate_episode',
      file,
      line,
      `episode_id ${episode_id} was used on line ${before} already; ids must be unique.`,
    );
  }
  seen.set(episode_id, line);
  const indices = turns.map(({ index }, t) => index ?? t);
  const repeated = indices.find((index, t) => indices.indexOf(index) !== t);
  if (repeated !== undefined) {
    throw inputError('duplicate_turn', file, line, `turns: index ${repeated} comes twice; each turn has its own.`);
  }
  const contradiction = turns.findIndex(({ gain, null_reason }) => gain !== null && (null_reason ?? null) !== null);
  if (contradiction >= 0) {
    throw inputError(
      'gain_with_null_reason',
      file,
      line,
      `turns.${contradiction}: has a gain and a null_reason; remove one of them.`,
    );
  }
}

/** Advantages compare the members of a batch, so their gains must have been measured alike (spec, Words). */
function checkSameScores(file: string, first: Located<CreditRow>, { line, value }: Located<CreditRow>): void {
  for (const key of ['scorer', 'options'] as const) {
    if (sorted(first.value[key]) === sorted(value[key])) continue;
    throw inputError(
      'mixed_scores',
      file,
      line,
      `its ${key === 'scorer' ? 'scorer' : 'score options'} differ from those of line ${first.line}; one file is one batch, scored with one scorer and the same options. Score all episodes alike, or split the file.`,
    );
  }
}

/** Placebo figures count from this many gains on (spec S1). */
const PLACEBO_MIN = 50;

function placeboOf(file: string, rows: readonly Located<CreditRow>[]): Placebo | null {
  const carried = rows.flatMap(({ line, value }) => (value.placebo ? [{ line, placebo: value.placebo }] : []));
  const [first] = carried;
  if (first === undefined) return null;
  const other = carried.find(({ placebo }) => sorted(placebo) !== sorted(first.placebo));
  if (other) {
    throw inputError(
      'mixed_scores',
      file,
      other.line,
      `its placebo figures differ from those of line ${first.line}; score all episodes alike, or split the file.`,
    );
  }
  const { mean, sd, n } = first.placebo;
  return n !== undefined && n < PLACEBO_MIN ? null : { mean, sd };
}

function sourceOf(row: CreditRow, taken: ReadonlySet<string>): CreditSource {
  const last = row.turns.length - 1;
  return {
    episode_id: row.episode_id,
    group_id: row.group_id ?? ownGroup(row.episode_id, taken),
    group_rule: row.group_rule ?? (row.group_id == null ? 'alone' : 'task'),
    outcome: row.outcome ?? null,
    turns: row.turns.map((turn, t) => ({
      ...turn,
      index: turn.index ?? t,
      // By definition the last action has no next one; of the others nobody said why.
      null_reason: turn.gain === null ? (turn.null_reason ?? (t === last ? 'no_next_action' : 'not_scored_yet')) : null,
    })),
  };
}

/** A group of its own: named like the episode, unless another line uses that name for a group. */
function ownGroup(episodeId: string, taken: ReadonlySet<string>): string {
  let name = episodeId;
  while (taken.has(name)) name += '~';
  return name;
}

/** One text for equal values, whatever the order of their keys. */
function sorted(value: unknown): string {
  if (value === undefined) return '';
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
