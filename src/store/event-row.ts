import { z } from 'zod';
import { TurnwiseError } from '../core/error.ts';
import { eventBodySchema, EVENT_VERSION, type EventBody, type StoredEvent } from '../core/event.ts';
import { sha256Text } from '../core/sha.ts';
import { upcast } from '../core/upcast.ts';

/** A row of the event table, as SQLite gives it. */
const rowSchema = z.object({
  id: z.string(),
  episode_id: z.string(),
  seq: z.int().nonnegative(),
  at: z.int(),
  version: z.int().positive(),
  type: z.string(),
  body: z.string(),
  sha: z.string(),
});
export type EventRow = z.infer<typeof rowSchema>;

/** A new event and its row. Throws `invalid_event` for a body that could not be read back. */
export function encodeEvent(
  head: Pick<StoredEvent, 'id' | 'episode_id' | 'seq' | 'at'>,
  body: EventBody,
): { readonly event: StoredEvent; readonly row: EventRow } {
  const checked = eventBodySchema.safeParse(body);
  if (!checked.success) {
    const issue = checked.error.issues[0];
    throw new TurnwiseError(
      'protocol',
      'invalid_event',
      `An event of type ${body.type} was refused (${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}); nothing was recorded. Please report it.`,
    );
  }
  const row = { ...head, version: EVENT_VERSION, type: body.type, body: JSON.stringify(checked.data) };
  return { event: { ...head, version: EVENT_VERSION, body: checked.data }, row: { ...row, sha: rowSha(row) } };
}

/**
 * The event in a row: hash, JSON and schema checked, older versions lifted. Throws `TurnwiseError` (`corrupt`,
 * `damaged_event`) that names the event.
 */
export function decodeEvent(path: string, raw: unknown): StoredEvent {
  const parsed = rowSchema.safeParse(raw);
  if (!parsed.success) throw damaged(path, raw, 'a column has another type');
  const { id, episode_id, seq, at, version, body, sha } = parsed.data;
  if (rowSha(parsed.data) !== sha) throw damaged(path, raw, 'its checksum does not fit');
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw damaged(path, raw, 'its JSON is broken');
  }
  const read = upcast(version, json);
  if (!read.ok) throw damaged(path, raw, read.why);
  return { id, episode_id, seq, at, version, body: read.body };
}

function rowSha(row: Omit<EventRow, 'sha'>): string {
  const { id, episode_id, seq, at, version, type, body } = row;
  return sha256Text(JSON.stringify([id, episode_id, seq, at, version, type, body]));
}

function damaged(path: string, raw: unknown, why: string): TurnwiseError {
  const name = z.object({ id: z.unknown(), episode_id: z.unknown(), seq: z.unknown() }).partial();
  const { id, episode_id, seq } = name.catch({}).parse(raw);
  return new TurnwiseError(
    'corrupt',
    'damaged_event',
    `Event ${String(id)} (episode ${String(episode_id)}, number ${String(seq)}) in ${path} is damaged: ${why}. Nothing was dropped; keep the file and restore a backup. Other episodes can still be read.`,
  );
}
