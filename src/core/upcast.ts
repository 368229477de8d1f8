import { eventBodySchema, isKnownType, type EventBody, type NewerBody } from './event.ts';

/** Turns the JSON of one event version into the next one's. */
export type UpcastStep = (body: unknown) => unknown;

/** `STEPS[v - 1]` lifts version v to v + 1. An event is never rewritten in the store, so no step may ever be removed. */
const STEPS: readonly UpcastStep[] = [];

/** A stored body brought to the current version, or why it cannot be read. */
export type Upcast =
  { readonly ok: true; readonly body: EventBody | NewerBody } | { readonly ok: false; readonly why: string };

/**
 * Reads the JSON of a stored event of any version: older ones are lifted step by step and validated, newer ones and those of
 * a type that a newer Turnwise added come back whole as `newer_event`, so that a reader can show that it skipped them.
 * `ok: false` means damage.
 */
export function upcast(version: number, json: unknown, steps: readonly UpcastStep[] = STEPS): Upcast {
  if (!Number.isInteger(version) || version < 1) return { ok: false, why: `event version ${version} does not exist` };
  const current = steps.length + 1; // EVENT_VERSION for our own steps; a test holds them together
  if (version > current) return { ok: true, body: { type: 'newer_event', json } };
  const lifted = steps.slice(version - 1).reduce<unknown>((body, step) => step(body), json);
  const parsed = eventBodySchema.safeParse(lifted);
  if (parsed.success) return { ok: true, body: parsed.data };
  if (version === current && isOfNewType(lifted)) return { ok: true, body: { type: 'newer_event', json } };
  const issue = parsed.error.issues[0];
  return { ok: false, why: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}` };
}

/** A type is added without a new version: nothing that was there before changes. */
function isOfNewType(json: unknown): boolean {
  if (typeof json !== 'object' || json === null || !('type' in json)) return false;
  return typeof json.type === 'string' && json.type !== '' && !isKnownType(json.type);
}
