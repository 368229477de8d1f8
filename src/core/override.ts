import { z } from 'zod';

/**
 * What a reviewer thinks of a turn (or a whole conversation), 1 to 5; the words are what an export says. Was it worth asking?
 * 1 harmful: it misled the agent, or sent the work the wrong way. 2 needless: the answer was known already, or asked for its
 * own sake. 3 unclear: it cannot be told. 4 useful: the work came out better for it. 5 essential: without it, it would be wrong.
 */
export const REVIEW_LABELS = ['harmful', 'needless', 'unclear', 'useful', 'essential'] as const;
export type ReviewLabel = (typeof REVIEW_LABELS)[number];
export const reviewLabelSchema = z.enum(REVIEW_LABELS);

/** Longest note of a reviewer, in characters. */
export const NOTE_LIMIT = 4000;

/** One thing that a reviewer changed; null takes a label or a note away. */
export const overrideChangeSchema = z.discriminatedUnion('field', [
  z.object({ field: z.literal('label'), value: reviewLabelSchema.nullable() }),
  z.object({ field: z.literal('note'), value: z.string().min(1).max(NOTE_LIMIT).nullable() }),
  /** Out of the loss: its tokens get loss_mask 0. Its gain and its outcome stay what they are. */
  z.object({ field: z.literal('excluded'), value: z.boolean() }),
  z.object({ field: z.literal('reviewed'), value: z.boolean() }),
]);
export type OverrideChange = z.infer<typeof overrideChangeSchema>;

/** What reviewers have laid over a turn or an episode; the score below is never touched. */
export interface Override {
  readonly label: ReviewLabel | null;
  readonly note: string | null;
  readonly excluded: boolean;
  readonly reviewed: boolean;
}

export const NO_OVERRIDE: Override = { label: null, note: null, excluded: false, reviewed: false };

/** A change as it was made, kept so that it can be taken back: `seq` is its event's, `turn` null the whole episode. */
export interface OverrideRecord {
  readonly seq: number;
  readonly turn: number | null;
  readonly change: OverrideChange;
  readonly takenBack: boolean;
  /** Messages that the conversation had then. */
  readonly said: number;
}

/**
 * What holds for a turn (null: the episode): in each field the last change that was not taken back, in the order of events.
 * Two reviewers who touch different fields or turns never meet; on the same field the later one counts, and an undo brings
 * the earlier one out again. A conversation that was ticked off and went on since, to `said` messages, is to be looked at again.
 */
export function overrideOf(records: readonly OverrideRecord[], turn: number | null, said: number): Override {
  const held = records
    .filter((record) => record.turn === turn && !record.takenBack)
    .reduce<Override>((before, { change }) => ({ ...before, [change.field]: change.value }), NO_OVERRIDE);
  return turn === null && wentOnSince(records, said) ? { ...held, reviewed: false } : held;
}

/** Whether a conversation of so many messages was ticked off when it had fewer. */
export function wentOnSince(records: readonly OverrideRecord[], said: number): boolean {
  const tick = records.findLast(
    ({ turn, takenBack, change }) => turn === null && !takenBack && change.field === 'reviewed',
  );
  return tick?.change.value === true && tick.said < said;
}

/** The change that an undo would take back: the newest that stands; null: nothing is left. */
export function newestChange(records: readonly OverrideRecord[]): OverrideRecord | null {
  return records.findLast(({ takenBack }) => !takenBack) ?? null;
}

/** Whether a change says what holds already, so that nothing need be written. */
export function isHeld(held: Override, { field, value }: OverrideChange): boolean {
  return held[field] === value;
}

/** A change in words, for an undo to name: `label "useful"`, `note`, `excluded`, `reviewed`. */
export function changeWords({ field, value }: OverrideChange): string {
  if (field === 'label') return value === null ? 'no label' : `label "${value}"`;
  if (field === 'note') return value === null ? 'no note' : 'note';
  if (field === 'excluded') return value ? 'excluded' : 'included again';
  return value ? 'reviewed' : 'not reviewed';
}

/** What of an episode decides whether it was looked at. */
export interface Reviewable {
  readonly override: Override;
  readonly turns: readonly { readonly state: string; readonly override: Override }[];
}

/**
 * Whether somebody has looked an episode through: they said so, left it out, or dealt with every turn of its own (labelled it,
 * left it out, or ticked it off).
 */
export function isReviewed({ override, turns }: Reviewable): boolean {
  if (override.reviewed || override.excluded) return true;
  const own = turns.filter(({ state }) => state !== 'inherited');
  return own.length > 0 && own.every((turn) => isDealtWith(turn.override));
}

/** Whether a reviewer has done something about a turn. */
export function isDealtWith({ label, excluded, reviewed }: Override): boolean {
  return label !== null || excluded || reviewed;
}
