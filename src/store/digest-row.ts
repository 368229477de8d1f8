import { z } from 'zod';
import { MARK_IDS } from '../core/marks/mark.ts';
import { nullReasonSchema } from '../core/observation.ts';

/** What a list shows of an episode, read without its events. */
export interface DigestRow {
  /** Place in the list: later ones began later. */
  readonly position: number;
  readonly id: string;
  readonly title: string | null;
  readonly startedAt: number;
  readonly source: string;
  readonly models: readonly string[];
  readonly turns: number;
  /** Replies that an action followed. */
  readonly scorable: number;
  readonly reviewed: boolean;
  readonly reviewable: boolean;
  /** It was reviewed, and went on since. */
  readonly changed: boolean;
  readonly excluded: boolean;
  /** It branched off another conversation. */
  readonly branch: boolean;
  /** The developer named it. */
  readonly named: boolean;
  /** It cannot be read. */
  readonly damaged: boolean;
  /** The score that is shown; null: there is none. */
  readonly score: {
    readonly gain: number | null;
    readonly marks: readonly (typeof MARK_IDS)[number][];
    readonly why: z.infer<typeof nullReasonSchema> | null;
    readonly scorerKey: string;
    readonly optionsKey: string;
  } | null;
  readonly job: {
    readonly wanted: number;
    readonly done: number;
    readonly leaseUntil: number;
    readonly notBefore: number;
    readonly reason: string | null;
    readonly message: string | null;
    readonly outdated: number;
  } | null;
}

/** A row of the list, as SQLite gave it. */
export function digestRow(value: unknown): DigestRow {
  const {
    scorerKey,
    optionsKey,
    gain,
    marks,
    why,
    wanted,
    done,
    leaseUntil,
    notBefore,
    reason,
    message,
    outdated,
    ...row
  } = rowSchema.parse(value);
  return {
    ...row,
    models: row.models === '[]' ? [] : modelsSchema.parse(JSON.parse(row.models)),
    score:
      scorerKey === null || optionsKey === null
        ? null
        : {
            gain,
            marks: marks === null || marks === '[]' ? [] : marksSchema.parse(JSON.parse(marks)),
            why,
            scorerKey,
            optionsKey,
          },
    job:
      wanted === null
        ? null
        : {
            wanted,
            done: done ?? 0,
            leaseUntil: leaseUntil ?? 0,
            notBefore: notBefore ?? 0,
            reason,
            message,
            outdated: outdated ?? 0,
          },
  };
}

// Made once: to make one takes longer than to use it a hundred times.
const modelsSchema = z.array(z.string());
const marksSchema = z.array(z.enum(MARK_IDS));
const flag = z.int().transform((value) => value === 1);
const rowSchema = z.object({
  position: z.int(),
  id: z.string(),
  title: z.string().nullable(),
  startedAt: z.int(),
  source: z.string(),
  models: z.string(),
  turns: z.int(),
  scorable: z.int(),
  reviewed: flag,
  reviewable: flag,
  changed: flag,
  excluded: flag,
  branch: flag,
  named: flag,
  damaged: flag,
  scorerKey: z.string().nullable(),
  optionsKey: z.string().nullable(),
  gain: z.number().nullable(),
  marks: z.string().nullable(),
  why: nullReasonSchema.nullable(),
  wanted: z.int().nullable(),
  done: z.int().nullable(),
  leaseUntil: z.int().nullable(),
  notBefore: z.int().nullable(),
  reason: z.string().nullable(),
  message: z.string().nullable(),
  outdated: z.int().nullable(),
});
