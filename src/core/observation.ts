import { z } from 'zod';

/** What came back between two actions (spec, Words): the one enumeration of observation kinds. */
export const observationKinds = [
  'typed',
  'option',
  'edited_option',
  'skipped',
  'rejected',
  'edit',
  'tool',
  'test',
] as const;
export const observationKindSchema = z.enum(observationKinds);
export type ObservationKind = z.infer<typeof observationKindSchema>;

/**
 * Why a number is unknown (spec S1). Unknown is null with one of these, never 0. `pool_too_small` belongs to the
 * normalised information only; `inherited` to a branch's turns that are its parent's.
 */
export const nullReasons = [
  'no_next_action',
  'empty_reply',
  'straddle',
  'mask_equals_reply',
  'no_donor',
  'template_mismatch',
  'too_long',
  'backend_failed',
  'unsupported',
  'not_scored_yet',
  'pool_too_small',
  'inherited',
] as const;
export const nullReasonSchema = z.enum(nullReasons);
export type NullReason = z.infer<typeof nullReasonSchema>;

/**
 * How an action came to be. Only `sampled` actions are trained on: the others have no loss tokens (spec, Words) and a gain
 * whose next action was stopped or edited is scored but kept out of every pool.
 */
export const actionStates = ['sampled', 'edited', 'stopped', 'inherited', 'excluded'] as const;
export const actionStateSchema = z.enum(actionStates);
export type ActionState = z.infer<typeof actionStateSchema>;

/** A thumb up (1) or down (0). */
export const thumbSchema = z.union([z.literal(0), z.literal(1)]);
